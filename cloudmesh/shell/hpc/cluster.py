"""`cm hpc cluster`: the clusters one sees, and the schedulers that they show."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.hpc.choice import clusters, one_cluster, place
from cloudmesh.shell.hpc.fields import fields_of, given_fields, in_fields
from cloudmesh.shell.options import Show, in_project, listing, pass_client, preview, sure, waiting

if TYPE_CHECKING:
    from cloudmesh.types import Json

IDENTITIES = ("own", "mapped", "one")
columns = listing(
    *("cluster:name", "scheduler", "on:is_enabled", "state", "health", "product", "running", "waiting", "cores"),
    *("used:cores_used", "login", "project", "age:age_seconds"),
)
whole = listing(
    *("id", "cluster:name", "label", "scheduler", "driver", "way", "project", "shared:is_shared", "on:is_enabled"),
    *("state", "health", "reason:health_reason", "product", "identity", "login", "running", "waiting", "cores"),
    *("used:cores_used", "nodes", "seen:seen_at"),
)


@click.group()
def cluster() -> None:
    """Clusters: list, info, register, refresh, on, off, credential, remove.

    Several clusters may be parts of one scheduler; what is said of one of them then holds for all of them.
    """


@cluster.command("list")
@in_project
@columns
@pass_client
def list_(client: Client, show: Show, project: str | None) -> None:
    """List the clusters you see, how full they are and as whom your jobs run there."""
    show(client.clusters(project=project), empty="No clusters. Add one with: cm hpc cluster register NAME")


@cluster.command()
@one_cluster
@whole
@pass_client
def info(client: Client, show: Show, cluster: str) -> None:
    """Show one cluster; --format json has its queues and what can be done there, too.

    Example: cm hpc cluster info india
    """
    show.one(client.cluster(cluster))


@cluster.command()
@click.argument("name")
@click.option("--driver", required=True, help="Which queue manager, such as slurm.")
@click.option("--way", help="How it is reached: ssh, rest or local; its usual way if not said.")
@in_fields
@click.option(
    "--show",
    "shown",
    multiple=True,
    metavar="CLUSTER[=QUEUE,…]",
    help="As which clusters it shows, each with its queues; one without has all others; repeatable.",
)
@click.option(
    "--identity", type=click.Choice(IDENTITIES), help="As whom jobs run: each person's own login if not said."
)
@click.option("--shared", is_flag=True, default=None, help="For the whole portal.")
@click.option("--hide-others", is_flag=True, help="Do not show jobs that were not made here.")
@click.option("--label", help="What it is, in a few words.")
@click.option("--project", help="For which project.")
@waiting
@columns
@pass_client
def register(
    client: Client, /, show: Show, name: str, driver: str, way: str | None, fields: tuple[str, ...],
    secret_file: TextIO | None, shown: tuple[str, ...], hide_others: bool, wait: bool, **how: str | None,
) -> None:  # fmt: skip
    """Add a scheduler. It is read once it accepted the credential; secrets are asked for, or come from a file.

    \b
    cm hpc cluster register india --driver slurm --field host=login.example.org --field login=reader \\
        --field key=~/.ssh/id_ed25519
    cm hpc cluster register india --driver slurm --show india --show delta=gpu,gpu-long
    """
    way, declared = fields_of(client, driver, way)
    wish = client.register_scheduler(
        name, driver, way=way, credential=given_fields(declared, fields, secret_file), clusters=_shown(shown) or None,
        shows_all=False if hide_others else None, **how,
    )  # fmt: skip
    if wait:
        check(client, follow(client, wish["operation"]))
    show(client.clusters(scheduler=name))


@cluster.command()
@one_cluster
@in_fields
@waiting
@pass_client
def credential(client: Client, cluster: str, fields: tuple[str, ...], secret_file: TextIO | None, wait: bool) -> None:
    """Replace what the portal reads a scheduler with; the old one stays in use until the new one has worked.

    Example: cm hpc cluster credential india --field key=~/.ssh/id_ed25519
    """
    known = place(client, cluster)
    _, declared = fields_of(client, known["driver"], known["way"])
    wish = client.replace_scheduler_credential(known["scheduler"], given_fields(declared, fields, secret_file))
    if wait:
        check(client, follow(client, wish["operation"]))


@cluster.command()
@clusters
@in_project
@pass_client
def refresh(client: Client, cluster: tuple[str, ...], project: str | None) -> None:
    """Read clusters anew, now; rarely needed. Example: cm hpc cluster refresh "*" """
    for scheduler in _schedulers(client.select_clusters(*cluster, project=project)):
        client.refresh_scheduler(scheduler)


@cluster.command()
@clusters
@in_project
@pass_client
def on(client: Client, cluster: tuple[str, ...], project: str | None) -> None:
    """Use clusters again."""
    for scheduler in _schedulers(client.select_clusters(*cluster, project=project)):
        client.change_scheduler(scheduler, is_enabled=True)


@cluster.command()
@clusters
@in_project
@pass_client
def off(client: Client, cluster: tuple[str, ...], project: str | None) -> None:
    """Leave clusters alone for a while: nothing is read or submitted there."""
    for scheduler in _schedulers(client.select_clusters(*cluster, project=project)):
        client.change_scheduler(scheduler, is_enabled=False)


@cluster.command()
@clusters
@in_project
@sure
@pass_client
def remove(client: Client, cluster: tuple[str, ...], project: str | None, yes: bool) -> None:
    """Forget schedulers with all clusters they show, after showing which; what runs there goes on running.

    Example: cm hpc cluster remove india
    """
    schedulers = _schedulers(client.select_clusters(*cluster, project=project))
    if not yes:
        gone = [each for each in client.clusters() if each["scheduler"] in schedulers]
        preview(gone, "cluster:name", "scheduler", "driver", "running", "waiting", "project")
        what = "this cluster" if len(gone) == 1 else f"these {len(gone)} clusters"
        talk.confirm(f"Forget {what}, the credentials for them and the jobs shown from there?")
    for scheduler in schedulers:
        client.remove_scheduler(scheduler)


def _schedulers(clusters: "Iterable[Json]") -> list[str]:
    """Of these clusters, each once."""
    return list(dict.fromkeys(str(cluster["scheduler"]) for cluster in clusters))


def _shown(words: tuple[str, ...]) -> dict[str, list[str]]:
    """`delta=gpu,gpu-long` words as names of clusters with their queues."""
    pairs = (word.partition("=") for word in words)
    return {name.strip(): [queue.strip() for queue in queues.split(",") if queue.strip()] for name, _, queues in pairs}
