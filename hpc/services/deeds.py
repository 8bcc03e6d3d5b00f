"""Promises about jobs that there are: finding them, changing them, reading what they write."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q

from accounts.models import User
from cloudmesh.errors import Ambiguous, Conflict, Invalid, NotAllowed, near
from cloudmesh.types import ENDED, JobState, Json
from hpc.models import LIVE, Cluster, Job
from hpc.services import experiments
from hpc.sync import connect
from operations import services as operations
from operations.models import Operation, Patience
from projects import access
from projects.access import naming
from projects.models import Project

MOST_READ = 2**20  # bytes of a file at once
FILES = ("output", "error", "script")
LONGEST_PATH = 4000
#: Action → the ability that its driver needs, the states it makes sense in.
ACTIONS: Mapping[str, frozenset[JobState]] = {
    "cancel": frozenset(JobState) - ENDED,
    "hold": frozenset({JobState.QUEUED}),
    "release": frozenset({JobState.HELD}),
}


def change_jobs(*, actor: User, jobs: Sequence[Job], action: str) -> Operation:
    """Cancel, hold or release jobs. Raises NotAllowed, Conflict, Invalid."""
    if action not in ACTIONS:
        raise Invalid(f"There is no action {action[:40]!r}; there are: {', '.join(ACTIONS)}.", field="action")
    if not jobs:
        raise Invalid("Choose the jobs to change; none is named.", field="jobs")
    for job in jobs:
        _require_own(actor, job)
        if reason := why_not(job, action):
            raise Conflict(reason, state=job.state)
    projects = {job.project for job in jobs if job.project}
    if len(projects) > 1:
        raise Invalid("Choose jobs of one project at a time.", field="jobs")
    return operations.request(
        f"job.{action}",
        targets=list(jobs),
        project=next(iter(projects), None) or access.default_project(actor),
        actor=actor,
        lanes=[job.scheduler.lane for job in jobs],
    )


def read_job_file(
    *,
    actor: User,
    job: Job,
    which: str = "output",
    path: str = "",
    offset: int = 0,
    most: int = 65_536,
    is_raw: bool = False,
) -> Operation:
    """Ask for a part of what a job wrote, or of the file at `path` in the directory of its experiment.

    A negative offset counts from the end; raw is as base64. Raises NotAllowed, Invalid, Conflict.
    """
    if not path and which not in FILES:
        raise Invalid(f"There is {', '.join(FILES)}, not {which[:40]!r}.{near(which, FILES)}", field="which")
    if not 1 <= most <= MOST_READ:
        raise Invalid(f"most is between 1 and {MOST_READ} bytes, not {most}.", field="most")
    params = {"which": which, "path": _below(job, path), "offset": offset, "most": most, "is_raw": is_raw}
    return _look(actor, job, "job.read", params)


def list_job_files(*, actor: User, job: Job, path: str = "") -> Operation:
    """Ask what is in the directory of a job's experiment, or in one below it. Raises NotAllowed, Invalid, Conflict."""
    return _look(actor, job, "job.files", {"path": _below(job, path, is_list=True)})


def _look(actor: User, job: Job, kind: str, params: Mapping[str, Any]) -> Operation:
    _require_own(actor, job, permission="job.read")
    if not job.provider_id:
        raise Conflict(f"{job} is not at its cluster yet; it has written nothing.", state=job.state)
    return operations.request(
        kind,
        targets=[job],
        project=job.project or access.default_project(actor),
        actor=actor,
        lanes=[job.scheduler.lane],
        params=params,
        patience=Patience.FAIL,
    )


def _below(job: Job, path: str, *, is_list: bool = False) -> str:
    """A path in the directory of a job's experiment. Raises Invalid, Conflict."""
    if ".." in path.split("/") or path.startswith("/") or "\0" in path or len(path) > LONGEST_PATH:
        raise Invalid(f"{path[:60]!r} leads out of the directory of {job}; name the way down.", field="path")
    if (path or is_list) and not experiments.has_directory(job):
        raise Conflict(f"{job} has no directory of its own; it was not made as an experiment, or that was removed.")
    return path


def find_jobs(
    *,
    actor: User,
    names: Sequence[str],
    permission: str,
    cluster: Cluster | None = None,
    project: Project | None = None,
) -> list[Job]:
    """The jobs that ids (ours or the scheduler's), names, hostlists and globs mean; names are those of live ones.

    Raises NotFound, Ambiguous, NotAllowed.
    """
    seen = access.visible(Job, actor).select_related("scheduler", "cluster", "project")
    seen = seen.filter(cluster=cluster) if cluster else seen
    seen = seen.filter(project=project) if project else seen
    by_id = _numbered(seen.filter(provider_id__in=names).order_by("created_at"))
    others = [name for name in names if name not in by_id]
    named = seen.filter(Q(project__isnull=False) | Q(owner=actor.pk), state__in=LIVE)  # not what merely runs beside
    live = named | seen.filter(pk__in=[name for name in others if naming.ID.fullmatch(name)])
    found = [*by_id.values(), *(naming.find(live, others, kind="job") if others else [])]
    for job in found:
        _require_own(actor, job, permission=permission)
    return found


def find_job(*, actor: User, name: str, cluster: Cluster | None = None) -> Job:
    """The job that `actor` sees of this id (ours or the scheduler's), or the live one of this name.

    Raises NotFound, Ambiguous.
    """
    seen = access.visible(Job, actor).select_related("scheduler", "cluster", "project", "owner")
    seen = seen.filter(cluster=cluster) if cluster else seen
    if naming.ID.fullmatch(name):
        return access.first_named(seen, name, kind="job")
    by_id = _numbered(seen.filter(provider_id=name).order_by("created_at"))
    return by_id.get(name) or access.first_named(seen.filter(state__in=LIVE), name, kind="job")


def _numbered(jobs: Iterable[Job]) -> dict[str, Job]:
    """By the scheduler's id, the newest: schedulers begin again with 1. Raises Ambiguous where several have one."""
    found: dict[str, Job] = {}
    for job in jobs:
        other = found.setdefault(job.provider_id, job)
        if other.scheduler_id != job.scheduler_id:
            places = " and ".join(sorted((str(other.cluster), str(job.cluster))))
            raise Ambiguous(
                f"There is a job {job.provider_id} at {places}. Say which cluster is meant, or use the portal's id.",
                name=job.provider_id,
            )
        found[job.provider_id] = job
    return found


def job_abilities(job: Job) -> list[Json]:
    """Each action with whether it can be done now and, if not, why not."""
    reasons = {action: why_not(job, action) for action in ACTIONS}
    return [{"name": name, "able": not reason, "reason": reason} for name, reason in reasons.items()]


def why_not(job: Job, action: str) -> str:
    """Why an action cannot be done to a job now, as a sentence; empty when it can."""
    if job.state not in ACTIONS[action]:
        return f"{job} is {job.state}; {action} needs it to be {' or '.join(sorted(ACTIONS[action]))}."
    return connect.drivers.named(job.scheduler.driver).abilities.reason(action)


def may(*, actor: User, job: Job, permission: str) -> bool:
    """Whether `actor` may do something with a job that they see."""
    try:
        _require_own(actor, job, permission=permission)
    except NotAllowed:
        return False
    return True


def _require_own(actor: User, job: Job, *, permission: str = "job.change") -> None:
    """Jobs of no project are their owner's, known by the login, and nobody else's here."""
    if job.project:
        access.require(actor, permission, job.project, owner_id=job.owner_id)
    elif job.owner_id != actor.pk:
        raise NotAllowed(f"{job} was not submitted here; it is {job.login or 'somebody'}'s at {job.cluster}.")
