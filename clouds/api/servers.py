"""Servers over REST: booting, changing, deleting, and looking at them."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.models import User
from activity.api import (
    Answer,
    Body,
    Filter,
    Flag,
    Lists,
    OneOf,
    Signed,
    Text,
    Texts,
    Whole,
    check_parameters,
    one,
    one_of,
)
from activity.models import Event
from activity.views import SIGNED
from cloudmesh.errors import NotFound, near
from cloudmesh.types import ServerState
from clouds import services
from clouds.api.accounts import IN_CLOUD
from clouds.models import Server
from operations import services as operations
from operations.api import NOTHING, OperationAnswer, accepted, ask_once
from operations.models import Operation, Patience
from projects import access
from projects.api import IN_PROJECT, EventAnswer, told
from projects.api.policies import DecisionAnswer
from projects.api.quotas import RoomAnswer

RECENT = 20  # events and operations on one server's own answer
CHOICES = ("cloud", "image", "flavor", "key", "group", "network", "security_group", "prefix")


# -- answers ---------------------------------------------------------------------------------------------------


class ServerAnswer(Answer):
    """A virtual machine."""

    id = serializers.UUIDField(source="server.pk")
    name = serializers.CharField(source="server.name")
    state = serializers.ChoiceField([state.value for state in ServerState], source="server.state")
    state_reason = serializers.CharField(source="server.state_reason")
    addresses = serializers.ListField(source="server.addresses", child=serializers.CharField())
    public_addresses = serializers.ListField(source="server.public_addresses", child=serializers.CharField())
    cloud = serializers.CharField(source="server.account.cloud.name")
    flavor = serializers.CharField()
    image = serializers.CharField()
    key = serializers.CharField(source="server.key")
    group = serializers.CharField(source="server.group")
    project = serializers.CharField(source="server.project.name")
    owner = serializers.CharField(source="server.owner.username", allow_null=True)
    provider_id = serializers.CharField(source="server.provider_id", help_text="The cloud's own id; empty before it")
    cores = serializers.IntegerField(source="server.cores")
    ram = serializers.IntegerField(source="server.ram", help_text="MiB")
    age_seconds = serializers.IntegerField(allow_null=True, help_text="Of what is shown here")
    seen_at = serializers.DateTimeField(allow_null=True, help_text="When its cloud last told, or told no change")
    created_at = serializers.DateTimeField(source="server.created_at", help_text="When the portal first knew of it")
    created = serializers.DateTimeField(source="server.created", allow_null=True, help_text="At its cloud")
    operation = serializers.UUIDField(source="operation.pk", allow_null=True, help_text="The one that is going on")
    is_orphan = serializers.BooleanField(source="server.is_orphan", help_text="Found there, not made here")
    version = serializers.IntegerField(source="server.version")


class ActionAnswer(Answer):
    """Whether an action can be done now, and why not."""

    name = serializers.CharField()
    able = serializers.BooleanField()
    reason = serializers.CharField()


class ServerWhole(ServerAnswer):
    """A virtual machine with all that is known of it."""

    actions = serializers.ListField(child=ActionAnswer())
    events = EventAnswer(many=True)
    operations = OperationAnswer(many=True)
    native = serializers.DictField(source="server.native", help_text="What its cloud says of it")


class Booted(Answer):
    """A boot that was taken down."""

    operation = OperationAnswer()
    servers = ServerAnswer(many=True)


class NextAnswer(Answer):
    """What a boot would do now; `sources` tells where each value comes from."""

    name = serializers.CharField()
    project = serializers.CharField(source="choice.account.project.name")
    cloud = serializers.CharField(source="choice.account.cloud.name")
    image = serializers.CharField(source="choice.image.name")
    flavor = serializers.CharField(source="choice.flavor.name")
    key = serializers.CharField(source="choice.key.name", allow_null=True)
    network = serializers.CharField(source="choice.network.name", allow_null=True)
    security_group = serializers.CharField(source="choice.security_group")
    group = serializers.CharField(source="choice.group")
    sources = serializers.DictField(
        source="choice.sources", child=serializers.CharField(), help_text="option, own, project, portal, first or none"
    )


class PlanAnswer(Answer):
    """What a boot would come to; nothing is recorded or taken."""

    outcome = serializers.ChoiceField(["boots", "waits", "refused"], help_text="waits: for somebody's approval")
    refusal = serializers.CharField(help_text="Why it would be refused; empty when it would not")
    names = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    project = serializers.CharField(source="choice.account.project.name")
    cloud = serializers.CharField(source="choice.account.cloud.name")
    image = serializers.CharField(source="choice.image.name")
    flavor = serializers.CharField(source="choice.flavor.name")
    key = serializers.CharField(source="choice.key.name", allow_null=True)
    network = serializers.CharField(source="choice.network.name", allow_null=True)
    security_group = serializers.CharField(source="choice.security_group")
    group = serializers.CharField(source="choice.group")
    sources = serializers.DictField(source="choice.sources", child=serializers.CharField())
    count = serializers.IntegerField()
    resources = serializers.DictField(child=serializers.IntegerField(), help_text="instances, cores, ram in MiB")
    decision = DecisionAnswer()
    quotas = RoomAnswer(source="rooms", many=True)
    approvers = serializers.ListField(child=serializers.CharField(), help_text="Who could approve it, if it waits")


@dataclasses.dataclass(frozen=True)
class Everything:
    """All that is known of one server."""

    facts: services.ServerFacts
    actions: Sequence[dict[str, Any]]
    events: Sequence[Any]
    operations: Sequence[Any]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.facts, name)


# -- requests --------------------------------------------------------------------------------------------------


class BootRequest(Body):
    count = Whole(required=False, help_text="How many; 1 if not given")
    name = Text(required=False, help_text="A name or hostlist; handed out if not given")
    cloud = Text(required=False)
    image = Text(required=False)
    flavor = Text(required=False)
    key = Text(required=False)
    group = Text(required=False)
    network = Text(required=False)
    security_group = Text(required=False)
    prefix = Text(required=False, help_text="Of the names that are handed out")
    project = Text(required=False)
    floating_ip = Flag(required=False, help_text="With a public address")
    if_down = OneOf(Patience.choices, required=False, help_text="What to do while the cloud does not answer")


class BulkRequest(Body):
    action = OneOf([*services.ACTIONS, "delete"])
    servers = Texts(help_text="Ids, names, hostlists or globs")
    project = Text(required=False, help_text="Only in this project")


class RenameRequest(Body):
    name = Text()


class LogRequest(Body):
    lines = Whole(required=False, help_text="The last so many; 100 if not given")


# -- end points ------------------------------------------------------------------------------------------------


def _owner(actor: User, text: str) -> Q:
    return Q(owner__username__in=[actor.username if name == "me" else name for name in text.split(",")])


class Servers(Lists):
    """Virtual machines of all clouds."""

    by_project = True
    permissions = {
        "list": SIGNED,
        "retrieve": "server.view",
        "create": "server.create",
        "next": "server.create",
        "plan": "server.create",
        "bulk": SIGNED,
        "destroy": "server.delete",
        "rename": "server.change",
        "ip_assign": "server.change",
        "ip_release": "server.change",
        "console": "server.console",
        "console_log": "server.console",
        "act": "server.change",
    }
    serializer_class = ServerAnswer
    lookup_url_kwarg = "name"
    filters = {
        "cloud": IN_CLOUD,
        "state": one_of("state", [state.value for state in ServerState]),
        "project": IN_PROJECT,
        "owner": Filter("Of this person, or `me`; several with commas between.", _owner),
        "group": Filter("Of this group.", lambda actor, text: Q(group=text)),
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

    def facts(self, records: Sequence[Server]) -> list[services.ServerFacts]:
        services.watch(project_ids=list({server.project_id for server in records}))
        return services.server_facts(records)

    @extend_schema(request=BootRequest, responses={202: Booted})
    def create(self, request: Signed) -> Response:
        """Boot servers; whatever is not said comes from the defaults."""
        wish = BootRequest.parse(request)
        project = access.project_named(request.user, wish.pop("project", ""), permission="server.create")
        return self._accepted(
            ask_once(request, lambda: services.boot_servers(actor=request.user, project=project, **wish))
        )

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
        return self._accepted(
            ask_once(request, lambda: _change(request.user, wish["action"], wish["servers"], project))
        )

    @extend_schema(responses=ServerWhole)
    def retrieve(self, request: Signed, name: str) -> Response:
        """One server, by name or id, with all that is known of it."""
        server = self._server(name, "server.view")
        [facts] = self.facts([server])
        everything = Everything(
            facts=facts,
            actions=services.abilities(server),
            events=told(_recent_events(request.user, server)),
            operations=operations.operation_facts(_recent_operations(request.user, server)),
        )
        return one(request, ServerWhole, everything)

    @extend_schema(request=NOTHING, responses={202: Booted})
    def destroy(self, request: Signed, name: str) -> Response:
        """Delete a server; a boot that is going on is taken back first."""
        server = self._server(name, "server.delete")
        return self._accepted(ask_once(request, lambda: services.delete_servers(actor=request.user, servers=[server])))

    @extend_schema(request=RenameRequest, responses={202: Booted})
    @action(detail=True, methods=["post"])
    def rename(self, request: Signed, name: str) -> Response:
        """Give a server another name, here and at its cloud."""
        wish = RenameRequest.parse(request)
        return self._do(name, "server.change", services.rename_server, name=wish["name"])

    @extend_schema(request=NOTHING, responses={202: Booted})
    @action(detail=True, methods=["post"], url_path="ip-assign")
    def ip_assign(self, request: Signed, name: str) -> Response:
        """Give a server a public address."""
        return self._do(name, "server.change", services.assign_ip)

    @extend_schema(request=NOTHING, responses={202: Booted})
    @action(detail=True, methods=["post"], url_path="ip-release")
    def ip_release(self, request: Signed, name: str) -> Response:
        """Give a server's public address back."""
        return self._do(name, "server.change", services.release_ip)

    @extend_schema(request=NOTHING, responses={202: Booted})
    @action(detail=True, methods=["post"])
    def console(self, request: Signed, name: str) -> Response:
        """Ask where the screen can be seen; the operation's result has the url."""
        return self._do(name, "server.console", services.open_console)

    @extend_schema(request=LogRequest, responses={202: Booted})
    @action(detail=True, methods=["post"], url_path="console-log")
    def console_log(self, request: Signed, name: str) -> Response:
        """Ask for the last lines of the console; the operation's result has the text."""
        wish = LogRequest.parse(request)
        return self._do(name, "server.console", services.read_console_log, **wish)

    @extend_schema(
        operation_id="servers_act",
        request=NOTHING,
        responses={202: Booted},
        parameters=[OpenApiParameter("act", str, OpenApiParameter.PATH, enum=list(services.ACTIONS))],
    )
    def act(self, request: Signed, name: str, act: str) -> Response:
        """Start, stop, reboot, suspend, resume, pause, unpause, shelve or unshelve a server."""
        if act not in services.ACTIONS:
            raise NotFound(
                f"There is no action {act[:40]!r}; there are: {', '.join(services.ACTIONS)}."
                + near(act[:40], services.ACTIONS)
            )
        server = self._server(name, "server.change")
        return self._accepted(
            ask_once(request, lambda: services.change_servers(actor=request.user, servers=[server], action=act))
        )

    def _server(self, name: str, permission: str) -> Server:
        """By id, also when it is gone; or by name among those that are not."""
        seen = access.visible(Server, self.request.user).select_related("account__cloud", "project", "owner")
        by_id = services.ID.fullmatch(name)
        live = seen if by_id else seen.exclude(state=ServerState.DELETED)
        return access.find(live, name, actor=self.request.user, permission=permission, kind="server")

    def _do(self, whom: str, permission: str, service: Callable[..., Operation], **wish: Any) -> Response:
        server = self._server(whom, permission)
        return self._accepted(ask_once(self.request, lambda: service(actor=self.request.user, server=server, **wish)))

    def _accepted(self, operation: Operation) -> Response:
        parts = operation.children.all() if operation.is_batch else Operation.objects.filter(pk=operation.pk)
        servers = services.light(Server.objects.filter(pk__in=parts.values("target_id"))).order_by("pk")
        return accepted(operation, servers=ServerAnswer.rows(self.facts(list(servers))))


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
