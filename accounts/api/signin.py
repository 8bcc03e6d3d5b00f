"""How programs sign in and out over REST: by password, through somebody's browser (RFC 8628), with what they have."""

from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.api.tokens import NewToken, TokenAnswer, TokenRequest, Wanted
from accounts.backends import address_of
from accounts.models import ApiToken
from activity.api import Answer, Body, Text
from activity.views import PUBLIC, needs


class Nobody(APIView):
    """An end point for those who are not signed in: no cookie of a browser means anything here."""

    authentication_classes: Any = ()
    permission_classes: Any = ()


class LoginRequest(TokenRequest):
    username = Text(max_length=254)
    password = Text(max_length=4096, trim_whitespace=False)
    code = Text(required=False, max_length=100, help_text="Of the second factor, where there is one")


@needs(PUBLIC)
@method_decorator(never_cache, name="dispatch")
class Login(Nobody):
    """A token for a user name and password."""

    @extend_schema(request=LoginRequest, responses={201: NewToken})
    def post(self, request: Request) -> Response:
        """403 with `needs: code` says that the code of a second factor is missing."""
        wish = LoginRequest.parse(request)
        token, secret = services.enter_program(
            name=wish["username"],
            password=wish["password"],
            code=wish.get("code", ""),
            address=address_of(request._request),
            program=wish.get("name", ""),
            scopes=wish.get("scopes", ApiToken.Scope.values),
            life=Wanted.life(wish),
        )
        return Response({**TokenAnswer.row(token), "token": secret}, status=201)


class LogoutRequest(Body):
    token = Text(max_length=200, help_text="The secret that is to open nothing any more")


@needs(PUBLIC)
class Logout(Nobody):
    """The end of a token, by whoever has it (RFC 7009)."""

    @extend_schema(request=LogoutRequest, responses={204: None})
    def post(self, request: Request) -> Response:
        """Of a token that is none, or ended already, the same is said."""
        services.revoke_secret(secret=LogoutRequest.parse(request)["token"])
        return Response(status=204)


class DeviceRequest(Wanted):
    client = Text(max_length=32, help_text="What the program is called")
    host = Text(max_length=30, help_text="Where it runs")


class DeviceCode(NamedTuple):
    device_code: str
    user_code: str
    verification_uri: str
    expires_in: float
    interval: float

    @property
    def verification_uri_complete(self) -> str:
        return f"{self.verification_uri}?code={self.user_code}"


class DeviceAnswer(Answer):
    """What RFC 8628, 3.2 answers."""

    device_code = serializers.CharField(help_text="Fetches the token; the program's secret")
    user_code = serializers.CharField(help_text="For the person, to compare or to type")
    verification_uri = serializers.URLField()
    verification_uri_complete = serializers.URLField()
    expires_in = serializers.FloatField(help_text="Seconds")
    interval = serializers.FloatField(help_text="Seconds between two questions for the token")


@needs(PUBLIC)
@method_decorator(never_cache, name="dispatch")
class Devices(Nobody):
    """Ask to be let in by somebody in their browser."""

    @extend_schema(request=DeviceRequest, responses={200: DeviceAnswer})
    def post(self, request: Request) -> Response:
        wish = DeviceRequest.parse(request)
        _, secret, code = services.ask_to_enter(
            client=wish["client"],
            host=wish["host"],
            address=address_of(request._request),
            scopes=wish.get("scopes", ApiToken.Scope.values),
            days=Wanted.life(wish).days,
        )
        answer = DeviceCode(
            device_code=secret,
            user_code=code,
            verification_uri=request.build_absolute_uri(reverse("portal:device")),
            expires_in=services.DEVICE_LIFE.total_seconds(),
            interval=services.DEVICE_INTERVAL.total_seconds(),
        )
        return Response(DeviceAnswer.row(answer))


class FetchRequest(Body):
    device_code = Text(max_length=200)


@needs(PUBLIC)
@method_decorator(never_cache, name="dispatch")
class DeviceTokens(Nobody):
    """The token of a program that was let in."""

    @extend_schema(request=FetchRequest, responses={201: NewToken})
    def post(self, request: Request) -> Response:
        """`error` says why not (yet): authorization_pending, slow_down, expired_token or access_denied."""
        token, secret = services.fetch_token(secret=FetchRequest.parse(request)["device_code"])
        return Response({**TokenAnswer.row(token), "token": secret}, status=201)
