"""`cm operation`: wishes, and what became of them."""

import itertools

import click

from cloudmesh.client import Client
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_project, listing, pass_client

MOST = 1_000_000  # rows that anybody reads

details = listing(
    *("id", "kind", "target:target.name", "state", "progress", "step", "reason", "project", "actor", "attempts"),
    *("next", "created:created_at", "started:started_at", "finished:finished_at"),
)


@click.group()
def operation() -> None:
    """What was asked for, by you and in your projects: list, show, wait, cancel, approve, reject."""


@operation.command("list")
@click.option("--state", help="Only in this state, such as running or failed.")
@click.option("--kind", help="Only of this kind, such as server.create.")
@in_project
@click.option("--limit", type=click.IntRange(1, MOST), default=100, show_default=True, help="How many at most.")
@listing("id", "kind", "target:target.name", "state", "progress", "step", "actor", "created:created_at")
@pass_client
def list_(client: Client, /, show: Show, limit: int, **filters: str) -> None:
    """List operations, the newest first."""
    newest = client.operations(page_size=min(limit, 1000), **filters)
    show(itertools.islice(newest, limit), empty="No operations.")


@operation.command("show")
@click.argument("id")
@details
@pass_client
def show_(client: Client, show: Show, id: str) -> None:
    """Show one operation."""
    show.one(client.operation(id))


@operation.command()
@click.argument("id")
@details
@pass_client
def wait(client: Client, show: Show, id: str) -> None:
    """Follow an operation to its end; fails if it failed."""
    ended = follow(client, client.operation(id))
    show.one(ended)
    check(client, ended)


@operation.command()
@click.argument("id")
@details
@pass_client
def cancel(client: Client, show: Show, id: str) -> None:
    """Cancel an operation, whatever state it is in."""
    show.one(client.cancel(id))


@operation.command()
@click.argument("id")
@details
@pass_client
def approve(client: Client, show: Show, id: str) -> None:
    """Let somebody else's waiting operation go ahead."""
    client.approve(id)
    show.one(client.operation(id))


@operation.command()
@click.argument("id")
@click.option("--reason", required=True, help="Told to whoever asked.")
@details
@pass_client
def reject(client: Client, show: Show, id: str, reason: str) -> None:
    """Refuse somebody else's waiting operation."""
    client.reject(id, reason)
    show.one(client.operation(id))
