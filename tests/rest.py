"""The REST API as a program uses it; every answer is held against the portal's own OpenAPI document."""

import copy
import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve

from accounts import services
from accounts.models import User
from portal.api.schema import document

ROOT = "/api/v1/"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def results(self) -> list[Any]:
        assert self.status == 200, self.body
        return list(self.body["results"])

    @property
    def detail(self) -> str:
        """The sentence of a problem."""
        assert self.headers["Content-Type"] == "application/problem+json", (self.status, self.body)
        assert self.body["status"] == self.status
        return str(self.body["detail"])


class Api:
    """Somebody's conversation with the portal, by token; without one, anonymous."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, query: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        return self.ask("GET", path, query=query, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)

    def change(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.ask("DELETE", path, **headers)

    def ask(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, Any] | None = None, **headers: str
    ) -> Answer:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.generic(
            method,
            path if path.startswith("/") else ROOT + path,
            content,
            named.pop("Content-Type", "application/json"),
            query_params=dict(query or {}),
            headers={**self.headers, **named},
        )
        check(method, response)
        return Answer(response.status_code, _body(response), response.headers)


def check(method: str, response: HttpResponse) -> None:
    """The answer must be one that the document promises, with no field more or less."""
    request: Any = response.wsgi_request  # type: ignore[attr-defined]
    if response.status_code in (204, 304) or method == "HEAD":
        assert not response.content
        return
    if "json" not in response.headers["Content-Type"] or request.path == ROOT + "schema/":
        return
    path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", resolve(request.path).route)
    operation = described(partial="fields" in request.GET)["paths"].get(path, {}).get(method.lower())
    if operation is None:
        assert response.status_code >= 400, f"{method} {path} is not in the document"
        return
    promise = operation["responses"].get(str(response.status_code), operation["responses"]["default"])
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind in promise["content"], f"{method} {path} answers {response.status_code} as {kind}: {response.content!r}"
    schema = promise["content"][kind]["schema"]
    validator = jsonschema.Draft202012Validator(
        {**schema, "components": described(partial="fields" in request.GET)["components"]}
    )
    error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(response.content)))
    assert error is None, f"{method} {path} {response.status_code}: {error.message} at {error.json_path}"


@functools.cache
def described(*, partial: bool) -> Any:
    """The document, with objects closed to undocumented fields; `partial` answers may lack some."""
    known = copy.deepcopy(json.loads(document()))
    for schema in known["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        if partial:
            schema.pop("required", None)
    return known


def _body(response: HttpResponse) -> Any:
    if response.content and "json" in response.headers.get("Content-Type", ""):
        return json.loads(response.content)
    return response.content


@pytest.fixture
def api() -> Callable[..., Api]:
    """The API as this user sees it: `api(member)`, `api(member, "read")`."""

    def as_user(user: User, *scopes: str) -> Api:
        _, secret = services.issue_token(user=user, name="test", scopes=scopes or ("read", "write"))
        return Api(secret)

    return as_user
