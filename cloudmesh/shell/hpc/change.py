"""`cm hpc cancel`, `hold` and `release`."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.hpc.choice import in_cluster, in_queue, jobs, require_names
from cloudmesh.shell.hpc.shaping import shaped
from cloudmesh.shell.options import Command, Show, in_project, listing, pass_client, preview, sure, waiting

if TYPE_CHECKING:
    from cloudmesh.types import Json

brief = listing("id:provider_id", "name", "state", "cluster", "queue", "user", "time", "reason")


def _narrowing(command: Command) -> Command:
    """Gives a command JOBS and what narrows them, for `_chosen`."""
    owner = click.option("--owner", help="Only of this person; a glob means only your own if nobody is said.")
    return jobs(in_cluster(in_queue(in_project(owner(command)))))


@click.command()
@_narrowing
@sure
@waiting
@brief
@pass_client
def cancel(client: Client, /, show: Show, job: tuple[str, ...], yes: bool, wait: bool, **filters: str | None) -> None:
    """Cancel jobs, whether they wait or run, after showing which.

    \b
    cm hpc cancel 4711
    cm hpc cancel "[4711-4714]" --cluster india --yes
    cm hpc cancel "*" --queue batch
    """
    found = _chosen(client, job, **filters)
    if not yes:
        preview(map(shaped, found), "id:provider_id", "name", "state", "cluster", "queue", "user", "time")
        talk.confirm(f"Cancel {'this job' if len(found) == 1 else f'these {len(found)} jobs'}?")
    _change(client, show, "cancel", found, wait=wait)


def _define(action: str, purpose: str) -> click.Command:
    @click.command(action, help=f'{purpose}\n\nExample: cm hpc {action} 4711 "sim*"')
    @_narrowing
    @waiting
    @brief
    @pass_client
    def command(client: Client, /, show: Show, job: tuple[str, ...], wait: bool, **filters: str | None) -> None:
        _change(client, show, action, _chosen(client, job, **filters), wait=wait)

    return command


hold = _define("hold", "Keep jobs that wait from starting, until they are released.")
release = _define("release", "Let jobs that are held start.")


def _chosen(client: Client, names: tuple[str, ...], **filters: str | None) -> "list[Json]":
    """The jobs of these ids and names, and of one's own, or somebody's, those that globs match."""
    from cloudmesh.types import is_glob

    require_names(names)
    globs = [name for name in names if is_glob(name)]
    named = client.select_jobs(*(name for name in names if name not in globs), **filters)
    found = client.select_jobs(*globs, **{**filters, "owner": filters["owner"] or "me"}) if globs else []
    return list({job["id"]: job for job in (*named, *found)}.values())


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
