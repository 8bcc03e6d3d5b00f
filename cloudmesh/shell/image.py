"""`cm image`: what servers are made from."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_cloud, listing, pass_client


@click.group()
def image() -> None:
    """Images that servers are made from."""


@image.command("list")
@in_cloud
@click.option("--search", help="Only with this text in the name.")
@listing("name", "cloud", "state", "login", "disk:min_disk", "ram:min_ram", "default:is_default")
@pass_client
def list_(client: Client, /, show: Show, **filters: str) -> None:
    """List the images of your clouds; `default` is what the next server there is made from."""
    show(client.images(**filters), empty="No images. Which clouds there are tells: cm cloud list")
