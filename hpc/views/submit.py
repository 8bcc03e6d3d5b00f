"""Submitting: the page with what a job asks for, what it would come to, and the wish itself."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_POST, require_safe

from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError, Invalid, NotFound
from cloudmesh.types import walltime
from hpc import services
from hpc.models import Cluster, Queue, Template
from hpc.services.experiments import LARGEST_INPUTS
from hpc.views.clusters import cluster_cards
from hpc.views.jobs import may_read, seen_job
from hpc.views.templates import VALUE, template_named, templates_of, texts, wishing
from operations.models import Operation
from operations.services import result_of
from projects import access
from projects.views import Signed, answer, is_htmx

SEPARATORS = re.compile(r"[\s,:]+")
ABILITIES = ("forecast", "hold", "array", "dependency", "gpus", "qos")


@needs(SIGNED)
class Submit(View):
    request: Signed

    def get(self, request: Signed) -> HttpResponse:
        """The page, as the chosen cloud and what was typed so far make it, or like the job `from`."""
        said = {**_like(request), **request.GET.dict()}
        try:
            project = access.default_project(request.user)
            template = template_named(request.user, said["template"]) if said.get("template") else None
            said = {**texts(template.wanted), **said} if template else said
            cluster = services.find_cluster(actor=request.user, name=said.get("cluster", ""))
        except CloudmeshError as error:
            return render(request, "hpc/submit.html", {"problem": error.message, "clusters": []})
        card = cluster_cards(request.user, [cluster])[0]
        context = {
            "clusters": [each for each in services.known_clusters(request.user) if each.scheduler.is_usable],
            "cluster": card,
            "queue": _queue(card.queue_list, said.get("queue", "")),
            "project": project,
            "said": said,
            "lacks": _lacks(cluster),
            "templates": templates_of(request.user, project),
            "template": template,
            "locked": template.locked if template else [],
            "parameters": _fields(template, said) if template else [],
        }
        return render(request, "hpc/submit.html", context)

    def post(self, request: Signed) -> HttpResponse:
        operation = services.submit_job(**_wanted(request, request.POST), files=_files(request))
        page = reverse("hpc:job-detail", args=[operation.target_id])
        if is_htmx(request):
            return HttpResponse(status=204, headers={"HX-Redirect": page})
        return answer(request, f"Submitting {operation.target_name}", back=page)


@needs(SIGNED)
@require_safe
def submit_plan(request: Signed) -> HttpResponse:
    """What the job that is being filled in would come to, or why there is none."""
    if not request.GET.get("script", "").strip() and not request.GET.get("template"):
        return render(request, "hpc/_submit_plan.html", {})
    try:
        context: dict[str, Any] = {"plan": services.plan_job(**_wanted(request, request.GET))}
    except CloudmeshError as error:
        context = {"problem": error.message}
    return render(request, "hpc/_submit_plan.html", context)


@needs(SIGNED)
@require_POST
def submit_forecast(request: Signed) -> HttpResponse:
    """Ask the scheduler when such a job would start; answers the place where it will be told."""
    operation = services.forecast_job(**_wanted(request, request.POST))
    return render(request, "hpc/_forecast.html", {"operation": operation, "is_new": True})


@needs("operation.view")
@require_safe
def forecast(request: Signed, pk: uuid.UUID) -> HttpResponse:
    operation = access.fetch(Operation, pk, actor=request.user, permission="operation.view")
    return render(request, "hpc/_forecast.html", {"operation": operation, "told": _told(request, operation)})


def _told(request: Signed, operation: Operation) -> dict[str, Any]:
    return result_of(operation, actor=request.user) if operation.kind == "job.forecast" else {}


def _wanted(request: Signed, form: Mapping[str, str]) -> dict[str, Any]:
    asked = wishing(request.user, form)
    cluster = services.find_cluster(actor=request.user, name=asked.pop("cluster") or "")
    return {
        "actor": request.user,
        "project": access.default_project(request.user),
        "cluster": cluster,
        "if_down": form.get("if_down") or "wait",
        "after": [word for word in SEPARATORS.split(form.get("after", "")) if word],
        **asked,
    }


def _fields(template: Template, said: Mapping[str, str]) -> list[dict[str, Any]]:
    """The parameters of a template as fields."""
    return [
        {
            **each,
            "field": f"{VALUE}{each['name']}",
            "value": str(said.get(f"{VALUE}{each['name']}", each.get("default", ""))),
            "is_locked": each["name"] in template.locked,
            "options": each.get("choices") or (["true", "false"] if each.get("type") == "boolean" else []),
        }
        for each in template.parameters
    ]


def _files(request: Signed) -> list[dict[str, Any]]:
    """What was uploaded for the job's directory. Raises Invalid before too much is read."""
    sent = request.FILES.getlist("files")
    if sum(each.size or 0 for each in sent) > LARGEST_INPUTS:
        raise Invalid(
            f"Files have up to {LARGEST_INPUTS // 2**20} MiB together. Copy larger ones to the cluster, and name their"
            " place in the script.",
            field="files",
        )
    return [{"path": each.name, "content": each.read()} for each in sent]


def _like(request: Signed) -> dict[str, str]:
    """What the job that is to be repeated asked for."""
    if not request.GET.get("from"):
        return {}
    job = seen_job(request.user, _id(request.GET["from"]))
    script = job.script if may_read(request.user, job) else ""
    said = {"cluster": str(job.cluster_id), "queue": job.queue, "name": job.name, "script": script}
    said |= {"account": job.account, "qos": job.qos, "array": job.array}
    per_task = job.cores // (job.tasks or 1)
    asked = {"nodes": job.nodes, "tasks": job.tasks, "cores": per_task, "gpus": job.gpus}
    said |= {name: str(count) for name, count in asked.items() if count > (name != "gpus")}
    return said | ({"walltime": walltime(job.walltime)} if job.walltime else {})


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound(f"There is no job {text[:40]!r}.") from None


def _queue(queues: list[Queue], name: str) -> Queue | None:
    usual = next((queue for queue in queues if queue.is_default), None)
    return next((queue for queue in queues if queue.name == name), None) or usual or next(iter(queues), None)


def _lacks(cluster: Cluster) -> dict[str, str]:
    """What the scheduler cannot do, with the reasons, so that its fields are not offered."""
    driver = services.drivers().get(cluster.scheduler.driver)
    return {name: driver.abilities.reason(name) for name in ABILITIES} if driver else {}
