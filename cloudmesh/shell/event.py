"""`cm event`: what happened."""

import itertools

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_project, listing, pass_client


@click.group()
def event() -> None:
    """What happened, whoever did it: here, in the web or directly at a cloud."""


@event.command("list")
@in_project
@click.option("--object", help="Only about the thing with this id.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
@listing("seq", "at", "summary", "actor")
@pass_client
def list_(client: Client, /, show: Show, limit: int, **filters: str) -> None:
    """List events, the newest first."""
    newest = client.events(page_size=min(limit, 1000), **filters)
    show(itertools.islice(newest, limit), empty="Nothing happened yet.")
