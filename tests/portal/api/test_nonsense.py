"""No input makes the portal stumble: every field and parameter of the document with values that nobody means."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import User
from clouds.models import CloudAccount
from portal.api.schema import document
from tests import factories
from tests.rest import ROOT, Api

pytestmark = pytest.mark.timeout(400)  # thousands of requests
VALUES: list[Any] = [
    None, -1, 1.5, 10**30, " ", "a\x00b", "ü" * 300, "x" * 70_000, "a[1-", [None], {"india": None},
]  # fmt: skip
TEXTS = ["-1", "9" * 40, "a\x00b", "ü" * 300, ",,,", "***?", "a[1-", "(", "\\"]
NAMES = {"servers": "gregor_1", "clouds": "india", "keys": "laptop", "projects": "fg101"}
COMPLETE = {
    "clouds/": {"name": "x", "driver": "simulator", "credential": {"world": "india", "username": "a", "password": "b"}},
    "keys/": {"public_key": "ssh-ed25519 AAAA"},
    "servers/bulk/": {"action": "stop", "servers": ["gregor_1"]},
}
Login = Callable[..., Api]


@pytest.fixture
def asking(api: Login, account: CloudAccount, member: User) -> Api:
    factories.make_server(account, member, "gregor_1")
    factories.make_key(member)
    cache.clear()
    return api(member)


def end_points() -> Iterator[tuple[str, str, Any]]:
    for path, methods in json.loads(document())["paths"].items():
        for method, operation in methods.items():
            relative = path.removeprefix(ROOT)
            name = NAMES.get(relative.partition("/")[0], "")
            yield relative.replace("{name}", name).replace("{act}", "reboot"), method.upper(), operation


def fields(operation: Any) -> list[str]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if not body:
        return []
    schema = json.loads(document())["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    return list(schema["properties"])


BODIES = [(path, method, name) for path, method, operation in end_points() for name in fields(operation)]
QUERIES = [
    (path, parameter["name"])
    for path, method, operation in end_points()
    for parameter in operation.get("parameters", [])
    if method == "GET" and parameter["in"] == "query" and "{" not in path
]


def test_there_is_something_to_try() -> None:
    assert len(BODIES) > 40
    assert len(QUERIES) > 50


def test_no_value_of_a_field_is_too_much(asking: Api) -> None:
    for path, method, name in BODIES:
        for value in VALUES:
            answer = asking.ask(method, path, {**COMPLETE.get(path, {}), name: value})
            assert answer.status < 500, (method, path, name, value, answer.body)


def test_no_value_of_a_parameter_is_too_much(asking: Api) -> None:
    for path, name in QUERIES:
        for value in TEXTS:
            answer = asking.get(path, {name: value})
            assert answer.status < 500, (path, name, value, answer.body)


@pytest.mark.parametrize("noun", ["servers", "clouds", "keys", "projects", "operations", "images", "tokens"])
def test_no_name_in_a_path_is_too_much(asking: Api, noun: str) -> None:
    for name in ("%00", "a%00b", "%FF", "..", "%2e%2e", "a" * 5000, "%E2%80%AE", "'", "*", "[1-", "-1", "0"):
        answer = asking.get(f"{noun}/{name}/")
        assert 400 <= answer.status < 500, (name, answer.status)
