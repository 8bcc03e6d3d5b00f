"""`cm vm rename`: another name, here and at the cloud."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, pass_client, waiting
from cloudmesh.shell.vm.ending import brief


@click.command()
@click.argument("name")
@click.argument("new")
@waiting
@brief
@pass_client
def rename(client: Client, /, show: Show, name: str, new: str, wait: bool) -> None:
    """Give the server NAME the name NEW, here and at its cloud."""
    server = client.server(name)
    operation = client.rename(server, new)["operation"]
    if wait:
        check(client, follow(client, operation))
    show.one(client.server(server["id"]))
