"""`cm usage`: what was used."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_project, listing, pass_client

WAYS = ("day", "user", "cloud", "project")


@click.command()
@in_project
@click.option("--since", metavar="DAY", help="From this day (UTC) on, or 7d: that many with today; usually 30d.")
@click.option("--until", metavar="DAY", help="Up to the end of this day.")
@click.option("--by", type=click.Choice(WAYS), default="day", show_default=True, help="What it is divided by.")
@listing("name", "core_hours", "ram_gib_hours:ram_hours", "disk_gib_hours:disk_hours", "node_hours")
@pass_client
def usage(client: Client, /, show: Show, **asked: str) -> None:
    """What a project used, or all of yours together: core, memory, disk and node hours.

    Example: cm usage --project fg101 --since 2026-01-01 --by user
    """
    show(client.usage(**asked), empty="Nothing was used.")
