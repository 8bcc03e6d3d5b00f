"""The OpenAPI document of the REST API, and what is said to whoever asks for a path that is not in it."""

import functools
from typing import Any

import orjson
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.views import APIView

from activity.views import PUBLIC, needs
from cloudmesh.errors import NotFound, near
from cloudmesh.types import Json

PROBLEM: Json = {
    "type": "object",
    "description": "What went wrong (RFC 9457), with facts about it as further members.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "The page that explains this kind of problem"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people: what, why and what to do"},
        "errors": {"type": "object", "description": "Sentences by field, where the input is at fault"},
    },
    "additionalProperties": True,
}
ONCE: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 128},
    "description": "The same key with the same request is done once and answered alike for a day.",
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How API tokens are sent."""

    target_class = "accounts.backends.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> Json:
        return {"type": "http", "scheme": "bearer", "description": "An API token: cm_…"}


def complete(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """Add what is so of every end point: how it fails, and that wishes can carry a key."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    problem = {"$ref": "#/components/schemas/Problem"}
    for methods in result["paths"].values():
        for method, operation in methods.items():
            operation["responses"]["default"] = {
                "description": "What went wrong",
                "content": {"application/problem+json": {"schema": problem}},
            }
            if method != "get":
                operation.setdefault("parameters", []).append(ONCE)
    return result


@functools.cache
def document() -> bytes:
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return orjson.dumps(schema, default=str, option=orjson.OPT_NON_STR_KEYS)


@needs(PUBLIC)
@method_decorator(login_not_required, name="dispatch")
class Schema(View):
    """The document, for everybody; it tells of no record."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(document(), content_type="application/vnd.oai.openapi+json")


@needs(PUBLIC)
class Nothing(APIView):
    """Every path that is no end point."""

    schema = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Before anything else: neither the method nor who asks matters."""
        asked = self.initialize_request(request)
        self.request, self.headers = asked, self.default_response_headers
        answer = self.handle_exception(NotFound(self._sentence(asked)))
        return self.finalize_response(asked, answer)

    def _sentence(self, request: Request) -> str:
        known = [path.partition("{")[0] for path in orjson.loads(document())["paths"]]
        slash = "" if request.path.endswith("/") else " Paths end with a slash."
        return f"There is no {request.path[:200]!r}.{slash}{near(request.path, set(known))} See /api/v1/schema/."
