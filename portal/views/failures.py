"""Every failure as a page with a sentence, or as problem+json where a program or a part of a page asks."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import redis
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from cloudmesh.errors import CloudmeshError
from projects.views import is_htmx

NOTHING_HERE = "There is nothing here, or nothing that you may see."
UNCLEAR = "The portal cannot make sense of this request. Go back, reload the page and try again."
STALE = "This page was open for too long, or its cookies are blocked. Go back, reload the page and try again."
MISTAKE = "The portal made a mistake. It is in its log; nothing of yours is lost. Try again, or tell the administrator."
SERVICES_DOWN = "The portal's own services do not answer just now. Nothing of yours is lost; try again in a minute."

Answering = Callable[[HttpRequest], HttpResponse]

log = logging.getLogger(__name__)


def problems(get_response: Answering) -> Answering:
    """Middleware: what a page's view raises becomes an answer with the error's status and words."""

    def pages(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    pages.process_exception = _answered  # type: ignore[attr-defined]
    return pages


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return failure(request, 404, "Not found", NOTHING_HERE)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return failure(request, 403, "Not allowed", str(exception or "") or "You may not do this.")


def invalid(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return failure(request, 400, "Invalid input", UNCLEAR)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A change that did not come from one of our own pages, or from one that is stale."""
    return failure(request, 403, "Not from an open page", STALE)


def mistake(request: HttpRequest) -> HttpResponse:
    """What nobody foresaw; Django has logged it."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError | redis.RedisError):
        return failure(request, 503, "Not ready", SERVICES_DOWN)
    return failure(request, 500, "Something failed", MISTAKE)


def failure(request: HttpRequest, status: int, title: str, detail: str, **facts: Any) -> HttpResponse:
    """Never asks the database: it may be what failed."""
    if is_htmx(request) or request.path.startswith("/api/") or not request.accepts("text/html"):
        body = {**facts, "title": title, "status": status, "detail": detail}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    context = {"status": status, "title": title, "detail": detail}
    return HttpResponse(render_to_string("error.html", context), status=status)


def _answered(request: HttpRequest, error: Exception) -> HttpResponse | None:
    if isinstance(error, CloudmeshError):
        return failure(request, error.status, error.title, error.message, **error.facts)
    if isinstance(error, Http404):
        return missing(request)
    if isinstance(error, PermissionDenied):
        return forbidden(request, error)
    return None
