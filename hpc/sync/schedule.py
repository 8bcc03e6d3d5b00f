"""When each scheduler is read: often while a job of ours moves or somebody looks, seldom at rest."""

import time
import uuid
from collections.abc import Collection

from django.db.models import Q
from django.utils import timezone

from cloudmesh.types import JobState
from hpc.models import LIVE, Job, Scheduler, Sync
from hpc.sync import connect, jobs, machines
from operations.engine import pace

#: Seconds between readings: while a job of ours moves, while somebody looks, and at rest.
JOBS = (3, 6, 60)
NODES = (10, 15, 120)
QUEUES = (10, 30, 120)
PACES = {Sync.Kind.JOBS: JOBS, Sync.Kind.NODES: NODES, Sync.Kind.QUEUES: QUEUES}
#: A job of ours in these states is soon in another.
RESTLESS = (JobState.REQUESTED, JobState.STARTING, JobState.ENDING)


def due() -> list[int]:
    """The ids of the readings that should begin now."""
    return pace.due(Sync.objects.all(), backend="scheduler")


def hurry(scheduler: Scheduler, kind: str = Sync.Kind.JOBS) -> None:
    """Read again at the next occasion; what is being read just now may be older than what is wanted."""
    pace.hurry(Sync.objects.filter(scheduler=scheduler, kind=kind))


def ring(scheduler: Scheduler) -> None:
    """Begin the due readings of a scheduler without waiting for the next look at what is due."""
    pace.ring("hpc.tasks.sync", scheduler.syncs.values_list("pk", flat=True))


def plan(scheduler: Scheduler) -> None:
    """Have every kind of a scheduler read from now on."""
    kinds = [Sync(scheduler=scheduler, kind=kind) for kind in Sync.Kind.values]
    Sync.objects.bulk_create(kinds, ignore_conflicts=True)
    Sync.objects.filter(scheduler=scheduler).update(due_at=timezone.now())


def watch(scheduler_ids: Collection[uuid.UUID]) -> None:
    """Somebody looks at these schedulers: read them more often for a while, at once when they begin to look."""
    fresh = [pk for pk in scheduler_ids if not pace.is_watched(pk)]
    if fresh:
        pace.hurry(Sync.objects.filter(scheduler__in=fresh))
    for pk in scheduler_ids:
        pace.watch(pk)


def watched_by(project_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """The schedulers that somebody who looks at these projects looks at: theirs, and those where a job of theirs is."""
    theirs = Q(project__in=project_ids)
    busy = Job.objects.filter(project__in=project_ids, state__in=LIVE).values("scheduler")
    return list(Scheduler.objects.filter(theirs | Q(pk__in=busy)).values_list("pk", flat=True))


def run(sync_id: int) -> None:
    """One reading, unless somebody else has it in hand or it is not due any more."""
    sync = pace.claim(Sync.objects.select_related("scheduler"), sync_id)
    if sync is not None:
        pace.run(sync, _read_once)


def _read_once(sync: Sync) -> float:
    """Read and note what was found; answers the seconds until the next time."""
    began, clock = timezone.now(), time.monotonic()
    sync.count, changed = _read(sync)
    sync.seconds, sync.done_at, sync.full_at = time.monotonic() - clock, timezone.now(), began
    if changed:
        sync.changed_at = sync.done_at
    return _interval(sync, changed)


def _read(sync: Sync) -> tuple[int, int]:
    scheduler, began = sync.scheduler, timezone.now()
    with connect.reading(scheduler) as driver:
        if sync.kind == Sync.Kind.QUEUES:
            seen_queues = list(driver.queues())
        elif sync.kind == Sync.Kind.NODES:
            seen_nodes = list(driver.nodes())
        else:
            reading = jobs.begin(scheduler, driver.jobs(), began)
            wanted = reading.to_ask() if driver.abilities["accounting"] else []
            accounted = list(driver.ended(wanted)) if wanted else []
    if sync.kind == Sync.Kind.QUEUES:
        return machines.merge_queues(scheduler, seen_queues)
    if sync.kind == Sync.Kind.NODES:
        return machines.merge_nodes(scheduler, seen_nodes)
    tally = jobs.merge(reading, accounted)
    machines.sample(scheduler)
    return tally


def _interval(sync: Sync, changed: int) -> float:
    moving, watched, rest = PACES[Sync.Kind(sync.kind)]
    ours = Job.objects.filter(scheduler=sync.scheduler, project__isnull=False)
    if sync.kind == Sync.Kind.JOBS and ours.filter(state__in=RESTLESS).exists():
        return moving
    if pace.is_watched(sync.scheduler_id) or ours.filter(state__in=LIVE).exists():
        return watched
    return rest
