"""`cm vm rename`: another name, here and at the cloud."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, pass_client, waiting
from cloudmesh.shell.vm.choice import chosen_one
from cloudmesh.shell.vm.ending import brief


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]")
@click.argument("new")
@waiting
@brief
@pass_client
def rename(client: Client, /, show: Show, names: tuple[str, ...], new: str, wait: bool) -> None:
    """Give the server NAME the name NEW, here and at its cloud.

    Example: cm vm rename gregor_7 web1
    """
    if len(names) > 1:
        raise click.UsageError(f"One server gets one name, but these are {len(names)} names and {new}.")
    server = chosen_one(client, *names)
    operation = client.rename(server, new)["operation"]
    if wait:
        check(client, follow(client, operation))
    show.one(client.server(server["id"]))
