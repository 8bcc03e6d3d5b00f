"""`cm info`: what the next boot would take."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, listing, pass_client

VALUES = ("name", "project", "cloud", "image", "flavor", "key", "network", "security_group", "group")


@click.command()
@listing("key", "value", "source")
@pass_client
def info(client: Client, show: Show) -> None:
    """Show what the next boot takes, its name too, and where each value comes from.

    Example: cm info; another value is set by: cm default set image ubuntu-24.04
    """
    coming = client.next_boot()
    show({"key": key, "value": coming[key], "source": coming["sources"].get(key)} for key in VALUES)
