"""`cm hpc cancel`, `hold` and `release`."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.hpc.choice import in_cluster, jobs, require_names
from cloudmesh.shell.hpc.shaping import shaped
from cloudmesh.shell.options import Show, in_project, listing, pass_client, preview, sure, waiting

if TYPE_CHECKING:
    from cloudmesh.types import Json

brief = listing("id:provider_id", "name", "state", "cluster", "queue", "user", "time", "reason")


@click.command()
@jobs
@in_cluster
@in_project
@sure
@waiting
@brief
@pass_client
def cancel(client: Client, /, show: Show, job: tuple[str, ...], yes: bool, wait: bool, **filters: str | None) -> None:
    """Cancel jobs, whether they wait or run, after showing which.

    \b
    cm hpc cancel 4711
    cm hpc cancel "[4711-4714]" "sim*" --cluster india --yes
    """
    found = _chosen(client, job, **filters)
    if not yes:
        preview(map(shaped, found), "id:provider_id", "name", "state", "cluster", "queue", "user", "time")
        talk.confirm(f"Cancel {'this job' if len(found) == 1 else f'these {len(found)} jobs'}?")
    _change(client, show, "cancel", found, wait=wait)


def _define(action: str, purpose: str) -> click.Command:
    @click.command(action, help=f'{purpose}\n\nExample: cm hpc {action} 4711 "sim*"')
    @jobs
    @in_cluster
    @in_project
    @waiting
    @brief
    @pass_client
    def command(client: Client, /, show: Show, job: tuple[str, ...], wait: bool, **filters: str | None) -> None:
        _change(client, show, action, _chosen(client, job, **filters), wait=wait)

    return command


hold = _define("hold", "Keep jobs that wait from starting, until they are released.")
release = _define("release", "Let jobs that are held start.")


def _chosen(client: Client, names: tuple[str, ...], **filters: str | None) -> "list[Json]":
    require_names(names)
    return client.select_jobs(*names, **filters)


def _change(client: Client, show: Show, action: str, jobs: "list[Json]", *, wait: bool) -> None:
    """One wish for the jobs of each project; all are made before the first is waited for."""
    of_project: dict[str | None, list[Json]] = {}
    for job in jobs:
        of_project.setdefault(job["project"], []).append(job)
    operations = [client.change_jobs(action, those)["operation"] for those in of_project.values()]
    if not wait:
        for operation in operations:
            talk.say(f"Follow it with: cm operation wait {operation['id']}")
    ended = [follow(client, operation) for operation in operations if wait]
    show(map(shaped, client.reread_jobs(jobs)))
    for operation in ended:
        check(client, operation)
