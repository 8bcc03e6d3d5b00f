"""What one is signed in with, over REST: browsers, and whether there is a second factor."""

import dataclasses
import datetime
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import backends, services
from accounts.models import Authenticator, Session
from activity.api import Answer, Lists, Signed, one
from activity.views import OWN, SIGNED, needs
from cloudmesh.errors import NotFound


class SessionAnswer(Answer):
    """A browser that one is signed in with."""

    id = serializers.CharField(source="pk", help_text="Signs nobody in")
    device = serializers.CharField()
    address = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text="To some minutes")
    is_current = serializers.BooleanField(help_text="Whether this request came with it")


class Sessions(Lists):
    """The browsers that one is signed in with."""

    permissions = {
        "list": SIGNED,
        "destroy": OWN,
    }
    serializer_class = SessionAnswer
    lookup_url_kwarg = "session"
    orders = {"seen_at": "seen_at", "created_at": "created_at"}
    ordering = "-seen_at"

    def records(self, request: Signed) -> QuerySet[Session]:
        if request.user.only_project:
            return Session.objects.none()
        this = Q(pk=backends.session_id(request))
        return services.sessions_of(request.user).annotate(is_current=ExpressionWrapper(this, BooleanField()))

    @extend_schema(responses={204: None})
    def destroy(self, request: Signed, session: str) -> Response:
        """Sign a browser out; its open pages end at once."""
        found = self.records(request).filter(pk=session).first()
        if found is None:
            raise NotFound("You have no such session, or it has ended already.")
        services.end_session(session=found, actor=request.user)
        return Response(status=204)


@dataclasses.dataclass(frozen=True)
class Factor:
    is_enabled: bool
    enabled_at: datetime.datetime | None
    recovery_codes: int


class FactorAnswer(Answer):
    """One's second factor; it is set up in the web alone."""

    is_enabled = serializers.BooleanField()
    enabled_at = serializers.DateTimeField(allow_null=True)
    recovery_codes = serializers.IntegerField(help_text="That are left")


@needs(SIGNED)
class SecondFactor(APIView):
    """Whether one signs in with a second factor."""

    @extend_schema(responses=FactorAnswer)
    def get(self, request: Signed) -> Response:
        known: Any = Authenticator.objects.filter(user=request.user.pk).first()
        enabled_at = known.confirmed_at if known else None
        return one(
            request,
            FactorAnswer,
            Factor(enabled_at is not None, enabled_at, services.recovery_codes_left(request.user)),
        )
