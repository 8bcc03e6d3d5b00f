"""Webhooks over REST: where one's programs are told of events."""

import dataclasses
import uuid
from collections.abc import Sequence

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from accounts import services as accounts
from accounts.models import Webhook
from activity.api import Answer, Body, Flag, Lists, Signed, Text, Texts, one
from activity.views import OWN, SIGNED
from projects import access, services
from projects.models import Project

LATEST = 20  # deliveries


@dataclasses.dataclass(frozen=True)
class Told:
    """A webhook and the name of the project whose events it is told of."""

    webhook: Webhook
    project: str | None


class WebhookAnswer(Answer):
    """A URL that is told of events, signed with a secret that is not shown again."""

    id = serializers.UUIDField(source="webhook.pk")
    url = serializers.CharField(source="webhook.url")
    project = serializers.CharField(allow_null=True, help_text="Whose events; without one your own")
    kinds = serializers.ListField(
        source="webhook.kinds", child=serializers.CharField(), help_text="Of events; none for all"
    )
    is_enabled = serializers.BooleanField(source="webhook.is_enabled")
    failures = serializers.IntegerField(source="webhook.failures", help_text="In a row")
    problem = serializers.CharField(source="webhook.problem", help_text="What was wrong the last time")
    seq = serializers.IntegerField(source="webhook.seq", help_text="The last event that was looked at")
    created_at = serializers.DateTimeField(source="webhook.created_at")


class NewWebhook(WebhookAnswer):
    """A webhook with its signing secret, which is shown this once."""

    secret = serializers.CharField()


class DeliveryAnswer(Answer):
    """One event on its way to a webhook."""

    seq = serializers.IntegerField(help_text="The number of the event")
    attempts = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="HTTP status of the last answer")
    problem = serializers.CharField()
    done_at = serializers.DateTimeField(allow_null=True)
    next_at = serializers.DateTimeField(help_text="When it is tried next, unless it is done")


class WebhookDetail(WebhookAnswer):
    """A webhook with its last deliveries."""

    deliveries = DeliveryAnswer(many=True)


@dataclasses.dataclass(frozen=True)
class Detail(Told):
    deliveries: Sequence[object]


class WebhookRequest(Body):
    url = Text(help_text="http or https; private addresses for administrators only")
    project = Text(required=False, help_text="Whose events, by name or id; without one your own")
    kinds = Texts(required=False, help_text="Of events, such as server; none for all")


class WebhookChange(Body):
    kinds = Texts(required=False, help_text="Of events, such as server; none for all")
    is_enabled = Flag(required=False, help_text="Switched on, it goes on where it stopped")
    skip = Flag(required=False, help_text="When switching on: leave out what happened meanwhile")


class Webhooks(Lists):
    """One's own webhooks."""

    permissions = {
        "list": SIGNED,
        "create": SIGNED,
        "retrieve": OWN,
        "partial_update": OWN,
        "destroy": OWN,
        "test": OWN,
    }
    serializer_class = WebhookAnswer
    lookup_url_kwarg = "webhook"
    lookup_value_converter = "uuid"
    throttle_scope = "login"
    orders = {"created_at": "created_at"}
    ordering = "created_at"

    def get_throttles(self) -> list[ScopedRateThrottle]:  # type: ignore[override]
        return [ScopedRateThrottle()] if self.action in ("create", "test") else []

    def records(self, request: Signed) -> QuerySet[Webhook]:
        return access.visible(Webhook, request.user)

    def facts(self, records: Sequence[Webhook]) -> list[Told]:
        ids = {webhook.project_id for webhook in records if webhook.project_id}
        names = dict(Project.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
        return [Told(each, names.get(each.project_id) if each.project_id else None) for each in records]

    @extend_schema(request=WebhookRequest, responses={201: NewWebhook})
    def create(self, request: Signed) -> Response:
        """A new webhook; the secret is in this answer and nowhere else."""
        wish = WebhookRequest.parse(request)
        name = wish.get("project", "")
        project = access.project_named(request.user, name, permission="webhook.manage") if name else None
        webhook, secret = services.add_webhook(
            actor=request.user, url=wish["url"], project=project, kinds=wish.get("kinds", ())
        )
        return Response({**WebhookAnswer.row(self.facts([webhook])[0]), "secret": secret}, status=201)

    @extend_schema(responses=WebhookDetail)
    def retrieve(self, request: Signed, webhook: uuid.UUID) -> Response:
        found = self._own(request, webhook)
        told = self.facts([found])[0]
        return one(request, WebhookDetail, Detail(found, told.project, list(found.deliveries.all()[:LATEST])))

    @extend_schema(request=WebhookChange, responses=WebhookAnswer)
    def partial_update(self, request: Signed, webhook: uuid.UUID) -> Response:
        """Tell it of other kinds, switch it on or off."""
        wish, found = WebhookChange.parse(request), self._own(request, webhook)
        if "kinds" in wish:
            accounts.change_webhook(actor=request.user, webhook=found, kinds=wish["kinds"])
        if wish.get("is_enabled"):
            services.enable_webhook(actor=request.user, webhook=found, skip=wish.get("skip", False))
        elif "is_enabled" in wish:
            accounts.disable_webhook(actor=request.user, webhook=found, reason="Switched off by its owner.")
        return one(request, WebhookAnswer, self.facts([found])[0])

    @extend_schema(responses={204: None})
    def destroy(self, request: Signed, webhook: uuid.UUID) -> Response:
        """Tell it nothing more."""
        accounts.remove_webhook(actor=request.user, webhook=self._own(request, webhook))
        return Response(status=204)

    @extend_schema(request=None, responses={202: WebhookAnswer})
    def test(self, request: Signed, webhook: uuid.UUID) -> Response:
        """Have it told of an event about itself."""
        found = self._own(request, webhook)
        services.test_webhook(actor=request.user, webhook=found)
        return one(request, WebhookAnswer, self.facts([found])[0], status=202)

    def _own(self, request: Signed, pk: uuid.UUID) -> Webhook:
        return access.fetch(Webhook, pk, actor=request.user, permission="webhook.manage")
