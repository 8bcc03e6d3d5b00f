"""What the palette finds and does: servers, clouds, operations, and a few verbs."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import User
from activity.views import SIGNED, needs
from cloudmesh.types import ServerState
from clouds import services
from clouds.models import Server
from clouds.views import next_context
from operations.models import Operation
from portal.templatetags.cloudmesh import deed
from projects import access
from projects.views import Signed

MOST = 6  # of each kind
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
    text = " ".join(words)
    yield from _servers(request.user, text)
    yield from _clouds(request.user, text)
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
