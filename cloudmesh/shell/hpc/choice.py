"""Which jobs and clusters a command is about."""

import itertools
from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.errors import NotFound, near
from cloudmesh.shell import talk

if TYPE_CHECKING:
    from cloudmesh.types import Json

in_cluster = click.option("--cluster", help="Only at this cluster.")
in_queue = click.option("--queue", help="Only in this queue.")
jobs = click.argument("job", nargs=-1, required=True, metavar="JOBS")  # that is what completion offers
one_job = click.argument("job", required=False)
clusters = click.argument("cluster", nargs=-1, required=True, metavar="CLUSTERS")
one_cluster = click.argument("cluster")


def require_names(names: tuple[str, ...]) -> None:
    """Raises UsageError for an empty name: a variable that is not set shall not mean all."""
    if not all(name.strip(" ,") for name in names):
        raise click.UsageError("A name is empty. Say which job you mean.")


def chosen_job(client: Client, name: str | None, cluster: str | None = None) -> "Json":
    """The job of this id or name, of several of one name the newest; without a name the last that one submitted.

    Raises NotFound, Ambiguous.
    """
    if name is None:
        return _last(client, cluster)
    require_names((name,))
    named = itertools.islice(client.jobs(name=name, owner="me", cluster=cluster, page_size=1), 1)
    return next(named, None) or client.job(name, cluster)


def _last(client: Client, cluster: str | None) -> "Json":
    for job in itertools.islice(client.jobs(owner="me", cluster=cluster, page_size=1), 1):
        talk.say(f"the last job: {called(job)}")
        return job
    raise NotFound("You have no job here. Say which one you mean; all are listed by: cm hpc jobs")


def called(job: "Json") -> str:
    """What one calls it by: its scheduler's id, else the portal's."""
    return f"{job['name']} ({job['provider_id'] or job['id']}) at {job['cluster']}"


def place(client: Client, name: str) -> "Json":
    """The cluster of this name or, where none is, one of the scheduler of this name. Raises NotFound."""
    known = list(client.clusters())
    for key in ("name", "id", "scheduler"):
        for cluster in known:
            if cluster[key] == name:
                return cluster
    hint = near(name, (cluster["name"] for cluster in known))
    raise NotFound(f"No cluster is named {name}.{hint} All are listed by: cm hpc cluster list", name=name)
