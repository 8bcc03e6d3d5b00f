"""Jobs of all clusters in one table, and a page for each."""

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from activity.models import Event
from activity.views import SIGNED, needs
from cloudmesh.errors import NotFound
from cloudmesh.types import JobState
from hpc import services
from hpc.models import LIVE, Cluster, Experiment, Job, Queue
from hpc.views.clusters import cluster_cards, seen_cluster
from operations.models import Operation
from operations.views import accepted
from projects import access
from projects.views import Filter, Listing, Signed, dress, owner_filter, project_filter

RECENT = 20
READINGS = ("job.read", "job.files")
MOST_QUEUES = 200
NOT_ENDED, ENDED = "live", "ended"
#: What can be done to a job → its words on a button, and while it is done.
LABELS: Mapping[str, tuple[str, str]] = {
    "hold": ("Hold", "Holding"),
    "release": ("Release", "Releasing"),
    "cancel": ("Cancel", "Cancelling"),
}


@needs(SIGNED)
class JobList(Listing):
    model = Job
    template_name = "hpc/job_list.html"
    name = "jobs"
    words = ("name", "provider_id", "login", "queue")
    orders = {
        "name": ["name"],
        "state": ["state"],
        "owner": ["login"],
        "queue": ["queue"],
        "cluster": ["cluster__name"],
        "cores": ["cores"],
        "nodes": ["nodes"],
        "walltime": ["walltime"],
        "submitted": ["submitted"],
        "started": ["started"],
    }
    usual = ("-created_at", "-pk")

    def filters(self) -> Iterable[Filter]:
        me = self.request.user
        yield owner_filter(me)
        yield Filter(name="state", label="State", choices=_states(), where=_in_state)
        yield from self.places()
        yield project_filter(me)

    def places(self) -> Iterable[Filter]:
        names = sorted({cluster.name for cluster in services.known_clusters(self.request.user)})
        choices = [(name, name) for name in names]
        yield Filter(name="cluster", label="Cluster", choices=choices, where=lambda name: Q(cluster__name=name))
        yield queue_filter(access.visible(Queue, self.request.user))

    def records(self) -> QuerySet[Any]:
        return services.light_jobs(super().records())

    def rows(self, records: list[Any]) -> list[Any]:
        return shown(self.request.user, records)

    def context(self) -> dict[str, Any]:
        return {"clusters": services.known_clusters(self.request.user)}


@needs(SIGNED)
class ClusterJobs(JobList):
    """The jobs of one cluster, in its tab."""

    template_name = "hpc/cluster_jobs.html"
    cluster: Cluster

    def get(self, request: Signed, pk: uuid.UUID | None = None) -> HttpResponse:
        self.cluster = seen_cluster(request.user, pk)
        return super().get(request)

    def places(self) -> Iterable[Filter]:
        yield queue_filter(Queue.objects.filter(cluster=self.cluster))

    def records(self) -> QuerySet[Any]:
        return super().records().filter(cluster=self.cluster)

    def context(self) -> dict[str, Any]:
        cards = cluster_cards(self.request.user, [self.cluster])
        return super().context() | {"cluster": cards[0], "tab": "jobs"}


@needs(SIGNED)
@require_safe
def job_row(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """One row to be read again; nothing when there is none any more."""
    job = services.light_jobs(access.visible(Job, request.user)).filter(pk=pk).first()
    if job is None:
        return HttpResponse(status=204)
    return render(request, "hpc/_job_row.html", {"job": shown(request.user, [job])[0]})


@needs(SIGNED)
@require_safe
def job_detail(request: Signed, pk: uuid.UUID) -> HttpResponse:
    job = seen_job(request.user, pk)
    operations = access.visible(Operation, request.user).filter(target_id=job.pk).exclude(kind__in=READINGS)
    experiment = Experiment.objects.filter(job=job, removed_at=None).first()
    context = {
        "job": shown(request.user, [job])[0],
        "native": job.native,
        "may_read": may_read(request.user, job),
        "files": _files(job, experiment),
        "experiment": experiment,
        "operations": operations.defer("params", "result").order_by("-pk")[:RECENT],
        "events": access.visible(Event, request.user).filter(object_id=job.pk).order_by("-pk")[:RECENT],
    }
    return render(request, "hpc/job_detail.html", context)


@needs("job.change")
@require_POST
def job_action(request: Signed, pk: uuid.UUID, action: str) -> HttpResponse:
    """Ask for one action on one job."""
    jobs = services.find_jobs(actor=request.user, names=[str(pk)], permission="job.change")
    operation = services.change_jobs(actor=request.user, jobs=jobs, action=action)
    return accepted(
        request,
        operation,
        f"{LABELS[action][1]} {operation.target_name}",
        back=reverse("hpc:job-detail", args=[pk]),
        detail=f"at {jobs[0].cluster}",
    )


@needs(SIGNED)
@require_POST
def job_bulk(request: Signed) -> HttpResponse:
    """Ask for one action on all ticked jobs."""
    action, chosen = request.POST.get("action", ""), request.POST.getlist("jobs")
    jobs = services.find_jobs(actor=request.user, names=chosen, permission="job.change")
    operation = services.change_jobs(actor=request.user, jobs=jobs, action=action)
    title = f"{LABELS[action][1]} {operation.target_name}"
    return accepted(request, operation, title, back=reverse("hpc:job-list"), detail="Asked for.")


def seen_job(actor: User, pk: uuid.UUID) -> Job:
    """The job of this id with all that is known of it. Raises NotFound."""
    seen = access.visible(Job, actor).select_related("scheduler", "cluster", "project", "owner")
    job = seen.defer("scheduler__credential", "scheduler__pending").filter(pk=pk).first()
    if job is None:
        raise NotFound(f"There is no job {pk}, or none that you may see.")
    return job


def queue_filter(queues: QuerySet[Queue]) -> Filter:
    names = queues.order_by("name").values_list("name", flat=True).distinct()[:MOST_QUEUES]
    return Filter(name="queue", label="Queue", choices=[(name, name) for name in names], where=lambda n: Q(queue=n))


def shown(actor: User, jobs: Sequence[Job]) -> list[Any]:
    """Jobs with the times, ages, progress and actions that their rows show; two questions."""
    live = services.live_operations(job.pk for job in jobs)
    read_at = services.read_times({job.scheduler_id for job in jobs})
    now = timezone.now()
    return [
        dress(
            job,
            used=_elapsed(job, now),
            operation=live.get(job.pk),
            seen_at=read_at.get(job.scheduler_id) if not job.missing_since else job.seen_at,
            actions=actions(actor, job),
            at=f"{job.provider_id or 'not submitted yet'}",
        )
        for job in jobs
    ]


def actions(actor: User, job: Job) -> list[dict[str, str]]:
    """What can be done to a job; `reason` says why not, where it cannot be done just now."""
    able = {each["name"]: each["reason"] for each in services.job_abilities(job)}
    not_mine = "" if job.is_ended else why_not(actor, "job.change", job)
    return [
        {"name": name, "label": label, "reason": able[name] or not_mine}
        for name, (label, _) in LABELS.items()
        if name != "release" or job.state == JobState.HELD
        if name != "hold" or job.state != JobState.HELD
    ]


def may_read(actor: User, job: Job) -> bool:
    return not why_not(actor, "job.read", job)


def why_not(actor: User, permission: str, job: Job) -> str:
    """Why `actor` may not do this with a job, as a sentence; one of no project is its owner's."""
    if job.project:
        return access.why_not(actor, permission, job.project, owner_id=job.owner_id)
    return "" if job.owner_id == actor.pk else f"It is {job.login or 'somebody'}'s, and was not submitted here."


def _files(job: Job, experiment: Experiment | None) -> list[tuple[str, str]]:
    """What of a job can be looked at; where errors go to its output there is one file."""
    errors = [("error", "Errors")] if experiment or (job.error and job.error != job.output) else []
    return [("output", "Output"), *errors, *([("script", "Script")] if job.script else [])]


def _elapsed(job: Job, now: datetime.datetime) -> int | None:
    """Seconds it has run, until now or its end."""
    return max(0, int(((job.ended or now) - job.started).total_seconds())) if job.started else None


def _states() -> list[tuple[str, str]]:
    return [(NOT_ENDED, "not ended"), (ENDED, "ended"), *((state.value, state.value) for state in JobState)]


def _in_state(state: str) -> Q:
    live = Q(state__in=LIVE)
    return {NOT_ENDED: live, ENDED: ~live}.get(state, Q(state=state))
