"""What pages show beside clusters and jobs: how busy, how old, who one is there.

Each function takes a whole page of records and asks a constant number of questions, however many there are.
"""

import datetime
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from cloudmesh.types import ENDED, JobState
from hpc.models import LIVE, Cluster, Experiment, Identity, Job, Load, Login, Node, Queue, Scheduler, Sync
from operations.models import OPEN, CredentialState, Operation
from projects import access

RUNS = frozenset({JobState.STARTING, JobState.RUNNING, JobState.SUSPENDED, JobState.ENDING})
#: What no row of a list shows and would be most of what the database sends.
HEAVY = ("native", "native_hash", "script", "scheduler__credential", "scheduler__pending")
MOST_POINTS = 360  # of one chart
MOST_KNOWN = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """How much of something is taken; no limit is none that is known."""

    used: int
    limit: int | None


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """A cluster (its scheduler and project are loaded) and what is known around it."""

    cluster: Cluster
    seen_at: datetime.datetime | None  # when its jobs were last read
    queues: Sequence[Queue] = ()
    nodes: Mapping[str, int] = field(default_factory=dict)  # by state
    cores: int = 0
    cores_used: int = 0
    jobs: Mapping[str, int] = field(default_factory=dict)  # those that live, by state
    login: Login | None = None
    operation: Operation | None = None  # a verification that is not ended

    @property
    def age_seconds(self) -> int | None:
        return _age(self.seen_at)

    @property
    def running(self) -> int:
        return sum(count for state, count in self.jobs.items() if state in RUNS)

    @property
    def waiting(self) -> int:
        return sum(count for state, count in self.jobs.items() if state not in RUNS)


@dataclass(frozen=True, kw_only=True)
class QueueFacts:
    """A queue (its cluster is loaded) and the jobs in it that live."""

    queue: Queue
    running: int
    waiting: int


@dataclass(frozen=True, kw_only=True)
class JobFacts:
    """A job (as `light_jobs` loads it) and what is known around it."""

    job: Job
    seen_at: datetime.datetime | None  # when its scheduler last told of it
    operation: Operation | None = None  # that is not ended
    experiment: int | None = None  # its number, while its directory is there

    @property
    def age_seconds(self) -> int | None:
        return _age(self.seen_at)

    @property
    def elapsed_seconds(self) -> int | None:
        """How long it has run, until now or its end."""
        job = self.job
        return max(0, int(((job.ended or timezone.now()) - job.started).total_seconds())) if job.started else None


@dataclass(frozen=True, kw_only=True)
class Point:
    """How busy a cluster was at a moment."""

    at: datetime.datetime
    running: int
    waiting: int
    cores_used: int
    cores: int


def known_clusters(actor: User) -> list[Cluster]:
    """The clusters that `actor` sees, with schedulers and projects; asked once for an actor object."""
    known: list[Cluster] | None = actor.__dict__.get("_clusters")
    if known is None:
        seen = access.visible(Cluster, actor).select_related("scheduler__project")
        light = seen.defer("scheduler__credential", "scheduler__pending")
        known = actor.__dict__["_clusters"] = list(light.order_by("name", "pk")[:MOST_KNOWN])
    return known


def cluster_facts(clusters: Sequence[Cluster], *, actor: User) -> list[ClusterFacts]:
    """The facts of some clusters, with at most 6 questions to the database."""
    schedulers = {cluster.scheduler_id for cluster in clusters}
    read_at = read_times(schedulers)
    queues = _queues(clusters)
    nodes = _nodes(schedulers)
    jobs = _jobs(clusters)
    logins = {login.scheduler_id: login for login in Login.objects.filter(scheduler__in=schedulers, user=actor.pk)}
    live = live_operations(schedulers)
    facts = []
    for cluster in clusters:
        states, cores, used = _machines(nodes[cluster.scheduler_id], queues[cluster.pk])
        facts.append(
            ClusterFacts(
                cluster=cluster,
                seen_at=read_at.get(cluster.scheduler_id),
                queues=queues[cluster.pk],
                nodes=states,
                cores=cores,
                cores_used=used,
                jobs=jobs[cluster.pk],
                login=logins.get(cluster.scheduler_id),
                operation=live.get(cluster.scheduler_id),
            )
        )
    return facts


def read_times(scheduler_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime.datetime]:
    """When the jobs of each scheduler were last read."""
    read = Sync.objects.filter(scheduler__in=list(scheduler_ids), kind=Sync.Kind.JOBS, done_at__isnull=False)
    return {pk: done_at for pk, done_at in read.values_list("scheduler", "done_at") if done_at}


def live_operations(target_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Operation]:
    """For each target the newest operation that is not ended."""
    wishes = Operation.objects.filter(target_id__in=list(target_ids), state__in=OPEN).defer("params", "result")
    return {wish.target_id: wish for wish in wishes.order_by("created_at", "pk") if wish.target_id}


def light_jobs(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """For lists: with what their rows name, without what no row shows."""
    return jobs.select_related("scheduler", "cluster", "project", "owner").defer(*HEAVY)


def queue_loads(queues: Iterable[Queue]) -> dict[tuple[uuid.UUID, str], Counter[str]]:
    """(cluster, name of the queue) → how many jobs that live are in which state."""
    clusters = {queue.cluster_id for queue in queues}
    live = Job.objects.filter(cluster__in=clusters, state__in=LIVE).order_by()
    found: dict[tuple[uuid.UUID, str], Counter[str]] = defaultdict(Counter)
    for cluster, queue, state, count in live.values_list("cluster", "queue", "state").annotate(Count("pk")):
        found[cluster, queue]["running" if state in RUNS else "waiting"] += count
    return found


def queue_facts(queues: Sequence[Queue]) -> list[QueueFacts]:
    """The facts of some queues, with one question to the database."""
    loads = queue_loads(queues)
    tallies = [(queue, loads[queue.cluster_id, queue.name]) for queue in queues]
    return [QueueFacts(queue=queue, running=tally["running"], waiting=tally["waiting"]) for queue, tally in tallies]


def job_facts(jobs: Sequence[Job]) -> list[JobFacts]:
    """The facts of some jobs, with 3 questions to the database."""
    live = live_operations(job.pk for job in jobs)
    read_at = read_times({job.scheduler_id for job in jobs})
    kept = Experiment.objects.filter(job__in=jobs, removed_at=None)
    numbers = dict(kept.values_list("job", "number"))
    return [
        JobFacts(
            job=job,
            seen_at=job.seen_at if job.missing_since else read_at.get(job.scheduler_id),
            operation=live.get(job.pk),
            experiment=numbers.get(job.pk),
        )
        for job in jobs
    ]


def nodes_of(cluster: Cluster, queues: Iterable[Queue]) -> QuerySet[Node]:
    """The nodes that run jobs of these queues; those of no queue are with the cluster that has the rest."""
    names = [queue.name for queue in queues]
    mine = Q(queues__has_any_keys=names) if names else Q(pk=None)
    return Node.objects.filter(mine if cluster.chosen else mine | Q(queues=[]), scheduler=cluster.scheduler_id)


def loads(cluster: Cluster, *, since: datetime.datetime) -> list[Point]:
    """How busy a cluster was, as many points as a chart can show; three questions.

    Queues share nodes, so a cluster never had more cores than its nodes have together.
    """
    most = nodes_of(cluster, cluster.queues.only("name")).aggregate(Sum("cores"))["cores__sum"] or 0
    sums = (
        Load.objects.filter(queue__cluster=cluster, at__gte=since)
        .order_by("at")
        .values_list("at")
        .annotate(Sum("running"), Sum("waiting"), Sum("cores_used"), Sum("cores"))
    )
    points = [
        Point(at=at, running=r, waiting=w, cores_used=used, cores=min(cores, most or cores))
        for at, r, w, used, cores in sums
    ]
    step = len(points) // MOST_POINTS + 1
    return points[::-1][::step][::-1]  # the newest is always one of them


def who(scheduler: Scheduler, login: Login | None, actor: User) -> str:
    """As whom `actor`'s jobs would run there; empty where they have to say so first."""
    if scheduler.identity == Identity.ONE:
        return str(scheduler.facts.get("login") or scheduler.facts.get("username") or "one login for all")
    if login is not None:
        return login.name if login.is_mapped or login.state == CredentialState.ACTIVE else ""
    return actor.username if scheduler.identity == Identity.MAPPED else ""


def _age(seen_at: datetime.datetime | None) -> int | None:
    return max(0, int((timezone.now() - seen_at).total_seconds())) if seen_at else None


def is_live(job: Job) -> bool:
    return job.state not in ENDED


def _queues(clusters: Sequence[Cluster]) -> dict[uuid.UUID, list[Queue]]:
    found: dict[uuid.UUID, list[Queue]] = defaultdict(list)
    for queue in Queue.objects.filter(cluster__in=clusters).defer("native").order_by("-is_default", "name"):
        found[queue.cluster_id].append(queue)
    return found


Row = tuple[list[str], str, int, int, int]


def _nodes(scheduler_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Row]]:
    """Of each scheduler: queues, state, how many nodes, their cores and how many of these are used."""
    found: dict[uuid.UUID, list[Row]] = defaultdict(list)
    nodes = Node.objects.filter(scheduler__in=list(scheduler_ids)).order_by()
    groups = nodes.values_list("scheduler", "queues", "state")
    for scheduler, *row in groups.annotate(Count("pk"), Sum("cores"), Sum("cores_used")):
        found[scheduler].append((row[0], row[1], row[2], row[3], row[4]))
    return found


def _machines(rows: Iterable[Row], queues: Iterable[Queue]) -> tuple[Counter[str], int, int]:
    """Nodes by state, their cores and how many are used; a node that several queues share counts once."""
    names, states, all_cores, used = {queue.name for queue in queues}, Counter[str](), 0, 0
    for places, state, count, cores, cores_used in rows:
        if names.intersection(places):
            states[state] += count
            all_cores, used = all_cores + cores, used + cores_used
    return states, all_cores, used


def _jobs(clusters: Sequence[Cluster]) -> dict[uuid.UUID, Counter[str]]:
    found: dict[uuid.UUID, Counter[str]] = defaultdict(Counter)
    live = Job.objects.filter(cluster__in=clusters, state__in=LIVE).order_by()
    for cluster, state, count in live.values_list("cluster", "state").annotate(Count("pk")):
        found[cluster][state] = count
    return found
