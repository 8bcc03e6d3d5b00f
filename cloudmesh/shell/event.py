"""`cm event`: what happened."""

import itertools
from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_project, listing, pass_client

if TYPE_CHECKING:
    from cloudmesh.types import Json

MOST = 1_000_000  # rows that anybody reads


@click.group()
def event() -> None:
    """What happened, whoever did it: here, in the web or directly at a cloud."""


@event.command("list")
@in_project
@click.option("--object", help="Only about the thing with this id.")
@click.option("--limit", type=click.IntRange(1, MOST), default=100, show_default=True, help="How many at most.")
@click.option("--follow", is_flag=True, help="Go on with what happens; each on a line, the newest last.")
@listing("seq", "at", "summary", "actor")
@pass_client
def list_(client: Client, /, show: Show, limit: int, follow: bool, **filters: str) -> None:
    """List events, the newest first.

    \b
    cm event list --limit 20
    cm event list --project fg82 --follow
    """
    newest = itertools.islice(client.events(page_size=min(limit, 1000), **filters), limit)
    if follow:
        _follow(client, show, list(newest), filters)
    else:
        show(newest, empty="Nothing happened yet.")


def _follow(client: Client, show: Show, newest: "list[Json]", filters: dict[str, str]) -> None:
    from cloudmesh.shell import live

    live.begin()
    since = newest[0]["seq"] if newest else None
    show.each(itertools.chain(reversed(newest), client.watch(since, **filters)))
