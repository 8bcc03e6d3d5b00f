"""What is done to servers that exist: one at a time from their menu, or several that were ticked."""

import uuid
from collections.abc import Callable, Mapping

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid
from clouds import services
from clouds.models import Server
from clouds.views import dialogs
from operations.models import Operation
from operations.views import accepted
from projects import access
from projects.views import Signed, is_htmx

Asking = Callable[..., Operation]
#: What has words of its own in URLs and services.
ASKING: Mapping[str, Asking] = {
    "ip-assign": services.assign_ip,
    "ip-unassign": services.unassign_ip,
    "ip-release": services.release_ip,
    "console": services.open_console,
    "console-log": services.read_console_log,
    "refresh": services.refresh_server,
}
LOOKS = ("console", "console-log")  # their result is what one wants to see
TITLES: Mapping[str, str] = {
    "start": "Starting",
    "stop": "Stopping",
    "reboot": "Rebooting",
    "suspend": "Suspending",
    "resume": "Resuming",
    "pause": "Pausing",
    "unpause": "Unpausing",
    "shelve": "Shelving",
    "unshelve": "Unshelving",
    "delete": "Deleting",
    "rename": "Renaming",
    "label": "Labelling",
    "resize": "Resizing",
    "snapshot": "Making an image of",
    "refresh": "Reading",
    "ip-assign": "Giving a public address to",
    "ip-unassign": "Taking off the public address of",
    "ip-release": "Giving back the public address of",
}


@needs("server.view", post="server.change")
@require_http_methods(["GET", "POST"])
def server_action(request: Signed, pk: uuid.UUID, action: str) -> HttpResponse:
    """Ask for one action; a GET is the dialog of what has one."""
    permission = "server.view" if request.method == "GET" else _permission(action)
    server = access.fetch(Server, pk, actor=request.user, permission=permission)
    if request.method == "GET":
        if action not in dialogs.DEEDS:
            raise Invalid(f"To {action} a server is asked for by a button of its page.", field="action")
        return render(request, f"clouds/_{action}_dialog.html", dialogs.context(server, action))
    operation = _ask(request, server, action)
    url = reverse("operations:detail", args=[operation.pk])
    if action in LOOKS and is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    back = url if action in LOOKS else reverse("clouds:server-detail", args=[server.pk])
    return accepted(
        request, operation, f"{TITLES.get(action, action)} {server}", back=back, detail=f"on {server.account}"
    )


@needs(SIGNED)
@require_POST
def server_bulk(request: Signed) -> HttpResponse:
    """Ask for one action on all ticked servers."""
    action, chosen = request.POST.get("action", ""), request.POST.getlist("servers")
    servers = services.find_servers(actor=request.user, names=chosen, permission=_permission(action))
    if action == "delete":
        operation = services.delete_servers(actor=request.user, servers=servers)
    else:
        operation = services.change_servers(actor=request.user, servers=servers, action=action)
    title = f"{TITLES.get(action, action)} {operation.target_name}"
    return accepted(request, operation, title, back=reverse("clouds:server-list"), detail="Asked for.")


def _permission(action: str) -> str:
    """Asked for before anything else: who may not do it learns that, and not that it makes no sense just now."""
    if action == "delete":
        return "server.delete"
    if action == "refresh":
        return "server.view"
    return "server.console" if action in LOOKS else "server.change"


def _ask(request: Signed, server: Server, action: str) -> Operation:
    if action == "delete":
        return services.delete_servers(actor=request.user, servers=[server])
    if action in dialogs.DEEDS:
        return dialogs.DEEDS[action](request.user, server, request.POST)
    if action in ASKING:
        return ASKING[action](actor=request.user, server=server)
    return services.change_servers(actor=request.user, servers=[server], action=action)
