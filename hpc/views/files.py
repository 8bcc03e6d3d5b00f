"""The files of a job's directory: what there is, and any of them brought here, part by part, by operations."""

import base64
import posixpath
import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from activity.views import needs
from cloudmesh.errors import CloudmeshError, Invalid, NotAllowed
from hpc import services
from hpc.models import Job
from hpc.views.jobs import may_read, seen_job
from operations import services as operations
from operations.models import Operation, OperationState
from projects import access
from projects.views import Signed

PART = 2**20  # bytes
MOST_PARTS = 16


@needs("job.read")
@require_POST
def job_files(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """Ask what is in the directory, or in one below it; answers the place where it will be told."""
    [job] = services.find_jobs(actor=request.user, names=[str(pk)], permission="job.read")
    path = request.POST.get("path", "")
    try:
        wish = services.list_job_files(actor=request.user, job=job, path=path)
    except CloudmeshError as error:
        return render(request, "hpc/_files.html", {"job": job, "path": path, "problem": error.message})
    return render(request, "hpc/_files.html", {"job": job, "path": path, "operation": wish, "is_new": True})


@needs("job.read")
@require_safe
def job_listing(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """What there is, once it is known."""
    wish, job = _asked(request, pk, "job.files")
    path = str(wish.params["path"])
    told = operations.result_of(wish, actor=request.user)
    context = {
        "job": job,
        "path": path,
        "above": posixpath.dirname(path),
        "operation": wish if wish.is_open else None,
        "problem": _problem(wish),
        "files": [{**each, "name": posixpath.basename(each["path"])} for each in told.get("files", [])],
    }
    return render(request, "hpc/_files.html", context)


@needs("job.read")
@require_POST
def job_fetch(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """Ask for a file, or for its next part after those that are here."""
    [job] = services.find_jobs(actor=request.user, names=[str(pk)], permission="job.read")
    path, parts = request.POST.get("path", ""), _parts(request.POST.get("parts", ""))
    context: dict[str, Any] = {"job": job, "path": path, "parts": parts}
    try:
        wish = services.read_job_file(
            actor=request.user, job=job, path=path, offset=len(parts) * PART, most=PART, is_raw=True
        )
    except CloudmeshError as error:
        return render(request, "hpc/_fetched.html", {**context, "problem": error.message})
    return render(request, "hpc/_fetched.html", {**context, "operation": wish, "is_new": True})


@needs("job.read")
@require_safe
def job_fetched(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """How far a file is: asked for, partly here, or to be saved."""
    wish, job = _asked(request, pk, "job.read")
    parts = _parts(request.GET.get("parts", ""))
    context: dict[str, Any] = {"job": job, "path": str(wish.params["path"]), "parts": parts}
    if wish.is_open:
        return render(request, "hpc/_fetched.html", {**context, "operation": wish})
    told = operations.result_of(wish, actor=request.user)
    context |= {"problem": _problem(wish), "parts": [*parts, wish.pk], "size": told.get("size", 0)}
    if told and told["next"] < told["size"]:
        context["lacks"] = told["size"] - told["next"]
        if len(context["parts"]) >= MOST_PARTS:
            context["problem"] = f"Larger than {MOST_PARTS} MiB: copy it with scp or rsync."
    return render(request, "hpc/_fetched.html", context)


@needs("job.read")
@require_safe
def job_data(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """A file as it is, of the parts that were read; `pk` is the last of them."""
    wishes = [_asked(request, each, "job.read")[0] for each in [pk, *_parts(request.GET.get("parts", ""))[:-1]]]
    last, rest = wishes[0], wishes[1:]
    if any((each.target_id, each.params["path"]) != (last.target_id, last.params["path"]) for each in rest):
        raise Invalid("These are parts of different files.", field="parts")
    told = [operations.result_of(each, actor=request.user) for each in (*rest, last)]
    if not all("data" in each for each in told):
        raise Invalid("The file is not here, or not any more: it is kept for an hour. Fetch it again.", field="parts")
    content = b"".join(base64.b64decode(each["data"]) for each in told)
    answer = HttpResponse(content, content_type="application/octet-stream")
    name = posixpath.basename(str(last.params["path"])).replace('"', "_").encode("ascii", "replace").decode()
    answer.headers["Content-Disposition"] = f'attachment; filename="{name.replace("?", "_")}"'
    return answer


def _asked(request: Signed, pk: uuid.UUID, kind: str) -> tuple[Operation, Job]:
    """A reading and its job. Raises NotFound, NotAllowed, Invalid."""
    wish = access.fetch(Operation, pk, actor=request.user, permission="operation.view")
    if wish.target_id is None:
        raise Invalid("That operation is about no job.", field="operation")
    job = seen_job(request.user, wish.target_id)
    if not may_read(request.user, job):
        raise NotAllowed(f"What is in {job} is for its owner and who leads its project.")
    if wish.kind != kind:
        raise Invalid("That operation reads no such thing.", field="operation")
    return wish, job


def _problem(wish: Operation) -> str:
    return "" if wish.is_open or wish.state == OperationState.SUCCEEDED else wish.state_reason


def _parts(text: str) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(each) for each in text.split(",") if each][:MOST_PARTS]
    except ValueError:
        raise Invalid("parts are ids of operations.", field="parts") from None
