"""`cm flavor`: the sizes of servers."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_cloud, listing, pass_client


@click.group()
def flavor() -> None:
    """Sizes that servers can have."""


@flavor.command("list")
@in_cloud
@click.option("--search", help="Only with this text in the name.")
@listing("name", "cloud", "cores", "ram", "disk", "default:is_default")
@pass_client
def list_(client: Client, /, show: Show, **filters: str) -> None:
    """List the flavors of your clouds: RAM in MiB, disk in GiB."""
    show(client.flavors(**filters), empty="No flavors. Which clouds there are tells: cm cloud list")
