"""`cm watch`: what happens, as it happens."""

import click

from cloudmesh.client import Client
from cloudmesh.shell import live
from cloudmesh.shell.options import Show, pass_client

COLUMNS = ("seq", "at", "summary", "actor")


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
    live.begin()
    shown = "table" if form == "plain" else form
    Show(COLUMNS, shown, wanted=None, sort=None, header=False).each(client.watch(since))
