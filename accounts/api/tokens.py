"""API tokens over REST: what programs sign in with."""

import datetime
import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from accounts import services
from accounts.models import ApiToken
from activity.api import Answer, Body, Lists, Signed, Text, Texts, Whole, one
from activity.views import OWN, SIGNED
from cloudmesh.errors import Invalid, NotFound
from cloudmesh.types import Json

LONGEST = 3650  # days


class TokenAnswer(Answer):
    """An API token; its secret is not kept."""

    id = serializers.UUIDField(source="pk")
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(ApiToken.Scope.choices))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class NewToken(TokenAnswer):
    """An API token with its secret, which is shown this once."""

    token = serializers.CharField()


class Wanted(Body):
    """What a token is to be good for, and how long."""

    scopes = Texts(required=False, help_text="read and write, or only read")
    expires_days = Whole(required=False, help_text=f"From now; 1 to {LONGEST}, a year if not given")

    @staticmethod
    def life(wish: Json) -> datetime.timedelta:
        """How long the token is to live. Raises Invalid."""
        days = wish.get("expires_days", services.TOKEN_LIFE.days)
        if not 1 <= days <= LONGEST:
            raise Invalid(f"expires_days must be between 1 and {LONGEST}, not {days}.", field="expires_days")
        return datetime.timedelta(days=days)


class TokenRequest(Wanted):
    name = Text(required=False, max_length=64, help_text="To know it by")


class Tokens(Lists):
    """One's own API tokens."""

    permissions = {
        "list": SIGNED,
        "create": SIGNED,
        "retrieve": OWN,
        "destroy": OWN,
    }
    serializer_class = TokenAnswer
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    throttle_scope = "login"
    orders = {"created_at": "created_at", "name": "name"}
    ordering = "-created_at"

    def get_throttles(self) -> list[ScopedRateThrottle]:  # type: ignore[override]
        return [ScopedRateThrottle()] if self.action == "create" else []

    def records(self, request: Signed) -> QuerySet[ApiToken]:
        mine = ApiToken.objects.filter(user=request.user)
        return mine.filter(project_id=request.user.only_project) if request.user.only_project else mine

    @extend_schema(request=TokenRequest, responses={201: NewToken})
    def create(self, request: Signed) -> Response:
        """A new token; the secret is in this answer and nowhere else."""
        wish = TokenRequest.parse(request)
        token, secret = services.issue_token(
            user=request.user,
            name=wish.get("name", ""),
            scopes=wish.get("scopes", ApiToken.Scope.values),
            life=Wanted.life(wish),
        )
        return Response({**TokenAnswer.row(token), "token": secret}, status=201)

    @extend_schema(responses=TokenAnswer)
    def retrieve(self, request: Signed, id: uuid.UUID) -> Response:
        return one(request, TokenAnswer, self._own(request, id))

    @extend_schema(responses={204: None})
    def destroy(self, request: Signed, id: uuid.UUID) -> Response:
        """End a token at once."""
        services.revoke_token(token=self._own(request, id), actor=request.user)
        return Response(status=204)

    def _own(self, request: Signed, id: uuid.UUID) -> ApiToken:
        token = self.records(request).filter(pk=id).first()
        if token is None:
            raise NotFound(f"You have no API token {str(id)!r}.")
        return token
