"""`cm approve`: the wishes of others that wait for a yes."""

import click

from cloudmesh.client import Client
from cloudmesh.shell import operation
from cloudmesh.shell.options import Show, in_project, listing, pass_client


@click.group()
def approve() -> None:
    """Operations that wait for approval: list, yes, reject."""


@approve.command("list")
@in_project
@listing("id", "kind", "target:target.name", "project", "actor", "reason", "created:created_at")
@pass_client
def list_(client: Client, show: Show, project: str | None) -> None:
    """List the operations that wait for approval."""
    waiting = client.operations(state="waiting_approval", project=project)
    show(waiting, empty="Nothing waits for approval.")


approve.add_command(operation.approve, "yes")
approve.add_command(operation.reject, "reject")
