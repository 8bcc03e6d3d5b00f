"""Volumes of all clouds in one table, a page for each, and what is done to them."""

import dataclasses
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.views import Signed
from activity.models import Event
from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid, NotFound
from cloudmesh.types import ServerState, VolumeState
from clouds import services
from clouds.models import Server, Volume
from clouds.views.servers import RECENT, cloud_filter
from operations.models import Operation
from operations.views import accepted
from projects import access
from projects.models import Project
from projects.views import Filter, Listing, dress, owner_filter, project_filter

MOST_SERVERS = 500  # offered in a dialog
STATES = [(state.value, state.label) for state in VolumeState if not state.is_gone]
LABELS: Mapping[str, str] = {"attach": "Attach", "detach": "Detach", "delete": "Delete"}
TITLES: Mapping[str, str] = {"attach": "Attaching", "detach": "Detaching", "delete": "Deleting"}
PERMISSIONS: Mapping[str, str] = {"delete": "volume.delete"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deed:
    """What a menu offers about a volume; `reason` says why not, where it cannot be done."""

    name: str
    label: str
    reason: str

    @property
    def able(self) -> bool:
        return not self.reason


@needs(SIGNED)
class VolumeList(Listing):
    model = Volume
    template_name = "clouds/volume_list.html"
    name = "volumes"
    words = ("name",)
    orders = {
        "name": ["name"],
        "state": ["state"],
        "size": ["size"],
        "cloud": ["account__cloud__name"],
        "project": ["project__name"],
        "owner": ["owner__username"],
    }
    usual = ("-created_at", "-pk")

    def filters(self) -> Iterable[Filter]:
        yield Filter(name="state", label="State", choices=STATES, where=lambda state: Q(state=state))
        yield cloud_filter(self.request.user)
        yield project_filter(self.request.user)
        yield owner_filter(self.request.user)

    def records(self) -> QuerySet[Any]:
        return super().records().exclude(state=VolumeState.DELETED).defer("native", "native_hash")

    def rows(self, records: list[Any]) -> list[Any]:
        services.watch(project_ids=list({volume.project_id for volume in records}))
        return shown_volumes(self.request.user, records)


@needs("volume.view")
@require_safe
def volume_row(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """One row to be read again; nothing when there is none any more."""
    volume = access.visible(Volume, request.user).exclude(state=VolumeState.DELETED).filter(pk=pk).first()
    if volume is None:
        return HttpResponse(status=204)
    return render(request, "clouds/_volume_row.html", {"volume": shown_volumes(request.user, [volume])[0]})


@needs("volume.view")
@require_safe
def volume_detail(request: Signed, pk: uuid.UUID) -> HttpResponse:
    volume = access.fetch(Volume, pk, actor=request.user, permission="volume.view")
    operations = access.visible(Operation, request.user).filter(target_id=volume.pk).defer("params", "result")
    context = {
        "volume": shown_volumes(request.user, [volume])[0],
        "native": volume.native,
        "operations": operations.order_by("-pk")[:RECENT],
        "events": access.visible(Event, request.user).filter(object_id=volume.pk).order_by("-pk")[:RECENT],
    }
    return render(request, "clouds/volume_detail.html", context)


@needs("server.view")
@require_safe
def server_volumes(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """The volumes that a server has, for its page."""
    server = access.fetch(Server, pk, actor=request.user, permission="server.view")
    volumes = shown_volumes(request.user, list(services.volumes_of(server)))
    return render(request, "clouds/_server_volumes.html", {"server": server, "volumes": volumes})


@needs(SIGNED)
class NewVolume(View):
    """The dialog, and the wish itself."""

    def get(self, request: Signed) -> HttpResponse:
        project = access.default_project(request.user)
        clouds = [cloud for cloud in services.known_clouds(request.user) if cloud.project_id == project.pk]
        context = {
            "clouds": [str(cloud) for cloud in clouds if cloud.is_usable and not services.missing(cloud)],
            "servers": _servers(request.user, Q(project=project)),
            "chosen": request.GET.get("server", ""),
        }
        return render(request, "clouds/_volume_dialog.html", context)

    def post(self, request: Signed) -> HttpResponse:
        project, form = access.default_project(request.user), request.POST
        named = form.get("server", "").strip()
        operation = services.create_volumes(
            actor=request.user,
            project=project,
            name=form.get("name", "").strip(),
            size=_number(form.get("size", ""), "The size", "size"),
            count=_number(form["count"], "How many", "count") if form.get("count", "").strip() else None,
            cloud=form.get("cloud", "").strip(),
            server=_server(request.user, named, project) if named else None,
        )
        return accepted(request, operation, f"Making {operation.target_name}", back=reverse("clouds:volume-list"))


@needs("volume.view", post="volume.view")
@require_http_methods(["GET", "POST"])
def volume_deed(request: Signed, pk: uuid.UUID, deed: str) -> HttpResponse:
    """Attach, detach or delete a volume; a GET of `attach` is its dialog."""
    volume = access.fetch(Volume, pk, actor=request.user, permission="volume.view")
    if request.method == "GET":
        if deed != "attach":
            raise Invalid(f"To {deed} a volume is asked for by a button of its page.", field="deed")
        servers = _servers(request.user, Q(account=volume.account_id))
        return render(request, "clouds/_attach_dialog.html", {"volume": volume, "servers": servers})
    operation = _ask(request, deed, [volume])
    back = reverse("clouds:volume-detail", args=[volume.pk])
    return accepted(request, operation, f"{TITLES[deed]} {volume}", back=back, detail=f"on {volume.account}")


@needs(SIGNED)
@require_POST
def volume_bulk(request: Signed) -> HttpResponse:
    """Ask for one deed on all ticked volumes."""
    deed, chosen = request.POST.get("deed", ""), request.POST.getlist("volumes")
    volumes = services.find_volumes(actor=request.user, names=chosen, permission="volume.view")
    operation = _ask(request, deed, volumes)
    title = f"{TITLES[deed]} {operation.target_name}"
    return accepted(request, operation, title, back=reverse("clouds:volume-list"), detail="Asked for.")


def shown_volumes(actor: User, volumes: Sequence[Volume]) -> list[Volume]:
    """Volumes with the server, age, progress and deeds that their rows show."""
    return [
        dress(
            facts.volume,
            server=facts.server,
            read_at=facts.seen_at,
            operation=facts.operation,
            deeds=_deeds(actor, facts.volume),
        )
        for facts in services.volume_facts(volumes)
    ]


def _deeds(actor: User, volume: Volume) -> list[Deed]:
    """What can be done to a volume, and what cannot be done just now, with the reason; of attach and detach one."""
    known = {each["name"]: each["reason"] for each in services.volume_deeds(volume)}
    offered = {name: reason or _why_not(actor, volume, name) for name, reason in known.items() if _fits(name, volume)}
    return [Deed(name=name, label=LABELS[name], reason=reason) for name, reason in offered.items()]


def _fits(deed: str, volume: Volume) -> bool:
    return deed == "delete" or bool(volume.server_provider_id) == (deed == "detach")


def _why_not(actor: User, volume: Volume, deed: str) -> str:
    permission = PERMISSIONS.get(deed, "volume.change")
    return access.why_not(actor, permission, volume.project, owner_id=volume.owner_id)


def _ask(request: Signed, deed: str, volumes: Sequence[Volume]) -> Operation:
    if deed == "attach" and len(volumes) == 1:
        server = _server(request.user, request.POST.get("server", ""), volumes[0].project)
        device = request.POST.get("device", "").strip()
        return services.attach_volume(actor=request.user, volume=volumes[0], server=server, device=device)
    if deed == "detach":
        return services.detach_volumes(actor=request.user, volumes=volumes)
    if deed == "delete":
        return services.delete_volumes(actor=request.user, volumes=volumes)
    raise NotFound(f"There is nothing called {deed[:40]!r} to do to volumes; there are: {', '.join(LABELS)}.")


def _servers(actor: User, where: Q) -> list[Server]:
    """Those that could be given a volume."""
    live = services.light(access.visible(Server, actor)).exclude(state__in=[ServerState.DELETED, ServerState.DELETING])
    there = live.filter(where).exclude(provider_id="").select_related("account__cloud")
    return list(there.order_by("name")[:MOST_SERVERS])


def _server(actor: User, named: str, project: Project) -> Server:
    live = access.visible(Server, actor).filter(project=project).exclude(state=ServerState.DELETED)
    related = live.select_related("account__cloud", "account__project", "project")
    return access.find(related, named, actor=actor, permission="server.change", kind="server")


def _number(text: str, what: str, field: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Invalid(f"{what} should be a number, not {text[:40]!r}.", field=field) from None
