"""What the palette finds and does: servers, jobs, clouds, clusters, operations, and a few verbs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import User
from activity.views import SIGNED, needs
from cloudmesh.types import JobState, ServerState
from clouds import services
from clouds.models import Server
from clouds.views import next_context
from hpc import services as hpc
from hpc.models import LIVE, Job
from operations.models import Operation
from portal.templatetags.cloudmesh import deed
from projects import access
from projects.views import Signed

MOST = 6  # of each kind
#: What is done to jobs in these states, with one's own and those of one's projects.
JOB_VERBS: Mapping[str, Sequence[str]] = {"cancel": LIVE, "hold": [JobState.QUEUED], "release": [JobState.HELD]}
VERBS = ("start", "stop", "reboot", "suspend", "resume")

Item = dict[str, Any]


@needs(SIGNED)
@require_safe
def search(request: Signed) -> HttpResponse:
    """Each result is a page to open (`url`) or something to do (`post`, with `values`)."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:100].split()
    return JsonResponse({"results": list(_found(request, words)) if words else []})


def _found(request: Signed, words: list[str]) -> Iterator[Item]:
    verb, rest = words[0].lower(), " ".join(words[1:])
    if "boot".startswith(verb) and len(verb) > 1:
        yield from _boots(request, rest)
    if verb in VERBS and rest:
        yield from _deeds(request.user, verb, rest)
    if verb in JOB_VERBS and rest:
        yield from _job_deeds(request.user, verb, rest)
    if "submit".startswith(verb) and len(verb) > 1:
        yield from _submits(request.user, rest)
    text = " ".join(words)
    yield from _servers(request.user, text)
    yield from _jobs(request.user, text)
    yield from _clouds(request.user, text)
    yield from _clusters(request.user, text)
    yield from _operations(request.user, text)


def _boots(request: Signed, cloud: str) -> Iterator[Item]:
    boot = next_context(request)["next"]
    url = reverse("clouds:server-boot")
    if boot and not cloud:
        detail = f"{boot['image']}, {boot['flavor']} on {boot['cloud']}"
        yield {"title": f"Boot {boot['name']}", "detail": detail, "group": "do", "post": url}
    for account in services.known_clouds(request.user):
        if boot and account.is_usable and account.cloud.name.startswith(cloud) and account.project == _place(request):
            title = f"Boot {boot['name']} on {account}"
            yield {"title": title, "group": "do", "post": url, "values": {"cloud": account.cloud.name}}


def _deeds(actor: User, verb: str, text: str) -> Iterator[Item]:
    for server in _live(actor, text):
        url = reverse("clouds:server-action", args=[server.pk, verb])
        yield {"title": f"{verb.capitalize()} {server}", "detail": _where(server), "group": "do", "post": url}


def _servers(actor: User, text: str) -> Iterator[Item]:
    for server in _live(actor, text):
        url = reverse("clouds:server-detail", args=[server.pk])
        yield {"title": server.name, "detail": _where(server), "group": "server", "url": url}


def _clouds(actor: User, text: str) -> Iterator[Item]:
    for account in services.known_clouds(actor):
        if text.lower() in f"{account} {account.cloud.label}".lower():
            url = reverse("clouds:cloud-detail", args=[account.pk])
            yield {"title": account.cloud.name, "detail": account.cloud.label, "group": "cloud", "url": url}


def _submits(actor: User, cluster: str) -> Iterator[Item]:
    for each in hpc.known_clusters(actor):
        if each.scheduler.is_usable and each.name.startswith(cluster):
            url = f"{reverse('hpc:job-submit')}?cluster={each.pk}"
            yield {"title": f"Submit a job at {each}", "group": "do", "url": url}


def _job_deeds(actor: User, verb: str, text: str) -> Iterator[Item]:
    mine = Q(owner=actor.pk) | Q(project__in=access.workplaces(actor))
    for job in _named(access.visible(Job, actor).filter(mine, state__in=JOB_VERBS[verb]), text):
        url = reverse("hpc:job-action", args=[job.pk, verb])
        yield {"title": f"{verb.capitalize()} {job}", "detail": _at(job), "group": "do", "post": url}


def _jobs(actor: User, text: str) -> Iterator[Item]:
    for job in _named(access.visible(Job, actor), text):
        yield {"title": job.name, "detail": _at(job), "group": "job", "url": reverse("hpc:job-detail", args=[job.pk])}


def _clusters(actor: User, text: str) -> Iterator[Item]:
    for each in hpc.known_clusters(actor):
        if text.lower() in f"{each} {each.label} {each.scheduler.label}".lower():
            detail = each.label or each.scheduler.label
            url = reverse("hpc:cluster-detail", args=[each.pk])
            yield {"title": each.name, "detail": detail, "group": "cluster", "url": url}


def _named(jobs: QuerySet[Job], text: str) -> list[Job]:
    """By a part of the name, or the scheduler's whole id; those that live first."""
    found = hpc.light_jobs(jobs).filter(Q(name__icontains=text) | Q(provider_id=text))
    return list(found.order_by(F("ended").desc(nulls_first=True), "-pk")[:MOST])


def _at(job: Job) -> str:
    return f"{job.state} at {job.cluster} {job.provider_id}".rstrip()


def _operations(actor: User, text: str) -> Iterator[Item]:
    found = access.visible(Operation, actor).filter(target_name__icontains=text).defer("params", "result")
    for operation in found.order_by("-created_at")[:MOST]:
        url = reverse("operations:detail", args=[operation.pk])
        title = f"{deed(operation.kind)} {operation.target_name}"
        yield {"title": title, "detail": operation.state, "group": "operation", "url": url}


def _live(actor: User, text: str) -> list[Server]:
    live = services.light(access.visible(Server, actor)).exclude(state=ServerState.DELETED)
    return list(live.filter(name__icontains=text).select_related("account__cloud").order_by("name")[:MOST])


def _where(server: Server) -> str:
    return f"{server.state} on {server.account}"


def _place(request: Signed) -> Any:
    return next(iter(access.workplaces(request.user)), None)
