"""What a job wrote, read through operations, part by part: nothing here waits for a cluster."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from activity.views import needs
from cloudmesh.errors import CloudmeshError, Invalid
from hpc import services
from hpc.models import Job
from hpc.views.jobs import may_read, seen_job
from operations import services as operations
from operations.models import Operation, OperationState
from projects import access
from projects.views import Signed

FORGOTTEN = "What was read is kept for an hour, for whoever asked."
FIRST = 65_536  # bytes from the end that are shown at first


@needs("job.read")
@require_POST
def job_read(request: Signed, pk: uuid.UUID, which: str) -> HttpResponse:
    """Ask for the next part; answers the place where it will be."""
    [job] = services.find_jobs(actor=request.user, names=[str(pk)], permission="job.read")
    offset = _number(request.POST.get("offset", str(-FIRST)))
    try:
        operation = services.read_job_file(actor=request.user, job=job, which=which, offset=offset, most=FIRST)
    except CloudmeshError as error:
        return render(request, "hpc/_output_tail.html", _tail(job, which, offset, problem=error.message))
    return render(request, "hpc/_output_tail.html", _tail(job, which, offset, operation=operation, is_new=True))


@needs("job.read")
@require_safe
def job_part(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """The part that an operation read, once it has, and the place where the next one will be."""
    operation = access.fetch(Operation, pk, actor=request.user, permission="operation.view")
    if operation.kind != "job.read" or operation.target_id is None:
        raise Invalid("That operation reads no job's file.", field="operation")
    job, which = seen_job(request.user, operation.target_id), str(operation.params["which"])
    offset = int(operation.params["offset"])
    if not may_read(request.user, job):
        return HttpResponse(status=403)
    if operation.is_open:
        return render(request, "hpc/_output_tail.html", _tail(job, which, offset, operation=operation))
    if operation.state != OperationState.SUCCEEDED:
        return render(request, "hpc/_output_tail.html", _tail(job, which, offset, problem=operation.state_reason))
    part = operations.result_of(operation, actor=request.user)
    if not part:
        return render(request, "hpc/_output_tail.html", _tail(job, which, offset, problem=FORGOTTEN))
    after = {**_tail(job, which, int(part["next"])), "has_more": part["next"] < part["size"]}
    return render(request, "hpc/_output_part.html", {**after, "part": part, "is_first": offset < 0})


def _tail(
    job: Job, which: str, offset: int, *, operation: Operation | None = None, problem: str = "", is_new: bool = False
) -> dict[str, Any]:
    """A new one reads itself again once: its operation may have ended before the page could hear of it."""
    return {
        "job": job, "which": which, "offset": offset, "operation": operation, "problem": problem, "is_new": is_new
    }  # fmt: skip


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Invalid(f"offset is a whole number of bytes, not {text[:40]!r}.", field="offset") from None
