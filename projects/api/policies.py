"""Policies over REST: what is in force, every edition for the staff, and what all of them say to somebody."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from activity.api import Answer, Body, Filter, Lists, OneOf, Signed, Text, check_parameters, one, one_of
from activity.views import SIGNED
from cloudmesh.errors import Invalid
from cloudmesh.types import Json
from projects import access, services
from projects.models import Effect, Policy, PolicyState, SubjectKind

NOTHING = None  # an end point that reads no body
ASKED = ("user", "project", "service")


class PolicyAnswer(Answer):
    """One edition of a policy."""

    id = serializers.UUIDField(source="pk")
    name = serializers.CharField()
    edition = serializers.IntegerField()
    state = serializers.ChoiceField(PolicyState.choices)
    reason = serializers.CharField(source="state_reason", help_text="Why it is in this state")
    effect = serializers.ChoiceField(Effect.choices)
    service = serializers.CharField(help_text="cloud:india, cloud:*, queue:india/batch, machines:i[1-8]")
    subject_kind = serializers.ChoiceField(SubjectKind.choices)
    subject = serializers.CharField(help_text="Names with commas between, or a rule")
    limits = serializers.DictField(child=serializers.IntegerField(), help_text="Resource, also RESOURCE_per_wish")
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.username", allow_null=True)
    approved_by = serializers.CharField(source="approved_by.username", allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()


class RulingAnswer(Answer):
    """What one policy says about a wish."""

    policy = serializers.CharField()
    edition = serializers.IntegerField()
    effect = serializers.ChoiceField(Effect.choices)
    reason = serializers.CharField(help_text="A sentence with the numbers")


class DecisionAnswer(Answer):
    """What policies say about a wish, why, and what can be done."""

    effect = serializers.ChoiceField(Effect.choices)
    reasons = serializers.ListField(child=serializers.CharField())
    rules = RulingAnswer(many=True)
    next = serializers.CharField(help_text="What can be done; empty where nothing needs to be")


class Amounts(serializers.DictField):
    """Whole numbers by name; the service says which names there are."""

    def to_internal_value(self, data: Any) -> Json:
        if not isinstance(data, dict):
            raise serializers.ValidationError(f"{self.field_name} must be an object such as {{cores: 8}}.")
        return data


class PolicyBody(Body):
    effect = OneOf(Effect.choices)
    service = Text()
    subject_kind = OneOf(SubjectKind.choices, required=False)
    subject = Text(required=False)
    limits = Amounts(required=False)
    starts = Text(required=False, help_text="+3d2h, +1w, 2026-12-24, 2026-12-24T18:00")
    ends = Text(required=False, help_text="The same; a duration counts from the start")
    note = Text(required=False)


class PolicyDraft(PolicyBody):
    name = Text()


class PolicyChange(PolicyBody):
    effect = OneOf(Effect.choices, required=False)
    service = Text(required=False)


class PolicyReason(Body):
    reason = Text()


class Policies(Lists):
    """What policies allow, ask for and deny."""

    permissions = {
        "list": SIGNED,
        "retrieve": SIGNED,
        "create": "policy.propose",
        "partial_update": "policy.propose",
        "propose": "policy.propose",
        "approve": "policy.approve",
        "send_back": "policy.propose",
        "retire": "policy.propose",
        "effective": SIGNED,
    }
    serializer_class = PolicyAnswer
    lookup_url_kwarg = "policy"
    lookup_value_converter = "uuid"
    filters = {
        "state": one_of("state", PolicyState.values),
        "effect": one_of("effect", Effect.values),
        "name": Filter("All editions of this policy.", lambda actor, text: Q(name=text)),
    }
    searched = {"name": "name", "subject": "subject", "service": "service", "note": "note"}
    orders = {"name": "name", "created_at": "created_at"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[Policy]:
        return access.visible(Policy, request.user).select_related("proposed_by", "approved_by")

    def facts(self, records: Sequence[Policy]) -> Sequence[Policy]:
        return records

    @extend_schema(responses=PolicyAnswer)
    def retrieve(self, request: Signed, policy: uuid.UUID) -> Response:
        """One edition."""
        return one(request, PolicyAnswer, access.first_named(self.records(request), str(policy), kind="policy"))

    @extend_schema(request=PolicyDraft, responses={201: PolicyAnswer})
    def create(self, request: Signed) -> Response:
        """Draft a policy; it holds for nobody before it is proposed, and approved by somebody else."""
        access.require_portal(request.user, "policy.propose")
        drafted = services.draft_policy(actor=request.user, **PolicyDraft.parse(request))
        return Response(PolicyAnswer.row(drafted), status=201)

    @extend_schema(request=PolicyChange, responses=PolicyAnswer)
    def partial_update(self, request: Signed, policy: uuid.UUID) -> Response:
        """Change a draft; of what was approved a new edition is drafted, which this answers."""
        found = self._found(policy, "policy.propose")
        return self._answer(services.edit_policy(actor=request.user, policy=found, **_given(PolicyChange, request)))

    @extend_schema(request=NOTHING, responses=PolicyAnswer)
    @action(detail=True, methods=["post"])
    def propose(self, request: Signed, policy: uuid.UUID) -> Response:
        """Put a draft before those who may approve it."""
        found = self._found(policy, "policy.propose")
        return self._answer(services.propose_policy(actor=request.user, policy=found))

    @extend_schema(request=NOTHING, responses=PolicyAnswer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Signed, policy: uuid.UUID) -> Response:
        """Put what somebody else proposed in force."""
        found = self._found(policy, "policy.approve")
        return self._answer(services.approve_policy(actor=request.user, policy=found))

    @extend_schema(request=PolicyReason, responses=PolicyAnswer)
    @action(detail=True, methods=["post"], url_path="return")
    def send_back(self, request: Signed, policy: uuid.UUID) -> Response:
        """Make a draft again of what is proposed."""
        found = self._found(policy, "policy.propose")
        reason = PolicyReason.parse(request)["reason"]
        return self._answer(services.return_policy(actor=request.user, policy=found, reason=reason))

    @extend_schema(request=PolicyReason, responses=PolicyAnswer)
    @action(detail=True, methods=["post"])
    def retire(self, request: Signed, policy: uuid.UUID) -> Response:
        """Put a policy out of force for good."""
        found = self._found(policy, "policy.propose")
        reason = PolicyReason.parse(request)["reason"]
        return self._answer(services.retire_policy(actor=request.user, policy=found, reason=reason))

    @extend_schema(responses=DecisionAnswer, parameters=[OpenApiParameter(name) for name in ASKED])
    @action(detail=False, methods=["get"])
    def effective(self, request: Signed) -> Response:
        """What all policies together say to somebody (yourself if not said) in a project about a service."""
        check_parameters(request, ASKED)
        asked = {name: request.query_params.get(name, "").strip() for name in ASKED}
        if not asked["service"]:
            raise Invalid("Say of which service: ?service=cloud:india", field="service")
        project = access.project_named(request.user, asked["project"], permission="project.view")
        user = _person(request.user, asked["user"]) if asked["user"] else request.user
        decision = services.effective_policy(actor=request.user, user=user, project=project, service=asked["service"])
        return Response(DecisionAnswer.row(decision))

    def _found(self, pk: uuid.UUID, permission: str) -> Policy:
        return access.fetch(Policy, pk, actor=self.request.user, permission=permission)

    def _answer(self, policy: Policy) -> Response:
        return Response(PolicyAnswer.row(policy))


def _given(body: type[Body], request: Request) -> Json:
    """What was sent, also where it is empty: that takes a value away."""
    return {name: value for name, value in body.parse(request).items() if name in request.data}


def _person(actor: User, name: str) -> User:
    return access.first_named(access.visible(User, actor), name, field="username", kind="user")
