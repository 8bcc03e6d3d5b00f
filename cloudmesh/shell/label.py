"""`cm label`: the name of the next server."""

from typing import Any

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, listing, pass_client


@click.command()
@click.option("--prefix", help="What your names begin with; empty for your user name.")
@click.option("--number", "--id", type=int, help="Count on from here.")
@click.option("--width", help="Digits that the number has at least: 3 for 007.")
@click.option("--schema", help="How names look, with {prefix} {user} {project} {group} {cloud} {number}.")
@click.option("--project", help="In this project; the one you work in if not said.")
@click.option("--raw", is_flag=True, help="Only the name.")
@listing("name", "number", "prefix", "width", "schema")
@pass_client
def label(client: Client, /, show: Show, raw: bool, project: str | None, **wanted: Any) -> None:
    """Show the name that the next server gets, or set how your names look.

    \b
    cm label --prefix gregor- --width 3 --number 7
    cm label --schema "{user}-{project}-{group}-{number}"
    """
    changes = {name: value for name, value in wanted.items() if value is not None}
    coming = client.set_naming(project=project, **changes) if changes else client.next_name(project)
    if raw:
        click.echo(coming["name"])
    else:
        show.one(coming)
