"""Every unsafe request of the API honours an Idempotency-Key, whatever end point it is for."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.settings import api_settings

from accounts import services as accounts
from accounts.models import ApiToken, User
from cloudmesh.errors import CloudmeshError
from portal.api.problems import answer_to

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
KEPT_HEADERS = ("Content-Type", "Location")
REFUSALS = (exceptions.APIException, PermissionDenied, RequestDataTooBig, UnreadablePostError)

Answering = Callable[[HttpRequest], HttpResponse]


def once(get_response: Answering) -> Answering:
    """Middleware: the same key with the same request is done once, and answered alike however often it comes."""

    def answer(request: HttpRequest) -> HttpResponse:
        key = request.headers.get("Idempotency-Key", "")
        if not key or request.method in SAFE or not request.path.startswith("/api/"):
            return get_response(request)
        try:
            user, token = _asker(request)
            sent = _sent(request, token)
        except REFUSALS:
            return get_response(request)  # which says what is wrong
        if not isinstance(user, User):
            return get_response(request)
        try:
            return _answer_once(get_response, request, user, key, sent)
        except CloudmeshError as error:
            return answer_to(error)

    return answer


def _answer_once(get_response: Answering, request: HttpRequest, user: User, key: str, sent: bytes) -> HttpResponse:
    with accounts.once(actor=user, key=key, sent=sent) as turn:
        if turn.before:
            headers = {**turn.before.headers, "Idempotency-Replayed": "true"}
            return HttpResponse(turn.before.body, status=turn.before.status, headers=headers)
        response = get_response(request)
        headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        turn.keep(accounts.Reply(response.status_code, headers, response.content))
        return response


def _asker(request: HttpRequest) -> tuple[Any, Any]:
    """Who asks and with which token, as the end point will see it. Raises what refuses them."""
    kinds: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    asked = Request(request, authenticators=[kind() for kind in kinds])
    return asked.user, asked.auth


def _sent(request: HttpRequest, token: Any) -> bytes:
    """All that makes a request the same: by another token it is another one, since that may do other things."""
    by = str(token.pk) if isinstance(token, ApiToken) else ""
    return f"{request.method} {request.get_full_path()} {by}\n".encode() + request.body
