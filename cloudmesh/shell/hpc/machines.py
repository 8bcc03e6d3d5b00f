"""`cm hpc info`, `queues` and `nodes`: what clusters have."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.shell.hpc.choice import in_cluster, in_queue
from cloudmesh.shell.hpc.shaping import UNLIMITED, clock, folded
from cloudmesh.shell.options import Show, listing, pass_client

if TYPE_CHECKING:
    from cloudmesh.types import Json


@click.command()
@in_cluster
@in_queue
@listing("cluster", "partition", "avail", "timelimit", "nodes", "state", "nodelist", "cores", "used:cores_used")
@pass_client
def info(client: Client, show: Show, cluster: str | None, queue: str | None) -> None:
    """Show queues with their nodes by state, as sinfo does.

    Example: cm hpc info --cluster india
    """
    places = {each["name"]: each["scheduler"] for each in client.clusters()}
    nodes: dict[tuple[str, str], list[Json]] = {}  # by scheduler and queue
    for node in client.nodes(cluster=cluster, queue=queue):
        for name in node["queues"]:
            nodes.setdefault((node["scheduler"], name), []).append(node)
    queues = client.queues(cluster=cluster, name=queue)
    show(
        _by_state((each, nodes.get((places[each["cluster"]], each["name"]), [])) for each in queues),
        empty="No queues. Register a cluster with: cm hpc cluster register NAME",
    )


@click.command()
@click.argument("queue", nargs=-1, metavar="[QUEUES]")
@in_cluster
@click.option("--state", help="Only in this state, such as open or closed.")
@listing(
    *(
        "queue:name",
        "cluster",
        "state",
        "default:is_default",
        "walltime",
        "limit",
        "total",
        "queued:waiting",
        "running",
    ),
    *("nodes", "cores", "used:cores_used", "most_nodes:max_nodes", "priority"),
)
@pass_client
def queues(client: Client, show: Show, queue: tuple[str, ...], cluster: str | None, state: str | None) -> None:
    """Show queues: their times, how many jobs run and wait, how many cores they have and use, as qstat -Q does.

    Example: cm hpc queues --cluster india --sort -queued
    """
    found = client.queues(name=",".join(queue) or None, cluster=cluster, state=state)
    show(map(_timed, found), empty="No queues.")


@click.command()
@click.argument("node", nargs=-1, metavar="[NODES]")
@in_cluster
@in_queue
@click.option("--state", help="Only in this state, such as free or down.")
@listing(
    *("node:name", "state", "scheduler", "np:cores", "used:cores_used", "memory", "memory_used", "gpus", "load"),
    *("queues", "properties", "jobs", "note:reason"),
)
@pass_client
def nodes(client: Client, /, show: Show, node: tuple[str, ...], **filters: str | None) -> None:
    """Show nodes, as pbsnodes does; memory is in MiB.

    \b
    cm hpc nodes --cluster india --state down
    cm hpc nodes "i[001-004]"
    """
    show(client.nodes(name=",".join(node) or None, **filters), empty="No nodes.")


def _timed(queue: "Json") -> "Json":
    return {
        **queue,
        "walltime": clock(queue["default_walltime"]),
        "limit": clock(queue["max_walltime"], UNLIMITED),
        "total": queue["running"] + queue["waiting"],
    }


def _by_state(queues: "Iterable[tuple[Json, list[Json]]]") -> "Iterator[Json]":
    """A row for each queue and state of its nodes; a queue without nodes has one, too."""
    for queue, nodes in queues:
        facts = {
            "cluster": queue["cluster"],
            "partition": queue["name"] + "*" * queue["is_default"],
            "avail": queue["state"],
            "timelimit": clock(queue["max_walltime"], UNLIMITED),
        }
        states: dict[str, list[Json]] = {}
        for node in nodes:
            states.setdefault(node["state"], []).append(node)
        for state, those in sorted(states.items()) or [("", [])]:
            yield {
                **facts,
                "nodes": len(those),
                "state": state,
                "nodelist": folded(node["name"] for node in those),
                "cores": sum(node["cores"] for node in those),
                "cores_used": sum(node["cores_used"] for node in those),
            }
