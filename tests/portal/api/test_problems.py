"""What goes wrong is told as a problem, never as a stack trace."""

import logging

import orjson
import pytest
import redis
from django.core.exceptions import PermissionDenied
from django.db import DataError, OperationalError
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from cloudmesh.errors import Invalid, QuotaExceeded


class Failing(APIView):
    """An end point that raises what a test wants."""

    authentication_classes = ()
    permission_classes = ()
    error: Exception = Exception()

    def get(self, request: Request) -> Response:
        raise self.error


def raised(error: Exception) -> tuple[Response, dict[str, object]]:
    response = Failing.as_view(error=error)(APIRequestFactory().get("/x"))
    response.render()
    return response, orjson.loads(response.content)


def test_a_mistake_of_ours_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response, body = raised(KeyError("a secret"))
    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")
    assert "a secret" not in str(body)
    assert "KeyError" not in str(body)
    assert "a secret" in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Http404(), 404, "not-found"),
        (PermissionDenied("no"), 403, "not-allowed"),
        (DataError("value too long"), 400, "invalid"),
        (OperationalError("connection refused"), 503, "not-ready"),
        (redis.ConnectionError("connection refused"), 503, "not-ready"),
        (Invalid("bad", field="count"), 400, "invalid"),
        (QuotaExceeded("full", used=1), 409, "quota-exceeded"),
    ],
)
def test_each_failure_has_its_status_and_kind(error: Exception, status: int, kind: str) -> None:
    response, body = raised(error)
    assert (response.status_code, body["status"], body["type"]) == (status, status, f"/docs/errors/{kind}")
    assert "refused" not in str(body)


def test_the_facts_of_an_error_are_members() -> None:
    _, body = raised(QuotaExceeded("full", used=1, limit=2))
    assert (body["used"], body["limit"], body["detail"]) == (1, 2, "full")


def test_an_error_about_a_field_is_found_under_it() -> None:
    _, body = raised(Invalid("count is odd", field="count"))
    assert body["errors"] == {"count": ["count is odd"]}
