"""Schedulers over REST: registering, changing and forgetting them, and who one is there."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from activity.api import Answer, Body, Few, Flag, Lists, Named, OneOf, Signed, Text, check_parameters, few, one, one_of
from activity.views import SIGNED, needs
from cloudmesh.errors import NotFound
from cloudmesh.types import Json
from hpc import services
from hpc.api.clusters import NAMED
from hpc.models import Identity, Login, Scheduler, Way
from operations.api import NOTHING, Accepted, OperationAnswer, accepted, answer_of
from operations.models import CredentialState, Health
from projects import access
from projects.api import IN_PROJECT

# -- answers ---------------------------------------------------------------------------------------------------


class SchedulerAnswer(Answer):
    """A queue manager that a project registered."""

    id = serializers.UUIDField(source="pk")
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    driver = serializers.CharField()
    way = serializers.ChoiceField(Way.choices)
    project = serializers.CharField(source="project.name")
    owner = serializers.CharField(source="owner.username", allow_null=True)
    is_shared = serializers.BooleanField(help_text="For the whole portal")
    shows_all = serializers.BooleanField(help_text="Everybody's jobs to everybody who sees it")
    identity = serializers.ChoiceField(Identity.choices, help_text="As whom people's jobs run")
    state = serializers.ChoiceField(CredentialState.choices)
    reason = serializers.CharField(source="state_reason")
    is_enabled = serializers.BooleanField()
    health = serializers.ChoiceField(Health.choices)
    health_reason = serializers.CharField()
    product = serializers.CharField(help_text="What it says of itself")
    clusters = serializers.DictField(
        source="shown_as",
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What it is shown as: names with their queues; none: all the others",
    )
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()


class SchedulerWhole(SchedulerAnswer):
    """A scheduler with how it is reached; secrets are never told."""

    endpoint = serializers.DictField(
        child=serializers.CharField(), allow_null=True, help_text="null: for those who manage it"
    )


class SchedulerAsked(Answer):
    """A scheduler that is being verified; null when it was refused meanwhile."""

    scheduler = SchedulerAnswer(allow_null=True)
    operation = OperationAnswer()


class LoginAnswer(Answer):
    """Who somebody is at a scheduler."""

    id = serializers.UUIDField(source="pk")
    scheduler = serializers.CharField(source="scheduler.name")
    user = serializers.CharField(source="user.username")
    name = serializers.CharField()
    state = serializers.ChoiceField(CredentialState.choices)
    reason = serializers.CharField(source="state_reason")
    is_mapped = serializers.BooleanField(help_text="An administrator said so; it goes with the scheduler's credential")
    public_key = serializers.CharField(help_text="Of a key that the portal made; to be allowed at the login node")


class LoginAsked(Answer):
    """A login, and the operation that tries it; null where its key has to be allowed first."""

    login = LoginAnswer()
    operation = OperationAnswer(allow_null=True)


class WayAnswer(Answer):
    """A way to reach a scheduler, and what it needs to know."""

    name = serializers.ChoiceField(Way.choices)
    fields = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
    own = serializers.ListField(child=serializers.DictField(), help_text="What a login of one's own needs there")


class SchedulerDriverAnswer(Answer):
    """A kind of scheduler."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    ways = WayAnswer(many=True)


class SchedulerDriverAnswers(Few):
    """All kinds of schedulers."""

    results = SchedulerDriverAnswer(many=True)


# -- requests --------------------------------------------------------------------------------------------------


class Shown(serializers.DictField):
    """Names of clusters with the queues of each."""

    def to_internal_value(self, data: Any) -> dict[str, list[str]]:
        if not isinstance(data, dict) or not all(_are_texts(queues) for queues in data.values()):
            raise serializers.ValidationError(f"{self.field_name} must be names with lists of queues: {{batch: []}}.")
        return data


def _are_texts(data: Any) -> bool:
    return isinstance(data, list) and all(isinstance(each, str) and "\0" not in each for each in data)


class SchedulerRequest(Body):
    name = Text(help_text="What it is to be called here")
    driver = Text(help_text="See scheduler-drivers/")
    way = Text(required=False, help_text="How it is reached; the driver's usual one if not given")
    credential = Named(required=False, help_text="The fields of that way")
    project = Text(required=False, help_text="Your default one if not given")
    label = Text(required=False)  # type: ignore[assignment]
    shared = Flag(required=False, help_text="For the whole portal; administrators only")
    identity = OneOf(Identity.choices, required=False)
    shows_all = Flag(required=False)
    clusters = Shown(required=False, help_text="What it is shown as; one cluster of its name if not given")


class SchedulerChange(Body):
    label = Text(required=False)  # type: ignore[assignment]
    identity = OneOf(Identity.choices, required=False)
    shows_all = Flag(required=False)
    is_enabled = Flag(required=False, help_text="Use it, or leave it alone")
    clusters = Shown(required=False)


class CredentialRequest(Body):
    credential = Named(help_text="The fields of its way")


class OwnLoginRequest(Body):
    name = Text(help_text="The user name there")
    credential = Named(required=False, help_text="Without one the portal makes a key, where it is reached by ssh")


class MapRequest(Body):
    name = Text(help_text="The user name there")


# -- end points ------------------------------------------------------------------------------------------------


class Schedulers(Lists):
    """The schedulers of one's projects, and those for the whole portal."""

    by_project = True
    permissions = {
        "list": SIGNED,
        "retrieve": SIGNED,
        "create": "cluster.register",
        "partial_update": "cluster.manage",
        "destroy": "cluster.manage",
        "credential": "cluster.manage",
        "refresh": SIGNED,
        "login": SIGNED,
        "set_login": SIGNED,
        "remove_login": SIGNED,
        "verify_login": SIGNED,
        "map_login": SIGNED,
    }
    serializer_class = SchedulerAnswer
    lookup_url_kwarg = "name"
    filters = {
        "name": NAMED,
        "state": one_of("state", CredentialState.values),
        "health": one_of("health", Health.values),
        "project": IN_PROJECT,
    }
    searched = {"name": "name", "label": "label"}
    orders = {"name": "name", "created_at": "created_at"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[Scheduler]:
        seen = access.visible(Scheduler, request.user).select_related("project", "owner").prefetch_related("clusters")
        return seen.defer("credential", "pending")

    def facts(self, records: Sequence[Scheduler]) -> Sequence[Scheduler]:
        for scheduler in records:
            clusters = {cluster.name: cluster.chosen for cluster in scheduler.clusters.all()}
            vars(scheduler)["shown_as"] = clusters
        return records

    @extend_schema(request=SchedulerRequest, responses={202: SchedulerAsked})
    def create(self, request: Signed) -> Response:
        """Register a scheduler; it becomes usable when the operation has reached it. What is refused is not kept."""
        wish = SchedulerRequest.parse(request)
        project = access.project_named(request.user, wish.pop("project", ""), permission="cluster.register")
        wish["way"] = wish.get("way") or services.driver_named(wish["driver"]).ways[0]
        whole = {"credential": {}, **wish}
        scheduler, operation = services.register_scheduler(actor=request.user, project=project, **whole)
        known = self.records(request).filter(pk=scheduler.pk).first()
        return accepted(operation, scheduler=SchedulerAnswer.row(self.facts([known])[0]) if known else None)

    @extend_schema(responses=SchedulerWhole)
    def retrieve(self, request: Signed, name: str) -> Response:
        """One scheduler, by name or id; how it is reached is for those who manage it."""
        [scheduler] = self.facts([self._scheduler(name)])
        reason = access.why_not(request.user, "cluster.manage", scheduler.project, owner_id=scheduler.owner_id)
        vars(scheduler)["endpoint"] = None if reason else scheduler.facts
        return one(request, SchedulerWhole, scheduler)

    @extend_schema(request=SchedulerChange, responses=SchedulerAnswer)
    def partial_update(self, request: Signed, name: str) -> Response:
        """Change what was said when it was registered, or what it is shown as; switch it on or off."""
        scheduler = self._managed(name)
        with transaction.atomic():
            _change(request.user, scheduler, SchedulerChange.parse(request))
        return Response(SchedulerAnswer.row(self.facts([self._scheduler(str(scheduler.pk))])[0]))

    @extend_schema(responses={204: None})
    def destroy(self, request: Signed, name: str) -> Response:
        """Forget a scheduler; what runs there goes on running."""
        services.remove_scheduler(actor=request.user, scheduler=self._managed(name))
        return Response(status=204)

    @extend_schema(request=CredentialRequest, responses={202: Accepted})
    @action(detail=True, methods=["post"])
    def credential(self, request: Signed, name: str) -> Response:
        """Give it another credential; the old one stays in use until this one has worked."""
        scheduler = self._managed(name)
        wish = CredentialRequest.parse(request)
        return accepted(services.replace_credential(actor=request.user, scheduler=scheduler, **wish))

    @extend_schema(request=NOTHING, responses={202: SchedulerAnswer})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Signed, name: str) -> Response:
        """Read everything of a scheduler again, now."""
        scheduler = self._scheduler(name)
        services.refresh_scheduler(actor=request.user, scheduler=scheduler)
        return one(request, SchedulerAnswer, self.facts([scheduler])[0], status=202)

    @extend_schema(responses=LoginAnswer)
    @action(detail=True, methods=["get"])
    def login(self, request: Signed, name: str) -> Response:
        """As whom one's jobs run there."""
        return one(request, LoginAnswer, self._login(name))

    @extend_schema(request=OwnLoginRequest, responses={202: LoginAsked})
    @login.mapping.put
    def set_login(self, request: Signed, name: str) -> Response:
        """Say who one is there, with a credential of one's own, which is then tried."""
        scheduler = self._scheduler(name)
        wish = OwnLoginRequest.parse(request)
        login, operation = services.make_login(actor=request.user, scheduler=scheduler, **wish)
        told = {"login": LoginAnswer.row(login), "operation": answer_of(operation) if operation else None}
        return Response(told, status=202)

    @extend_schema(responses={204: None})
    @login.mapping.delete
    def remove_login(self, request: Signed, name: str) -> Response:
        """Forget who one is there, and the credential; one's jobs go on."""
        services.remove_login(actor=request.user, login=self._login(name))
        return Response(status=204)

    @extend_schema(request=NOTHING, responses={202: Accepted})
    @action(detail=True, methods=["post"], url_path="login/verify")
    def verify_login(self, request: Signed, name: str) -> Response:
        """Try whether one's login works."""
        return accepted(services.verify_login(actor=request.user, login=self._login(name)))

    @extend_schema(operation_id="schedulers_map_login", request=MapRequest, responses=LoginAnswer)
    def map_login(self, request: Signed, name: str, user: str) -> Response:
        """Say as whom somebody's jobs run, with the scheduler's own credential; for administrators."""
        access.require_admin(request.user, "say as whom others' jobs run")
        wish, whom = MapRequest.parse(request), access.first_named(User.objects.all(), user, field="username")
        scheduler = self._scheduler(name)
        login = services.map_login(actor=request.user, scheduler=scheduler, user=whom, **wish)
        return Response(LoginAnswer.row(login))

    def _scheduler(self, name: str) -> Scheduler:
        return access.first_named(self.records(self.request), name)

    def _managed(self, name: str) -> Scheduler:
        return access.find(self.records(self.request), name, actor=self.request.user, permission="cluster.manage")

    def _login(self, name: str) -> Login:
        scheduler = self._scheduler(name)
        login = services.login_of(actor=self.request.user, scheduler=scheduler)
        if login is None:
            raise NotFound(_without_login(scheduler, services.who(scheduler, None, self.request.user)))
        return login


@needs(SIGNED)
class SchedulerDrivers(APIView):
    """The kinds of schedulers that can be registered, and what each needs to know on each way."""

    @extend_schema(responses=SchedulerDriverAnswers, operation_id="scheduler_drivers_list")
    def get(self, request: Signed) -> Response:
        check_parameters(request, [])
        return few([_driver(name) for name in services.drivers()])


def _without_login(scheduler: Scheduler, whom: str) -> str:
    """Why somebody has no login of their own there, and what to do."""
    if scheduler.identity == Identity.ONE:
        return f"You have no login of your own at {scheduler}, and need none: everybody's jobs run as {whom}."
    if scheduler.identity == Identity.MAPPED:
        return f"You have no login at {scheduler}. There an administrator says as whom your jobs run; ask one."
    return f"You have no login at {scheduler}. Tell the portal yours: cm hpc login set {scheduler} NAME"


def _change(actor: User, scheduler: Scheduler, wish: Json) -> None:
    """All that is wished, or nothing."""
    if (is_on := wish.pop("is_enabled", None)) is not None:
        services.switch_scheduler(actor=actor, scheduler=scheduler, on=is_on)
    if (clusters := wish.pop("clusters", None)) is not None:
        services.set_clusters(actor=actor, scheduler=scheduler, clusters=clusters)
    if wish:
        services.change_scheduler(actor=actor, scheduler=scheduler, **wish)


def _driver(name: str) -> Json:
    driver = services.driver_named(name)
    ways = [
        {
            "name": way,
            "fields": [dataclasses.asdict(field) for field in services.fields(name, way)],
            "own": [dataclasses.asdict(field) for field in services.own_fields(way)],
        }
        for way in driver.ways
    ]
    return {"name": name, "label": driver.label, "ways": ways}
