"""Servers of all clouds in one table, and a page for each."""

import dataclasses
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from activity.models import Event
from activity.views import SIGNED, needs
from cloudmesh.types import ServerState
from clouds import services
from clouds.models import Server
from clouds.views import dialogs
from operations.models import Operation
from projects import access
from projects.views import Filter, Listing, Signed, dress, owner_filter, project_filter

RECENT = 30  # events and operations on a server's page
STATES = [(state.value, state.label) for state in ServerState if not state.is_gone]
#: What is done to a server → its words on a button.
LABELS: Mapping[str, str] = {
    "start": "Start",
    "stop": "Stop",
    "reboot": "Reboot",
    "suspend": "Suspend",
    "resume": "Resume",
    "pause": "Pause",
    "unpause": "Unpause",
    "shelve": "Shelve",
    "unshelve": "Unshelve",
    "rename": "Rename",
    "label": "Labels",
    "resize": "Resize",
    "snapshot": "Make an image",
    "refresh": "Read it anew",
    "assign_ip": "Give a public address",
    "unassign_ip": "Take the public address off",
    "release_ip": "Give the public address back",
    "console": "Open the console",
    "console_log": "Show the console's log",
    "delete": "Delete",
}
IN_URLS: Mapping[str, str] = {"assign_ip": "ip-assign", "unassign_ip": "ip-unassign", "release_ip": "ip-release"}
#: What undoes something → what it undoes; a menu offers the one that fits.
UNDOES: Mapping[str, str] = {"resume": "suspend", "unpause": "pause", "unshelve": "shelve"}
PERMISSIONS: Mapping[str, str] = {
    "delete": "server.delete",
    "console": "server.console",
    "console_log": "server.console",
    "refresh": "server.view",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Action:
    """What a menu offers about a server; `reason` says why not, where it cannot be done."""

    name: str  # in URLs
    label: str
    reason: str

    @property
    def able(self) -> bool:
        return not self.reason

    @property
    def is_asked(self) -> bool:
        """Whether a dialog asks for more."""
        return self.name in dialogs.DEEDS


@needs(SIGNED)
class ServerList(Listing):
    model = Server
    template_name = "clouds/server_list.html"
    name = "servers"
    words = ("name", "address_text")
    orders = {
        "name": ["name"],
        "state": ["state"],
        "flavor": ["flavor"],
        "image": ["image"],
        "key": ["key"],
        "cloud": ["account__cloud__name"],
        "project": ["project__name"],
        "owner": ["owner__username"],
        "group": ["group", "name"],
    }
    usual = ("-created_at", "-pk")

    def filters(self) -> Iterable[Filter]:
        yield Filter(name="state", label="State", choices=STATES, where=lambda state: Q(state=state))
        yield cloud_filter(self.request.user)
        yield _group_filter(self.request.user)
        yield project_filter(self.request.user)
        yield owner_filter(self.request.user)
        yield Filter(name="label", label="Label", choices=[], where=services.labelled, is_offered=False)

    def records(self) -> QuerySet[Any]:
        live = super().records().exclude(state=ServerState.DELETED)
        return services.light(live).alias(address_text=Cast("addresses", TextField()))

    def rows(self, records: list[Any]) -> list[Any]:
        return shown(self.request.user, records)

    def context(self) -> dict[str, Any]:
        return {"clouds": services.known_clouds(self.request.user)}


def cloud_filter(actor: User) -> Filter:
    names = sorted({account.cloud.name for account in services.known_clouds(actor)})
    choices = [(name, name) for name in names]
    return Filter(name="cloud", label="Cloud", choices=choices, where=lambda name: Q(account__cloud__name=name))


def _group_filter(actor: User) -> Filter:
    names = sorted({group.name for group in services.groups(actor=actor)})
    choices = [(name, name) for name in names]
    return Filter(name="group", label="Group", choices=choices, where=lambda name: Q(group=name))


@needs("server.view")
@require_safe
def server_row(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """One row to be read again; nothing when there is none any more."""
    live = access.visible(Server, request.user).exclude(state=ServerState.DELETED)
    server = services.light(live).filter(pk=pk).first()
    if server is None:
        return HttpResponse(status=204)
    return render(request, "clouds/_server_row.html", {"server": shown(request.user, [server])[0]})


@needs("server.view")
@require_safe
def server_detail(request: Signed, pk: uuid.UUID) -> HttpResponse:
    server = access.fetch(Server, pk, actor=request.user, permission="server.view")
    operations = access.visible(Operation, request.user).filter(target_id=server.pk).defer("params", "result")
    context = {
        "server": shown(request.user, [server])[0],
        "native": server.native,
        "operations": operations.order_by("-pk")[:RECENT],
        "events": access.visible(Event, request.user).filter(object_id=server.pk).order_by("-pk")[:RECENT],
    }
    return render(request, "clouds/server_detail.html", context)


def shown(actor: User, servers: Sequence[Server]) -> list[Server]:
    """Servers with the names, ages, progress and actions that their rows show."""
    return [
        dress(
            facts.server,
            image_name=facts.image,
            flavor_name=facts.flavor,
            key_name=_key_name(facts.server),
            seen_at=facts.seen_at,
            operation=facts.operation,
            actions=actions(actor, facts.server),
        )
        for facts in services.server_facts(servers, known=services.known_clouds(actor))
    ]


def _key_name(server: Server) -> str:
    """As its owner calls it; at the cloud it carries their name before and a mark after it."""
    mine = f"{server.owner.username}-" if server.owner else "\0"
    return server.key.removeprefix(mine).rpartition("-")[0] if server.key.startswith(mine) else server.key


def actions(actor: User, server: Server) -> list[Action]:
    """What can be done to a server, and what cannot be done just now, with the reason."""
    able = {each["name"]: each for each in services.abilities(server)}
    offered = [name for name in LABELS if _fits(name, server, able)]
    return [
        Action(
            name=IN_URLS.get(name, name.replace("_", "-")),
            label=LABELS[name],
            reason=able[name]["reason"] or why_not(actor, name, server),
        )
        for name in offered
    ]


def why_not(actor: User, action: str, server: Server) -> str:
    permission = PERMISSIONS.get(action, "server.change")
    return access.why_not(actor, permission, server.project, owner_id=server.owner_id)


def _fits(action: str, server: Server, able: Mapping[str, Mapping[str, Any]]) -> bool:
    """Of two that undo each other one makes sense at a time."""
    if action in UNDOES:
        return bool(able[action]["able"])
    if action in IN_URLS:
        return bool(server.public_addresses) == (action != "assign_ip")
    return not any(undone == action and able[undo]["able"] for undo, undone in UNDOES.items())
