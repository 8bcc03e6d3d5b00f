"""Taking over the queues and nodes that a scheduler reports, and noting how busy the queues are."""

import datetime
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone

from activity import lifecycle
from activity.models import new_id
from cloudmesh import types
from hpc.models import Load, Node, Queue, Scheduler
from hpc.sync import placing

QUEUE = (
    "name",
    "is_default",
    "max_walltime",
    "default_walltime",
    "max_nodes",
    "nodes",
    "cores",
    "cores_used",
    "priority",
)
NODE = ("name", "cores", "cores_used", "memory", "memory_used", "gpus", "gpus_used", "load")
LISTS = ("queues", "properties", "jobs")
SAMPLE = datetime.timedelta(minutes=1)
KEPT = datetime.timedelta(days=30)


def merge_queues(scheduler: Scheduler, seen: Iterable[types.Queue]) -> tuple[int, int]:
    """Answers how many there are and how many changed; those that are gone are gone here too."""
    clusters = placing.clusters_of(scheduler)
    queues = list(seen)
    rows = [
        {
            "cluster": str(clusters.of(queue.name)),
            "state": str(queue.state),
            "state_reason": "",
            **{name: getattr(queue, name) for name in QUEUE},
            **_native(queue.native, clusters.of(queue.name), queue.cores_used),
        }
        for queue in queues
    ]
    return _merge(Queue, scheduler, rows)


def merge_nodes(scheduler: Scheduler, seen: Iterable[types.Node]) -> tuple[int, int]:
    """Answers how many there are and how many changed; those that are gone are gone here too."""
    rows = [
        {
            "state": str(node.state),
            "state_reason": node.reason,
            **{name: getattr(node, name) for name in NODE},
            **{name: orjson.dumps(getattr(node, name)).decode() for name in LISTS},
            **_native(node.native, node.load),
        }
        for node in seen
    ]
    return _merge(Node, scheduler, rows)


def sample(scheduler: Scheduler) -> None:
    """Note how busy each queue is, once a minute."""
    now = timezone.now()
    minute = now.replace(second=0, microsecond=0)
    mine = Load.objects.filter(queue__scheduler=scheduler)
    if mine.filter(at=minute).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO hpc_load (queue_id, at, running, waiting, cores_used, cores)
            SELECT queue.id, %s,
                   count(job.id) FILTER (WHERE job.state IN ('starting', 'running', 'suspended', 'ending')),
                   count(job.id) FILTER (WHERE job.state IN ('queued', 'held', 'requested')),
                   coalesce(sum(job.cores) FILTER (WHERE job.state IN ('running', 'ending')), 0), queue.cores
            FROM hpc_queue AS queue LEFT JOIN hpc_job AS job
                 ON job.cluster_id = queue.cluster_id AND job.queue = queue.name AND job.ended IS NULL
            WHERE queue.scheduler_id = %s GROUP BY queue.id ON CONFLICT (queue_id, at) DO NOTHING
            """,
            [minute, scheduler.pk],
        )
    mine.filter(at__lt=now - KEPT).delete()


def _native(native: Mapping[str, Any], *more: object) -> dict[str, str]:
    text = orjson.dumps(native, option=orjson.OPT_SORT_KEYS, default=str)
    return {
        "native": text.decode(),
        "native_hash": hashlib.blake2b(text + repr(more).encode(), digest_size=16).hexdigest(),
    }


@transaction.atomic
def _merge(model: type[Queue] | type[Node], scheduler: Scheduler, rows: list[dict[str, Any]]) -> tuple[int, int]:
    mine = model._default_manager.filter(scheduler=scheduler).select_for_update(no_key=True).order_by("pk")
    known: dict[str, tuple[uuid.UUID, str, str, int]] = {
        name: (pk, digest, state, version)
        for name, pk, digest, state, version in mine.values_list("name", "pk", "native_hash", "state", "version")
    }
    fresh = [row for row in rows if (row["native_hash"], row["state"]) != known.get(row["name"], ("", "", ""))[1:3]]
    written, verbs = [], {}
    for row in fresh:
        pk, _, state, version = known.get(row["name"], (new_id(), "", "", 0))
        written.append({"id": pk, "scheduler": str(scheduler.pk), "version": version + 1, **_dated(row)})
        verbs[pk] = "found" if not version else "changed" if state == row["state"] else row["state"]
    topic, project = scheduler.topic, scheduler.event_project
    lifecycle.absorb(model, written, keep=("scheduler", "created_at"), topic=topic, project_id=project, verbs=verbs)
    gone = [entry[0] for name, entry in known.items() if name not in {row["name"] for row in rows}]
    if gone:
        model._default_manager.filter(pk__in=gone).delete()
        lifecycle.note(kind=model.KIND, verb="removed", topic=topic, project_id=project, data={"count": len(gone)})
    return len(rows), len(written) + len(gone)


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "created_at": timezone.now().isoformat()}
