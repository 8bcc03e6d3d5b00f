"""Operations over REST: what was asked for, how far it is, and changing one's mind."""

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.models import User
from activity.api import Answer, Body, Filter, Lists, Signed, Text, one, one_of
from activity.views import SIGNED
from cloudmesh.errors import Invalid
from cloudmesh.types import Json
from operations import services
from operations.models import Operation, OperationState
from projects import access
from projects.api import IN_PROJECT

NOTHING = None  # an end point that reads no body


class TargetAnswer(Answer):
    """What an operation is done to."""

    kind = serializers.CharField(source="target_kind", help_text="server, cloud, …; empty for a batch")
    id = serializers.UUIDField(source="target_id", allow_null=True)
    name = serializers.CharField(source="target_name")


class OperationAnswer(Answer):
    """A wish, and how far it is."""

    id = serializers.UUIDField(source="operation.pk")
    kind = serializers.CharField(source="operation.kind", help_text="server.create, cloud.verify, …")
    state = serializers.ChoiceField(OperationState.choices, source="operation.state")
    progress = serializers.IntegerField(source="operation.progress", help_text="0 to 100")
    step = serializers.CharField(source="operation.step", help_text="What happens now")
    reason = serializers.CharField(source="operation.state_reason", help_text="Why it is in this state")
    target = TargetAnswer(source="operation")
    project = serializers.CharField(source="operation.project.name")
    actor = serializers.CharField(source="operation.owner.username", allow_null=True)
    parent = serializers.UUIDField(source="operation.parent_id", allow_null=True)  # type: ignore[assignment]
    is_batch = serializers.BooleanField(source="operation.is_batch")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Of a batch: its parts by state")
    attempts = serializers.IntegerField(source="operation.attempts")
    created_at = serializers.DateTimeField(source="operation.created_at")
    started_at = serializers.DateTimeField(source="operation.started_at", allow_null=True)
    finished_at = serializers.DateTimeField(source="operation.finished_at", allow_null=True)
    version = serializers.IntegerField(source="operation.version")


class OperationWhole(OperationAnswer):
    """A wish with what came of it."""

    result = serializers.JSONField(help_text="For whoever asked; empty for others")
    decision = serializers.DictField(allow_null=True, help_text="What policies said, where somebody had to be asked")
    next = serializers.CharField(help_text="What can be done about it; empty where nothing needs to be done")


class Accepted(Answer):
    """A wish that was taken down."""

    operation = OperationAnswer()


class Rejection(Body):
    reason = Text(help_text="Told to whoever asked")


def _target(actor: User, text: str) -> Q:
    try:
        return Q(target_id=uuid.UUID(text))
    except ValueError:
        return Q(target_name=text)


def _parent(actor: User, text: str) -> Q:
    try:
        return Q(parent=uuid.UUID(text))
    except ValueError:
        raise Invalid(f"parent is the id of an operation, not {text[:40]!r}.", field="parent") from None


class Operations(Lists):
    """What was asked for."""

    permissions = {
        "list": SIGNED,
        "retrieve": "operation.view",
        "cancel": "operation.cancel",
        "retry": "operation.retry",
        "approve": "operation.approve",
        "reject": "operation.approve",
    }
    serializer_class = OperationAnswer
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    filters = {
        "state": one_of("state", OperationState.values),
        "kind": Filter("Of this kind, such as server.create.", lambda actor, text: Q(kind=text)),
        "project": IN_PROJECT,
        "parent": Filter("The parts of this batch.", _parent),
        "target": Filter("Done to this thing, by id or name.", _target),
    }
    searched = {"target": "target_name", "kind": "kind", "reason": "state_reason"}
    orders = {"created_at": "created_at", "state": "state", "kind": "kind"}
    ordering = "-created_at"

    def records(self, request: Signed) -> QuerySet[Operation]:
        seen = access.visible(Operation, request.user).select_related("project", "owner")
        return seen.defer("params", "result")

    def facts(self, records: Sequence[Any]) -> Sequence[Any]:
        return services.operation_facts(records)

    @extend_schema(responses=OperationWhole)
    def retrieve(self, request: Signed, id: uuid.UUID) -> Response:
        operation = access.fetch(Operation, id, actor=request.user, permission="operation.view")
        result = services.result_of(operation, actor=request.user)
        return one(request, OperationWhole, dataclasses.replace(self.facts([operation])[0], result=result))

    @extend_schema(request=NOTHING, responses=OperationAnswer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Signed, id: uuid.UUID) -> Response:
        """Take a wish back; what was begun is undone."""
        operation = access.fetch(Operation, id, actor=request.user, permission="operation.cancel")
        return Response(answer_of(services.cancel(actor=request.user, operation=operation)))

    @extend_schema(request=NOTHING, responses={202: OperationAnswer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Signed, id: uuid.UUID) -> Response:
        """Try a failed wish once more."""
        operation = access.fetch(Operation, id, actor=request.user, permission="operation.retry")
        operation = services.retry(actor=request.user, operation=operation)
        return Response(answer_of(operation), status=202, headers=location(operation))

    @extend_schema(request=NOTHING, responses={202: OperationAnswer})
    @action(detail=True, methods=["post"])
    def approve(self, request: Signed, id: uuid.UUID) -> Response:
        """Let a waiting wish of somebody else go ahead."""
        operation = access.fetch(Operation, id, actor=request.user, permission="operation.approve")
        operation = services.approve(actor=request.user, operation=operation)
        return Response(answer_of(operation), status=202, headers=location(operation))

    @extend_schema(request=Rejection, responses=OperationAnswer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Signed, id: uuid.UUID) -> Response:
        """Refuse a waiting wish of somebody else, with a reason."""
        operation = access.fetch(Operation, id, actor=request.user, permission="operation.approve")
        reason = Rejection.parse(request)["reason"]
        return Response(answer_of(services.reject(actor=request.user, operation=operation, reason=reason)))


def answer_of(operation: Operation) -> Json:
    return OperationAnswer.row(services.operation_facts([operation])[0])


def location(operation: Operation) -> dict[str, str]:
    return {"Location": reverse("api:operation-detail", args=[operation.pk])}


def accepted(operation: Operation, **others: Any) -> Response:
    """202 with the operation, and where to see what becomes of it."""
    return Response({"operation": answer_of(operation), **others}, status=202, headers=location(operation))
