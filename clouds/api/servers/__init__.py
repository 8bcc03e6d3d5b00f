"""Servers over REST: booting, changing, deleting, and looking at them."""

from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.models import User
from activity.api import Filter, Signed, check_parameters, one, one_of
from activity.models import Event
from activity.views import SIGNED
from cloudmesh.errors import Invalid
from cloudmesh.types import ServerState
from clouds import services
from clouds.api.accounts import IN_CLOUD
from clouds.api.servers.answers import Booted, Everything, NextAnswer, PlanAnswer, ServerWhole
from clouds.api.servers.shaping import Shaping
from clouds.api.servers.wishes import BootRequest, BulkRequest
from clouds.models import Server
from operations import services as operations
from operations.models import Operation
from projects import access
from projects.api import IN_PROJECT, told

RECENT = 20  # events and operations on one server's own answer
CHOICES = ("cloud", "image", "flavor", "key", "group", "network", "security_group", "prefix")


def _owner(actor: User, text: str) -> Q:
    return Q(owner__username__in=[actor.username if name == "me" else name for name in text.split(",")])


def _with_ids(actor: User, text: str) -> Q:
    ids = text.split(",")
    if wrong := [id for id in ids if not services.ID.fullmatch(id)]:
        raise Invalid(f"{wrong[0][:40]!r} is no id of a server.", field="id")
    return Q(pk__in=ids)


class Servers(Shaping):
    """Virtual machines of all clouds."""

    by_project = True
    permissions = {
        **Shaping.permissions,
        "list": SIGNED,
        "retrieve": "server.view",
        "create": "server.create",
        "next": "server.create",
        "plan": "server.create",
        "bulk": SIGNED,
    }
    filters = {
        "cloud": IN_CLOUD,
        "state": one_of("state", [state.value for state in ServerState]),
        "project": IN_PROJECT,
        "owner": Filter("Of this person, or `me`; several with commas between.", _owner),
        "group": Filter("Of this group.", lambda actor, text: Q(group=text)),
        "label": Filter(
            "With this label: KEY=VALUE, or KEY whatever its value; several with commas between.",
            lambda actor, text: services.labelled(text),
        ),
        "id": Filter("With these ids; several with commas between.", _with_ids),
        "name": Filter(
            "Of these names: a hostlist such as sample[1-3], or globs.", lambda actor, text: services.named(text)
        ),
    }
    searched = {"name": "name", "address": "address_text", "group": "group"}
    orders = {"created_at": "created_at", "name": "name", "state": "state", "cloud": "account__cloud__name"}
    ordering = "-created_at"

    def records(self, request: Signed) -> QuerySet[Server]:
        """Those deleted only where they are asked for."""
        seen = services.light(access.visible(Server, request.user))
        if request.query_params.get("search"):
            seen = seen.annotate(address_text=Cast("addresses", TextField()))
        gone = ServerState.DELETED in request.query_params.get("state", "").split(",")
        return seen if gone else seen.exclude(state=ServerState.DELETED)

    @extend_schema(request=BootRequest, responses={202: Booted})
    def create(self, request: Signed) -> Response:
        """Boot servers; whatever is not said comes from the defaults."""
        wish = BootRequest.parse(request)
        project = access.project_named(request.user, wish.pop("project", ""), permission="server.create")
        return self.booted(services.boot_servers(actor=request.user, project=project, **wish))

    @extend_schema(request=BootRequest, responses=PlanAnswer)
    @action(detail=False, methods=["post"])
    def plan(self, request: Signed) -> Response:
        """What a boot would come to: names, what policies say, how it fits the quotas. Nothing is taken."""
        wish = BootRequest.parse(request)
        project = access.project_named(request.user, wish.pop("project", ""), permission="server.create")
        return Response(PlanAnswer.row(services.plan_servers(actor=request.user, project=project, **wish)))

    @extend_schema(responses=NextAnswer, parameters=[OpenApiParameter(name) for name in (*CHOICES, "project")])
    @action(detail=False, methods=["get"])
    def next(self, request: Signed) -> Response:
        """What a boot would do now; nothing is taken."""
        check_parameters(request, [*CHOICES, "project"])
        named = request.query_params.get("project", "")
        project = access.project_named(request.user, named, permission="server.create")
        wanted = {name: request.query_params[name] for name in CHOICES if request.query_params.get(name)}
        return Response(NextAnswer.row(services.next_boot(actor=request.user, project=project, wanted=wanted)))

    @extend_schema(request=BulkRequest, responses={202: Booted})
    @action(detail=False, methods=["post"])
    def bulk(self, request: Signed) -> Response:
        """Do one action to many servers."""
        wish = BulkRequest.parse(request)
        named = wish.get("project", "")
        project = access.project_named(request.user, named, permission="server.view") if named else None
        return self.booted(_change(request.user, wish["action"], wish["servers"], project))

    @extend_schema(responses=ServerWhole)
    def retrieve(self, request: Signed, name: str) -> Response:
        """One server, by name or id, with all that is known of it."""
        server = self.server(name, "server.view")
        [facts] = self.facts([server])
        everything = Everything(
            facts=facts,
            actions=services.abilities(server),
            events=told(_recent_events(request.user, server)),
            operations=operations.operation_facts(_recent_operations(request.user, server)),
        )
        return one(request, ServerWhole, everything)


def _change(actor: User, action: str, names: list[str], project: Any) -> Operation:
    permission = "server.delete" if action == "delete" else "server.change"
    servers = services.find_servers(actor=actor, names=names, permission=permission, project=project)
    if action == "delete":
        return services.delete_servers(actor=actor, servers=servers)
    return services.change_servers(actor=actor, servers=servers, action=action)


def _recent_events(actor: User, server: Server) -> list[Event]:
    return list(access.visible(Event, actor).filter(object_id=server.pk).exclude(seq=None).order_by("-id")[:RECENT])


def _recent_operations(actor: User, server: Server) -> list[Operation]:
    seen = access.visible(Operation, actor).filter(target_id=server.pk).select_related("project", "owner")
    return list(seen.defer("params", "result").order_by("-created_at")[:RECENT])
