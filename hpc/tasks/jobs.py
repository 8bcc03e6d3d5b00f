"""What is done to jobs. A handler asks once and says what it learned; it never waits for a job.

A submission first looks for its token wherever it may have been asked for before, so no job is submitted twice.
"""

import base64
import datetime
import posixpath

from django.db import transaction
from django.utils import timezone

from activity import lifecycle
from cloudmesh.errors import Gone
from cloudmesh.types import ENDED, JobSpec, JobState
from hpc.drivers import Entry, HpcDriver
from hpc.models import Cluster, Experiment, Input, Job, Login
from hpc.sync import connect, schedule
from hpc.tasks import files
from operations import engine
from operations.engine import Done, Outcome, handles
from operations.models import Operation, OperationState

MINUTES = datetime.timedelta(minutes=1)
MOST_ENTRIES = 2000


def job_of(operation: Operation) -> Job:
    job = (
        Job.objects.select_related("scheduler", "cluster", "project", "owner")
        .filter(pk=str(operation.target_id))
        .first()
    )
    if job is None:
        raise Gone("The job's record was removed together with its scheduler.")
    return job


def login_of(operation: Operation, job: Job) -> Login | None:
    """Who acts at the scheduler: whoever wishes, not whoever has the job."""
    return Login.objects.filter(scheduler=job.scheduler, user=operation.owner).first()


# -- submit ----------------------------------------------------------------------------------------------------


def _undo_submit(operation: Operation) -> Outcome:
    """The job is not wanted any more: cancel what may have been submitted."""
    job = job_of(operation)
    with connect.acting(job.scheduler, login_of(operation, job)) as driver:
        made = job.provider_id or driver.find(job.token)
        if made:
            driver.cancel(made)
    _never(job, JobState.CANCELLED, "It was cancelled before it was submitted.", made)
    schedule.hurry(job.scheduler)
    return Done(step="cancelled")


def _submit_ended(operation: Operation, reason: str) -> None:
    """What was not submitted leaves a record that its owner can read and try again."""
    job = job_of(operation)
    failed = operation.state == OperationState.FAILED
    _never(job, JobState.FAILED if failed else JobState.CANCELLED, reason, job.provider_id)


def _never(job: Job, state: JobState, reason: str, made: str) -> None:
    if state == JobState.CANCELLED:  # one that failed may be tried again
        Input.objects.filter(job=job).delete()
    if not made and job.state not in ENDED:
        lifecycle.transition(job, state, reason=reason, is_accounted=True)


def _submit_again(operation: Operation) -> None:
    job = job_of(operation)
    if not job.provider_id:
        lifecycle.transition(job, JobState.REQUESTED, is_accounted=False)


@handles("job.submit", deadline=15 * MINUTES, cancel=_undo_submit, ended=_submit_ended, again=_submit_again)
def submit_job(operation: Operation) -> Outcome:
    """Have exactly one job for this wish: adopt the one that carries its token, else submit it."""
    job = job_of(operation)
    login = login_of(operation, job)
    with connect.acting(job.scheduler, login) as driver:
        made = job.provider_id or (driver.find(job.token) if operation.attempts > 1 else "")
        if not made:
            spec = files.prepared(driver, job, _spec(operation, job))
            engine.confirm(operation)
            made = driver.submit(spec, token=job.token)
    with transaction.atomic():
        engine.confirm(operation)
        _submitted(job, made, connect.acts_as(job.scheduler, login))
        Input.objects.filter(job=job).delete()  # they are where it runs
    schedule.hurry(job.scheduler)
    schedule.ring(job.scheduler)
    return Done(step=f"submitted to {job.cluster} as {made}", result={"id": made})


def _submitted(job: Job, made: str, login: str) -> None:
    """A reading may have met it meanwhile, and know more; one that begins now and does not meet it has to ask why."""
    job.refresh_from_db(fields=["state", "provider_id"])
    if job.provider_id:
        return
    state = JobState.HELD if job.state == JobState.HELD else JobState.QUEUED
    lifecycle.transition(
        job, state, verb="submitted", provider_id=made, login=login, directory=job.directory, output=job.output,
        error=job.error, seen_at=timezone.now(),
    )  # fmt: skip


def _spec(operation: Operation, job: Job) -> JobSpec:
    params = operation.params
    return JobSpec(
        name=job.name,
        script=job.script,
        queue=job.queue,
        account=job.account,
        qos=job.qos,
        nodes=job.nodes,
        tasks=job.tasks,
        cores=int(params.get("cores", 1)),
        gpus=int(params.get("gpus", 0)),
        memory=int(params.get("memory", 0)),
        walltime=job.walltime,
        array=job.array,
        after=tuple(params.get("after", ())),
        is_held=bool(params.get("is_held")),
        directory=job.directory,
        output=job.output,
        error=job.error,
    )


@handles("job.forecast", deadline=MINUTES)
def forecast_job(operation: Operation) -> Outcome:
    """What would become of a job; nothing is submitted."""
    cluster: Cluster | None = operation.target  # type: ignore[assignment]
    if cluster is None:
        raise Gone("The cluster was removed meanwhile.")
    spec = JobSpec(**{**operation.params["spec"], "after": tuple(operation.params["spec"].get("after", ()))})
    login = Login.objects.filter(scheduler=cluster.scheduler, user=operation.owner).first()
    with connect.acting(cluster.scheduler, login) as driver:
        seen = driver.forecast(spec)
    start = seen.start.isoformat() if seen.start else None
    return Done(step="told", result={"start": start, "hosts": list(seen.hosts), "text": seen.text})


# -- change ----------------------------------------------------------------------------------------------------


def _act(operation: Operation, action: str) -> Outcome:
    job = job_of(operation)
    with connect.acting(job.scheduler, login_of(operation, job)) as driver:
        _do(driver, job, action)
    schedule.hurry(job.scheduler)
    schedule.ring(job.scheduler)
    return Done(step=f"{action} asked of {job.cluster}")


def _do(driver: HpcDriver, job: Job, action: str) -> None:
    made = job.provider_id or driver.find(job.token)
    if not made:
        raise Gone(f"{job.cluster} has not heard of {job}.")
    {"cancel": driver.cancel, "hold": driver.hold, "release": driver.release}[action](made)


@handles("job.cancel", deadline=15 * MINUTES)
def cancel_job(operation: Operation) -> Outcome:
    return _act(operation, "cancel")


@handles("job.hold", deadline=15 * MINUTES)
def hold_job(operation: Operation) -> Outcome:
    return _act(operation, "hold")


@handles("job.release", deadline=15 * MINUTES)
def release_job(operation: Operation) -> Outcome:
    return _act(operation, "release")


# -- read ------------------------------------------------------------------------------------------------------


@handles("job.read", deadline=MINUTES)
def read_file(operation: Operation) -> Outcome:
    """A part of what a job wrote."""
    job, params = job_of(operation), operation.params
    where = {"which": str(params["which"]), "path": str(params.get("path", ""))}
    with connect.acting(job.scheduler, login_of(operation, job)) as driver:
        part = files.read(driver, job, **where, offset=int(params["offset"]), most=int(params["most"]))
    place = {"offset": part.offset, "next": part.offset + len(part.data), "size": part.size}
    return Done(step="read", result={**_content(part.data, is_raw=bool(params.get("is_raw"))), **place})


def _content(data: bytes, *, is_raw: bool) -> dict[str, str]:
    if is_raw:
        return {"data": base64.b64encode(data).decode()}
    return {"text": data.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")}  # PostgreSQL has no NUL


@handles("job.files", deadline=MINUTES)
def list_files(operation: Operation) -> Outcome:
    """What is in the directory of a job's experiment."""
    job, path = job_of(operation), str(operation.params["path"])
    with connect.acting(job.scheduler, login_of(operation, job)) as driver:
        entries = files.listed(driver, job, path)
    return Done(step="listed", result={"files": [_entry(path, entry) for entry in entries[:MOST_ENTRIES]]})


def _entry(above: str, entry: Entry) -> dict[str, str | int]:
    name = entry.name.encode(errors="surrogateescape").decode(errors="replace")
    path = posixpath.join(above, name)
    return {"path": path, "kind": entry.kind, "size": entry.size, "modified": entry.modified.isoformat()}


@handles("experiment.remove", deadline=5 * MINUTES)
def remove_experiment(operation: Operation) -> Outcome:
    experiment = (
        Experiment.objects.select_related("job__scheduler", "owner").filter(pk=str(operation.target_id)).first()
    )
    if experiment is None:
        raise Gone("The experiment was removed together with its scheduler.")
    scheduler = experiment.job.scheduler
    with connect.acting(scheduler, Login.objects.filter(scheduler=scheduler, user=experiment.owner).first()) as driver:
        files.remove(driver, experiment)
    Experiment.objects.filter(pk=experiment.pk).update(removed_at=timezone.now())
    return Done(step="removed")
