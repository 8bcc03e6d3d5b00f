"""`cm network`: what servers can be in."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_cloud, in_project, listing, pass_client


@click.group()
def network() -> None:
    """Networks that servers can be in: list, show."""


@network.command("list")
@in_cloud
@in_project
@click.option("--search", help="Only with this text in the name.")
@listing("name", "cloud", "subnets", "external", "shared", "usable", "default:is_default")
@pass_client
def list_(client: Client, /, show: Show, **filters: str | None) -> None:
    """List the networks of your clouds with their address ranges.

    Servers can be in those that are usable; external ones are where public addresses come from.
    """
    show(client.networks(**filters), empty="No networks. Which clouds there are tells: cm cloud list")


@network.command("show")
@click.argument("name")
@in_cloud
@listing(
    *("id", "name", "cloud", "project", "subnets", "external", "shared", "usable", "default:is_default"),
    "provider_id",
)
@pass_client
def show_(client: Client, show: Show, name: str, cloud: str | None) -> None:
    """Show one network; --format json has what the cloud says of it, too.

    Example: cm network show india-private --format yaml
    """
    show.one(client.network(name, cloud=cloud))
