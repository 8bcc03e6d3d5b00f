"""`cm hpc jobs`, `queue` and `status`: which jobs there are and how they are."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from cloudmesh.client import Client
from cloudmesh.client.asking import batches
from cloudmesh.errors import NotFound
from cloudmesh.shell import live
from cloudmesh.shell.hpc.choice import in_cluster, in_queue, jobs, require_names
from cloudmesh.shell.hpc.shaping import shaped
from cloudmesh.shell.options import Command, Show, in_project, listing, pass_client

if TYPE_CHECKING:
    from cloudmesh.types import Json

EMPTY = "No jobs. Run one with: cm hpc run COMMAND"
some = click.argument("job", nargs=-1, metavar="[JOBS]")
columns = listing(
    *("id:provider_id", "name", "state", "cluster", "queue", "user", "nodes", "cores", "time", "limit", "nodelist"),
    *("submitted", "started", "ended", "exit:exit_code", "cpu:used_cpu", "memory:used_memory", "project", "account"),
    "experiment",
)


def narrowing(command: Command) -> Command:
    """Gives a command what narrows a list of jobs."""
    mine = click.option("--me", is_flag=True, help="Only my own.")
    owner = click.option("--owner", help="Only of this person.")
    return some(in_cluster(in_queue(in_project(mine(owner(command))))))


@click.command("jobs")
@narrowing
@click.option("--state", help="Only in these states, such as queued,running; live for all that have not ended.")
@click.option("--search", help="Only where this occurs in the name.")
@click.option("--watch", is_flag=True, help="Go on, and show what changes as it changes.")
@columns
@pass_client
def jobs_(
    client: Client, /, show: Show, job: tuple[str, ...], me: bool, owner: str | None, watch: bool, **filters: str | None
) -> None:
    """List jobs, the newest first; filters narrow each other.

    \b
    cm hpc jobs --me --state live
    cm hpc jobs "sim*" --cluster india --queue batch --watch
    cm hpc jobs --state failed --columns id,name,reason,exit
    """
    require_names(job)
    filters |= {"owner": "me" if me else owner}
    if watch:
        tables = ([shaped(each) for each in found] for found in client.watch_jobs(name=_joined(job), **filters))
        live.watch(show, tables, lambda gone: map(shaped, client.reread_jobs(gone)))
    else:
        show(map(shaped, _found(client, job, **filters)), empty=EMPTY)


@click.command()
@narrowing
@listing(
    *("cluster", "jobid:provider_id", "partition:queue", "name", "user", "st", "time", "nodes", "nodelist"),
    "updated:seen_at",
)
@pass_client
def queue(
    client: Client, /, show: Show, job: tuple[str, ...], me: bool, owner: str | None, **filters: str | None
) -> None:
    """Show what runs and waits, as squeue does; why a job waits stands in place of its nodes.

    \b
    cm hpc queue
    cm hpc queue --cluster delta --me
    """
    require_names(job)
    filters |= {"owner": "me" if me else owner}
    show(map(shaped, _found(client, job, state="live", **filters)), empty="Nothing runs or waits.")


@click.command()
@jobs
@in_cluster
@in_project
@listing(
    *("id:provider_id", "name", "state", "reason", "cluster", "queue", "expected", "time", "nodelist"),
    *("exit:exit_code", "age:age_seconds"),
)
@pass_client
def status(client: Client, /, show: Show, job: tuple[str, ...], **filters: str | None) -> None:
    """Show how jobs are, why so, and when they are expected to start.

    \b
    cm hpc status 4711
    cm hpc status "[4711-4714]" --format json
    """
    require_names(job)
    found = list(_found(client, job, **filters))
    if not found:
        raise NotFound(f"No job is named {', '.join(job)}. All are listed by: cm hpc jobs")
    show(map(shaped, found))


def _found(client: Client, names: tuple[str, ...], **filters: Any) -> "Iterable[Json]":
    """All jobs of the filters, or of those the ones that have one of these ids or names."""
    if not names:
        return client.jobs(**filters)
    from cloudmesh.types import expand_names, is_glob

    ids = [name for name in expand_names(*names) if not is_glob(name)]
    asked = [*(client.jobs(id=part, **filters) for part in batches(ids)), client.jobs(name=_joined(names), **filters)]
    return {job["id"]: job for jobs in asked for job in jobs}.values()


def _joined(names: tuple[str, ...]) -> str | None:
    return ",".join(names) or None
