"""`cm approve`: the wishes of others that wait for a yes."""

import click

from cloudmesh.client import Client
from cloudmesh.client.asking import ID
from cloudmesh.shell import operation
from cloudmesh.shell.options import Show, in_project, listing, pass_client


class Approvals(click.Group):
    """The id of an operation alone means yes to it."""

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_id = bool(arguments) and ID.fullmatch(arguments[0].lower())
        return super().resolve_command(context, ["yes", *arguments] if is_id else arguments)


@click.group(cls=Approvals)
def approve() -> None:
    """Operations that wait for approval: list, yes, reject.

    \b
    cm approve list
    cm approve ID
    cm approve reject ID --reason 'Too large'
    """


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
