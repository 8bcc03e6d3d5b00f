"""Clouds over REST: registering, switching, forgetting, and the drivers there are."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from activity.api import Answer, Body, Few, Filter, Flag, Lists, Named, Signed, Text, check_parameters, few, one, one_of
from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid
from cloudmesh.imports import cloudsyaml, openrc
from cloudmesh.imports.openstack_entry import Entry
from cloudmesh.types import Json
from clouds import services
from clouds.models import CloudAccount
from operations.api import NOTHING, OperationAnswer, accepted
from operations.models import CredentialState, Health, Operation
from projects import access
from projects.api import IN_PROJECT

Login = tuple[str, Mapping[str, str]]  # a driver's name and what it logs in with


# -- answers ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Ability:
    able: bool
    reason: str


@dataclasses.dataclass(frozen=True)
class Shown:
    """A cloud account, what is known around it, and what its driver can do."""

    facts: services.AccountFacts
    abilities: Mapping[str, Ability]


class AbilityAnswer(Answer):
    """Whether something can be done at a cloud, and why not."""

    able = serializers.BooleanField()
    reason = serializers.CharField()


class UseAnswer(Answer):
    """How much of a resource is taken."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="null: none that is known")


class CloudAnswer(Answer):
    """A cloud as one project uses it."""

    id = serializers.UUIDField(source="facts.account.pk")
    name = serializers.CharField(source="facts.account.cloud.name")
    driver = serializers.CharField(source="facts.account.cloud.driver")
    label = serializers.CharField(source="facts.account.cloud.label")  # type: ignore[assignment]
    project = serializers.CharField(source="facts.account.project.name")
    owner = serializers.CharField(source="facts.account.owner.username", allow_null=True)
    state = serializers.ChoiceField(CredentialState.choices, source="facts.account.state")
    reason = serializers.CharField(source="facts.account.state_reason")
    is_active = serializers.BooleanField(source="facts.account.is_enabled")
    health = serializers.ChoiceField(Health.choices, source="facts.account.health")
    health_reason = serializers.CharField(source="facts.account.health_reason")
    failures = serializers.IntegerField(source="facts.account.failures", help_text="To answer, in a row")
    retry_at = serializers.DateTimeField(source="facts.account.retry_at", allow_null=True)
    seen_at = serializers.DateTimeField(source="facts.seen_at", allow_null=True)
    age_seconds = serializers.IntegerField(source="facts.age_seconds", allow_null=True)
    latency = serializers.FloatField(
        source="facts.latency", allow_null=True, help_text="Seconds that the last reading of its servers took"
    )
    servers = serializers.IntegerField(source="facts.servers")
    states = serializers.DictField(source="facts.states", child=serializers.IntegerField())
    limits = serializers.DictField(source="facts.limits", child=UseAnswer())
    abilities = serializers.DictField(child=AbilityAnswer())
    operation = serializers.UUIDField(source="facts.operation.pk", allow_null=True, help_text="That verifies it now")
    created_at = serializers.DateTimeField(source="facts.account.created_at")
    version = serializers.IntegerField(source="facts.account.version")


class CloudWhole(CloudAnswer):
    """A cloud with how it is reached; secrets are never told."""

    endpoint = serializers.DictField(source="facts.account.facts", child=serializers.CharField())


class Registered(Answer):
    """A cloud that is being verified; null when it was refused meanwhile."""

    cloud = CloudAnswer(allow_null=True)
    operation = OperationAnswer()


class FieldAnswer(Answer):
    """A field of a driver's credential."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField(help_text="text, password, url, choice, file or boolean")
    help = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    secret = serializers.BooleanField()
    default = serializers.CharField()  # type: ignore[assignment]
    choices = serializers.ListField(child=serializers.CharField())


class DriverAnswer(Answer):
    """A kind of cloud."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    fields = FieldAnswer(many=True)  # type: ignore[assignment]
    abilities = serializers.DictField(child=AbilityAnswer())


class DriverAnswers(Few):
    """All kinds of clouds."""

    results = DriverAnswer(many=True)


# -- requests --------------------------------------------------------------------------------------------------


class LoginRequest(Body):
    driver = Text(required=False, help_text="See drivers/; with `credential`")
    credential = Named(required=False, help_text="The driver's fields")
    clouds_yaml = Text(required=False, trim_whitespace=False, help_text="The text of a clouds.yaml")
    cloud = Text(required=False, help_text="Which cloud of the clouds.yaml")
    openrc = Text(required=False, trim_whitespace=False, help_text="The text of an openrc file")
    password = Text(required=False, trim_whitespace=False, help_text="Where the file holds none")


class CloudRequest(LoginRequest):
    name = Text(help_text="What the cloud is to be called here")
    label = Text(required=False)  # type: ignore[assignment]
    project = Text(required=False, help_text="Your default one if not given")
    shared = Flag(required=False, help_text="For the whole portal; administrators only")


class CloudChange(LoginRequest):
    name = Text(required=False, help_text="Another name; defaults that name the cloud follow")
    is_active = Flag(required=False, help_text="Use it, or leave it alone")
    label = Text(required=False)  # type: ignore[assignment]


# -- end points ------------------------------------------------------------------------------------------------


def _cloud_of(path: str) -> Callable[[User, str], Q]:
    """Clouds by name or id, several with commas; NotFound with near names where there is none such."""

    def narrow(actor: User, text: str) -> Q:
        mine = access.visible(CloudAccount, actor).select_related("cloud")
        found: set[Any] = set()
        for name in filter(None, map(str.strip, text.split(","))):
            ids = set(mine.filter(cloud__name=name).values_list("pk", flat=True))
            found |= ids or {access.first_named(mine, name, field="cloud__name", kind="cloud").pk}
        return Q(**{f"{path}__in": found})

    return narrow


IN_CLOUD = Filter("At this cloud, by name or id; several with commas between.", _cloud_of("account"))


class Clouds(Lists):
    """The clouds of one's projects."""

    permissions = {
        "list": SIGNED,
        "retrieve": "cloud.view",
        "create": "cloud.register",
        "partial_update": "cloud.manage",
        "destroy": "cloud.manage",
        "refresh": "cloud.refresh",
    }
    serializer_class = CloudAnswer
    lookup_url_kwarg = "name"
    filters = {
        "state": one_of("state", CredentialState.values),
        "health": one_of("health", Health.values),
        "name": Filter("Of this name or id; several with commas between.", _cloud_of("pk")),
        "driver": Filter("Of this driver.", lambda actor, text: Q(cloud__driver=text)),
        "project": IN_PROJECT,
    }
    searched = {"name": "cloud__name", "label": "cloud__label"}
    orders = {"name": "cloud__name", "created_at": "created_at"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[CloudAccount]:
        return access.visible(CloudAccount, request.user).defer("credential", "pending")

    def facts(self, records: Sequence[CloudAccount]) -> list[Shown]:
        return [Shown(facts, _abilities_of(facts.account)) for facts in services.account_facts(records)]

    @extend_schema(responses=CloudWhole)
    def retrieve(self, request: Signed, name: str) -> Response:
        """One cloud, by name or id."""
        return one(request, CloudWhole, self.facts([_account(request, name, "cloud.view")])[0])

    @extend_schema(request=CloudRequest, responses={202: Registered})
    def create(self, request: Signed) -> Response:
        """Register a cloud: by driver and credential, or by a clouds.yaml or openrc file.

        It becomes usable when the operation has logged in there; what is refused is not kept.
        """
        wish = CloudRequest.parse(request)
        project = access.project_named(request.user, wish.get("project", ""), permission="cloud.register")
        driver, credential = _login(wish)
        _, operation = services.register_account(
            actor=request.user,
            project=project,
            name=wish["name"],
            driver=driver,
            credential=credential,
            label=wish.get("label", ""),
            shared=wish.get("shared", False),
        )
        return self._accepted(operation)

    @extend_schema(request=CloudChange, responses={200: CloudAnswer, 202: Registered})
    def partial_update(self, request: Signed, name: str) -> Response:
        """Rename a cloud, switch it on or off, relabel it, or give it another credential.

        Fields of a credential that are not given stay as they are, but for secrets.
        """
        wish = CloudChange.parse(request)
        account = _account(request, name, "cloud.manage")
        operation = services.update_account(
            actor=request.user,
            account=account,
            name=wish.get("name"),
            is_enabled=wish.get("is_active"),
            label=wish.get("label"),
            credential=_other_login(wish, account),
        )
        return self._accepted(operation) if operation else one(request, CloudAnswer, self.facts([account])[0])

    @extend_schema(responses={204: None})
    def destroy(self, request: Signed, name: str) -> Response:
        """Forget a cloud; what runs there goes on running."""
        services.remove_account(actor=request.user, account=_account(request, name, "cloud.manage"))
        return Response(status=204)

    @extend_schema(request=NOTHING, responses={202: CloudAnswer})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Signed, name: str) -> Response:
        """Read everything of a cloud again, now."""
        account = _account(request, name, "cloud.refresh")
        services.refresh_account(actor=request.user, account=account)
        return one(request, CloudAnswer, self.facts([account])[0], status=202)

    def _accepted(self, operation: Operation) -> Response:
        account = CloudAccount.objects.filter(pk=operation.target_id).first() if operation.target_id else None
        shown = CloudAnswer.row(self.facts([account])[0]) if account else None
        return accepted(operation, cloud=shown)


@needs(SIGNED)
class Drivers(APIView):
    """The kinds of clouds that can be registered, and what each needs to know."""

    @extend_schema(responses=DriverAnswers, operation_id="drivers_list")
    def get(self, request: Signed) -> Response:
        check_parameters(request, [])
        return few([_driver(name) for name in services.drivers()])


@functools.cache
def abilities(driver: str) -> dict[str, Ability]:
    """What a driver can do; nothing where it is not installed any more."""
    known = services.drivers().get(driver)
    able = known.abilities if known else {}
    return {name: Ability(able[name], known.abilities.reason(name) if known else "") for name in able}


def _abilities_of(account: CloudAccount) -> Mapping[str, Ability]:
    """What its driver can do, but for what this very cloud lacks."""
    lacks = {name: Ability(able=False, reason=reason) for name, reason in account.lacks.items()}
    return {**abilities(account.cloud.driver), **lacks}


def _driver(name: str) -> Json:
    driver = services.drivers()[name]
    fields = [dataclasses.asdict(field) for field in driver.fields]
    return {"name": name, "label": driver.label, "fields": fields, "abilities": abilities(name)}


def _account(request: Signed, name: str, permission: str) -> CloudAccount:
    accounts = access.visible(CloudAccount, request.user).select_related("cloud", "project", "owner")
    return access.find(accounts, name, actor=request.user, permission=permission, field="cloud__name", kind="cloud")


def _login(wish: Json) -> Login:
    """The driver and the credential, however they were given. Raises Invalid."""
    ways = [way for way in ("driver", "clouds_yaml", "openrc") if wish.get(way)]
    if len(ways) != 1:
        raise Invalid(
            "Say how the cloud is reached, in one way: driver with credential, clouds_yaml with cloud, or openrc.",
            field=ways[1] if ways else "driver",
        )
    if ways == ["driver"]:
        return wish["driver"], wish.get("credential", {})
    if ways == ["openrc"]:
        return "openstack", _completed(openrc.read(wish["openrc"]), wish)
    return "openstack", _completed(cloudsyaml.choose(cloudsyaml.read(wish["clouds_yaml"]), wish.get("cloud", "")), wish)


def _completed(entry: Entry, wish: Json) -> Mapping[str, str]:
    """What a file says, with what it leaves out and was given beside it."""
    credential = {**entry.credential, **wish.get("credential", {})}
    secret = next((name for name in entry.missing if name != "cacert"), "")
    if secret and wish.get("password"):
        credential[secret] = wish["password"]
    absent = [name for name in entry.missing if name not in credential]
    if absent:
        raise Invalid(
            f"The file does not hold {absent[0]}. Give it as {'password' if absent[0] == secret else 'credential'}.",
            field="password" if absent[0] == secret else "credential",
            missing=absent,
        )
    return credential


def _other_login(wish: Json, account: CloudAccount) -> Mapping[str, str] | None:
    """The credential to replace an account's, if one was given. Raises Invalid."""
    if wish.get("clouds_yaml") or wish.get("openrc"):
        return _login({**wish, "driver": ""})[1]
    if wish.get("driver") and wish["driver"] != account.cloud.driver:
        raise Invalid(
            f"{account} is a cloud of {account.cloud.driver}, which cannot be changed. Register another one.",
            field="driver",
        )
    return {**account.facts, **wish["credential"]} if wish.get("credential") else None
