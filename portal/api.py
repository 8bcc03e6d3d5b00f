"""The REST API's own rules: how it answers, pages and says what went wrong."""

import re
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.pagination import CursorPagination
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from cloudmesh.errors import CloudmeshError


class JSON(BaseRenderer):
    """JSON by orjson, 10 times quicker than the standard one."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS)


class Paging(CursorPagination):
    """Cursor pages: they neither skip nor repeat while rows come and go."""

    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"
    ordering = ("-created_at", "-pk")


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every failure as RFC 9457 problem+json."""
    if isinstance(error, CloudmeshError):
        return _problem(type(error).__name__, error.title, error.status, error.message, error.facts)
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing here, or nothing that you may see.")
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    if isinstance(error, exceptions.ValidationError):
        return _problem(
            "Invalid", "Invalid input", status.HTTP_400_BAD_REQUEST, _first(error.detail), {"errors": error.detail}
        )
    if isinstance(error, exceptions.APIException):
        answer = _problem(type(error).__name__, error.default_detail, error.status_code, str(error.detail), {})
        for header, value in (("WWW-Authenticate", "auth_header"), ("Retry-After", "wait")):
            if getattr(error, value, None):
                answer[header] = str(getattr(error, value))
        return answer
    return None


def _problem(kind: str, title: Any, code: int, detail: str, facts: dict[str, Any]) -> Response:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()
    body = {**facts, "type": f"/docs/errors/{name}", "title": str(title).rstrip("."), "status": code, "detail": detail}
    return Response(body, status=code, content_type="application/problem+json")


def _first(detail: Any) -> str:
    """One sentence out of DRF's nested errors: the field and what is wrong with it."""
    if isinstance(detail, dict):
        field, inner = next(iter(detail.items()))
        return _first(inner) if field == "non_field_errors" else f"{field}: {_first(inner)}"
    return _first(detail[0]) if isinstance(detail, list) and detail else str(detail)
