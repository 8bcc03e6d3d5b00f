"""Taking over the jobs that a scheduler reports: only what changed is written, in a constant number of statements."""

import dataclasses
import datetime
import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from activity import lifecycle
from activity.models import new_id
from cloudmesh import types
from cloudmesh.types import ENDED, JobState
from hpc.models import LIVE, Job, Scheduler
from hpc.sync import placing

#: How long a job may be unknown to its scheduler and to accounting before it is called lost.
GRACE = datetime.timedelta(seconds=120)
#: How long an ended job is compared with what the scheduler still tells of it, and asked for in accounting.
FRESH = datetime.timedelta(minutes=15)
#: How far the clock of a scheduler, which counts whole seconds, may be behind.
SKEW = datetime.timedelta(minutes=5)
MOST_ASKED = 500  # ids in one question to accounting
OURS = ("scheduler", "project", "owner", "token", "script", "created_at")
TIMES = ("submitted", "expected", "started", "ended")
SAME = (
    "login", "queue", "account", "qos", "nodes", "tasks", "cores", "gpus", "memory", "walltime", "array", "dependency",
    "exit_code", "signal", "directory", "output", "error", "used_cpu", "used_memory",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Known:
    """What the database knows of a job, as little as a comparison needs."""

    id: uuid.UUID
    provider_id: str
    native_hash: str
    state: str
    version: int
    token: str
    array: str
    project_id: uuid.UUID | None
    owner_id: uuid.UUID | None
    is_accounted: bool
    ended: datetime.datetime | None
    missing_since: datetime.datetime | None
    seen_at: datetime.datetime | None


class Wish(NamedTuple):
    """Whose a job is that was asked for here."""

    token: str
    login: str
    project_id: uuid.UUID | None
    owner_id: uuid.UUID | None


class Told(NamedTuple):
    """What a scheduler said of a job, as text, and what is compared of it."""

    text: bytes
    digest: str


@dataclasses.dataclass(frozen=True)
class Reading:
    """What is known when the scheduler was asked, and what it said. Of what is as it was only the ids are here."""

    scheduler: Scheduler
    began: datetime.datetime
    seen: Mapping[str, types.Job]
    told: Mapping[str, Told]
    same: Collection[str]
    known: Mapping[str, Known]

    def absent(self) -> list[Known]:
        """Live jobs that a complete answer lacks, but for those we heard of after it was asked for."""
        return [
            row
            for key, row in self.known.items()
            if key not in self.seen and row.state not in ENDED and row.seen_at and row.seen_at < self.began
        ]

    def to_ask(self) -> list[str]:
        """The ids whose end accounting has to tell."""
        since = self.began - FRESH
        ended = [row for row in self.known.values() if row.ended and row.ended > since and not row.is_accounted]
        return [row.provider_id for row in (*self.absent(), *ended)][:MOST_ASKED]


def begin(scheduler: Scheduler, seen: Iterable[types.Job], began: datetime.datetime) -> Reading:
    jobs = {job.id: job for job in seen}
    told = {key: _told(job) for key, job in jobs.items()}
    same = _unchanged(scheduler, told)
    news = [key for key in jobs if key not in same]
    wanted = Q(state__in=LIVE) | Q(ended__gt=began - FRESH) | Q(provider_id__in=_listed(news))
    rows = Job.objects.filter(wanted, scheduler=scheduler).exclude(provider_id="")
    rows = rows.exclude(provider_id__in=_listed(same)) if same else rows
    return Reading(scheduler, began, jobs, told, same, _by_id(rows, jobs))


@transaction.atomic
def merge(reading: Reading, accounted: Iterable[types.Job]) -> tuple[int, int]:
    """Write what is new; answers how many jobs were seen and how many had changed.

    `accounted` is what accounting told of those that `to_ask` named.
    """
    ends = {job.id: job for job in accounted if job.id not in reading.seen or job.state in ENDED}
    jobs = {key: job for key, job in reading.seen.items() if key not in reading.same} | ends
    told = {key: _told(ends[key]) if key in ends else reading.told[key] for key in jobs}

    def news(known: Mapping[str, Known], keys: Iterable[str]) -> list[str]:
        return [key for key in keys if _is_news(known.get(key), told[key].digest, key in ends, reading.began)]

    fresh = news(reading.known, jobs)
    if fresh:
        wishes = _wishes(reading.scheduler, [jobs[key] for key in fresh])
        held = _held(reading.scheduler, [jobs[key] for key in fresh], wishes)
        fresh = news(held, fresh)
        _write(reading.scheduler, [jobs[key] for key in fresh], held, wishes, told, ends.keys())
    absent = [row for row in reading.absent() if row.provider_id not in ends]
    return len(reading.seen), len(fresh) + (_mark_absent(absent) if absent else 0)


def _unchanged(scheduler: Scheduler, told: Mapping[str, Told]) -> set[str]:
    """The ids of those that are as they were: the database compares, so that few rows come from it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT job.provider_id FROM hpc_job AS job
            JOIN unnest(string_to_array(%s, chr(10)), string_to_array(%s, chr(10))) AS told (id, digest)
                 ON told.id = job.provider_id AND told.digest = job.native_hash
            WHERE job.scheduler_id = %s AND job.missing_since IS NULL AND (job.ended IS NULL OR job.is_accounted)
            """,
            ["\n".join(told), "\n".join(each.digest for each in told.values()), scheduler.pk],
        )
        return {row[0] for row in cursor.fetchall()}


def _is_news(old: Known | None, digest: str, is_accounted: bool, began: datetime.datetime) -> bool:
    if old is None:
        return True
    if is_accounted and not old.is_accounted:
        return True
    newer = old.seen_at is not None and old.seen_at >= began  # an operation has asked meanwhile
    settled = old.is_accounted and old.state in ENDED
    return not newer and not settled and (old.native_hash != digest or old.missing_since is not None)


def _held(scheduler: Scheduler, jobs: list[types.Job], wishes: Mapping[str, Wish]) -> dict[str, Known]:
    """The rows that will be written, by the scheduler's id: locked, and as they are by now.

    Among them are wishes whose answer did not reach us, known by their token.
    """
    by_token = {job.token: job.id for job in reversed(jobs) if job.id in wishes}
    made = Q(provider_id__in=_listed([job.id for job in jobs]))
    wished = Q(provider_id="", token__in=_listed(by_token)) & ~Q(token="")
    rows = Job.objects.filter(made | wished, scheduler=scheduler).order_by("pk").select_for_update(no_key=True)
    return _by_id(rows, {job.id: job for job in jobs}, by_token)


def _by_id(rows: Any, seen: Mapping[str, types.Job], by_token: Mapping[str, str] | None = None) -> dict[str, Known]:
    """The newest row of each id. Schedulers count from the beginning again some day: then an ended one is another."""
    found = {}
    for row in _rows(rows.order_by("pk")):
        key = row.provider_id or (by_token or {})[row.token]
        job = seen.get(key)
        if not (job and job.submitted and row.ended and job.submitted > row.ended):
            found[key] = row
    return found


def _write(
    scheduler: Scheduler,
    jobs: list[types.Job],
    held: Mapping[str, Known],
    wishes: Mapping[str, Wish],
    told: Mapping[str, Told],
    accounted: Collection[str],
) -> None:
    clusters = placing.clusters_of(scheduler)
    people = placing.people_of(scheduler, {job.login for job in jobs}, {job.account for job in jobs})
    now = timezone.now().isoformat()
    rows, verbs, projects = [], {}, {}
    for job in jobs:
        old = held.get(job.id)
        whose = old or wishes.get(job.id)
        project = whose.project_id if whose else people.project(job.login, job.account)
        owner = whose.owner_id if whose else people.owner(job.login)
        row = {
            "scheduler": str(scheduler.pk),
            "cluster": str(clusters.of(job.queue)),
            "project": str(project) if project else None,
            "owner": str(owner) if owner else None,
            "is_accounted": job.id in accounted,
            "seen_at": now,
            "native": told[job.id].text.decode(),
            "native_hash": told[job.id].digest,
            **_facts(job, old),
        }
        rows.append(row)
        verbs[row["id"]] = "found" if old is None else "changed" if old.state == job.state else str(job.state)
        if project:
            projects[row["id"]] = project
    lifecycle.absorb(
        Job, rows, keep=OURS, topic=scheduler.topic, project_id=scheduler.event_project, verbs=verbs, projects=projects
    )


def _facts(job: types.Job, old: Known | None) -> dict[str, Any]:
    times = {name: value.isoformat() if (value := getattr(job, name)) else None for name in TIMES}
    return {
        "id": old.id if old else new_id(),
        "version": old.version + 1 if old else 1,
        "state": str(job.state),
        "state_reason": job.reason,
        "name": job.name[:255],
        "provider_id": job.id,
        "token": job.token,
        "script": "",
        "hosts": orjson.dumps(job.hosts).decode(),
        "missing_since": None,
        "created_at": times["submitted"] or timezone.now().isoformat(),
        **times,
        **{name: getattr(job, name) for name in SAME},
    }


def _wishes(scheduler: Scheduler, jobs: list[types.Job]) -> dict[str, Wish]:
    """By the scheduler's ids: what of this was asked for here; the tasks of an array are its owner's too.

    Tokens can be seen at a cluster, so one counts only on a job of the login that the wish was for.
    """
    tokens = {job.token for job in jobs if job.token}
    asked = Job.objects.filter(scheduler=scheduler, token__in=tokens).exclude(script="")  # wished for here
    known = {wish.token: wish for wish in map(Wish._make, asked.values_list(*Wish._fields))}
    return {job.id: known[job.token] for job in jobs if job.token in known and job.login == known[job.token].login}


def _mark_absent(absent: list[Known]) -> int:
    """Neither the scheduler nor accounting knows them: missing at first, lost after a grace period.

    A waiting array whose tasks have all begun ends with the last of them.
    """
    now = timezone.now()
    arrays = [row for row in absent if row.array]
    others = [row for row in absent if not row.array]
    fresh = [row.id for row in others if row.missing_since is None]
    lost = [row.id for row in others if row.missing_since and now - row.missing_since > GRACE]
    Job.objects.filter(pk__in=fresh).update(missing_since=now)
    if lost:
        reason = "The scheduler does not know it any more, and accounting does not tell how it ended."
        lifecycle.move_all(Job, lost, JobState.LOST, reason=reason, ended=now)
    return len(lost) + sum(_settle_array(row) for row in arrays)


def _settle_array(row: Known) -> int:
    """An array is what its tasks are: running while any of them lives, failed when any of them did."""
    array = Job.objects.only("scheduler_id", "created_at").get(pk=row.id)
    named = Job.objects.filter(scheduler=array.scheduler_id, provider_id__startswith=_task_ids(row.provider_id))
    tasks = named.exclude(pk=array.pk)
    states = list(tasks.filter(created_at__gte=array.created_at - SKEW).values_list("state", flat=True))
    if not states:
        return 0
    live = any(state not in ENDED for state in states)
    bad = next((state for state in states if state in ENDED and state != JobState.COMPLETED), JobState.COMPLETED)
    to = JobState.RUNNING if live else JobState(bad)
    if row.state == to:
        return 0
    times: dict[str, Any] = {} if live else {"ended": timezone.now(), "is_accounted": True}
    lifecycle.move_all(Job, [row.id], to, **times)
    return 1


def _task_ids(array: str) -> str:
    """How the ids of an array's tasks begin: `12_3` for `12`, `12[3].server` for `12[].server`."""
    stem, brackets, _ = array.partition("[]")
    return f"{stem}[" if brackets else f"{array}_"


def _listed(texts: Iterable[str]) -> RawSQL:
    """Many values as one parameter: thousands of placeholders take longer than the question itself."""
    return RawSQL("SELECT unnest(string_to_array(%s, chr(10)))", ("\n".join(texts),))


def _rows(jobs: Any) -> Iterable[Known]:
    names = [field.name for field in dataclasses.fields(Known)]
    return (Known(**dict(zip(names, row, strict=True))) for row in jobs.values_list(*names))


def _told(job: types.Job) -> Told:
    """State and reason are our reading of what it said: a driver that learns to read better changes them."""
    text = orjson.dumps(job.native, default=str)
    return Told(text, hashlib.blake2b(text + f"{job.state} {job.reason}".encode(), digest_size=16).hexdigest())
