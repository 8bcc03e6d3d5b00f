"""Every failure as RFC 9457 problem+json: a sentence for the person, facts for the program, never a stack trace."""

import logging
import re
from typing import Any

import redis
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from cloudmesh import errors
from cloudmesh.errors import CloudmeshError
from cloudmesh.types import Json
from portal.api import JSON

#: What DRF raises, in our own words; its other exceptions keep their names.
KINDS: dict[type[exceptions.APIException], type[CloudmeshError]] = {
    exceptions.NotAuthenticated: errors.NotAuthenticated,
    exceptions.AuthenticationFailed: errors.NotAuthenticated,
    exceptions.PermissionDenied: errors.NotAllowed,
    exceptions.NotFound: errors.NotFound,
    exceptions.ParseError: errors.Invalid,
    exceptions.ValidationError: errors.Invalid,
}

SIGN_IN = "You are not signed in. Send an API token as 'Authorization: Bearer cm_…', or run: cm login"

UNSEEN = "There is nothing here, or nothing that you may see."
UNREADABLE = "The request holds something that cannot be: too long, or a character that is none."
NOT_READY = "The portal's own services do not answer just now. Nothing is lost; try again in a minute."
MISTAKE = "The portal itself failed here. Its log has the details; try again or tell the operators."

PLACEHOLDER = re.compile(r' "\{\w+\}"')  # in what DRF calls its errors

log = logging.getLogger(__name__)


class NotReady(CloudmeshError):
    """The database or Redis is away."""

    status, title = 503, "Not ready"


def problem(error: Exception, context: dict[str, Any]) -> Response:
    """The answer to whatever an end point raised."""
    if isinstance(error, exceptions.ValidationError):
        return _ours(errors.Invalid(_first(error.detail), errors=_sentences(error.detail)))
    if isinstance(error, exceptions.APIException):
        return _drf(error)
    return _ours(error if isinstance(error, CloudmeshError) else _meaning(error, context))


def answer_to(error: CloudmeshError) -> HttpResponse:
    """The same where no end point was reached."""
    answer = _ours(error)
    headers = {**answer.headers, "Content-Type": "application/problem+json"}
    return HttpResponse(JSON().render(answer.data), status=answer.status_code, headers=headers)


def _meaning(error: Exception, context: dict[str, Any]) -> CloudmeshError:
    """What an error of Django's, of the database or of our own making means to people; its words may tell too much."""
    if isinstance(error, Http404):
        return errors.NotFound(UNSEEN)
    if isinstance(error, PermissionDenied):
        return errors.NotAllowed(str(error) or "You may not do this.")
    if isinstance(error, RequestDataTooBig | SuspiciousOperation | DataError):
        return errors.Invalid(UNREADABLE)
    request = context.get("request")
    where = f"{request.method} {request.path}" if request else "?"
    if isinstance(error, OperationalError | InterfaceError | redis.RedisError):
        log.warning("%s: %s", where, error)
        return NotReady(NOT_READY)
    log.error("%s", where, exc_info=error)
    return CloudmeshError(MISTAKE)


def _ours(error: CloudmeshError) -> Response:
    facts = dict(error.facts)
    if "field" in facts:
        facts.setdefault("errors", {facts["field"]: [error.message]})
    answer = _answer(type(error).__name__, error.title, error.status, error.message, facts)
    if "retry_after" in facts:
        answer["Retry-After"] = str(facts["retry_after"])
    return answer


def _drf(error: exceptions.APIException) -> Response:
    kind = KINDS.get(type(error))
    title = kind.title if kind else PLACEHOLDER.sub("", str(error.default_detail)).rstrip(".")
    detail = SIGN_IN if isinstance(error, exceptions.NotAuthenticated) else str(error.detail)
    answer = _answer(kind.__name__ if kind else type(error).__name__, title, error.status_code, detail, {})
    for header, attribute in (("WWW-Authenticate", "auth_header"), ("Retry-After", "wait")):
        value = getattr(error, attribute, None)
        if value:
            answer[header] = str(round(value)) if isinstance(value, float) else str(value)
    return answer


def _answer(name: str, title: str, status: int, detail: str, facts: Json) -> Response:
    kebab = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
    body = {**facts, "type": f"/docs/errors/{kebab}", "title": title, "status": status, "detail": detail}
    return Response(body, status=status, content_type="application/problem+json")


def _sentences(detail: Any, field: str = "") -> Any:
    """DRF's errors with whole sentences: "This field is required." becomes "count is required."."""
    if isinstance(detail, dict):
        return {name: _sentences(inner, str(name)) for name, inner in detail.items()}
    if isinstance(detail, list):
        return [_sentences(inner, field) for inner in detail]
    text = str(detail).replace("This field", field or "It")
    return text if not field or field in text else f"{field}: {text}"


def _first(detail: Any) -> str:
    """One sentence out of many."""
    sentences = _sentences(detail)
    while not isinstance(sentences, str):
        sentences = next(iter(sentences.values() if isinstance(sentences, dict) else sentences))
    return sentences
