"""`cm flavor`: the sizes of servers."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_cloud, listing, pass_client


@click.group()
def flavor() -> None:
    """Sizes that servers can have."""


@flavor.command("list")
@click.argument("names", nargs=-1, metavar="[NAMES]")
@in_cloud
@click.option("--search", help="Only with this text in the name.")
@listing("name", "cloud", "cores", "ram", "disk", "default:is_default")
@pass_client
def list_(client: Client, /, show: Show, names: tuple[str, ...], **filters: str) -> None:
    """List the flavors of your clouds: RAM in MiB, disk in GiB."""
    show(
        client.flavors(name=",".join(names), **filters), empty="No flavors. Which clouds there are tells: cm cloud list"
    )


@flavor.command("show")
@click.argument("name")
@in_cloud
@listing("id", "name", "cloud", "cores", "ram", "disk", "project", "provider_id", "default:is_default")
@pass_client
def show_(client: Client, show: Show, name: str, cloud: str | None) -> None:
    """Show one flavor; --format json has what the cloud says of it, too.

    Example: cm flavor show m1.small --cloud india
    """
    show.one(client.flavor(name, cloud))
