"""`cm watch`: what happens, as it happens."""

import json

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import pass_client
from cloudmesh.shell.table import Column
from cloudmesh.shell.talk import printable, say


@click.command()
@click.option("--since", type=click.IntRange(0), help="Also what happened after the event of this number.")
@click.option(
    "--format", "form", type=click.Choice(("plain", "json")), default="plain", help="json: one object a line."
)
@pass_client
def watch(client: Client, since: int | None, form: str) -> None:
    """Print events as they come, until Ctrl-C; a lost connection is taken up where it broke.

    Example: cm watch --format json | jq .summary
    """
    say("Ctrl-C ends it.")
    at = Column("at", "at")
    for event in client.watch(since):
        if form == "json":
            click.echo(json.dumps(event, ensure_ascii=False))
        else:
            click.echo(f"{event['seq']}  {at.text(event)}  {printable(event['summary'])}  {printable(event['actor'])}")
