"""The end points of clouds with every method: nobody without a token, no stranger to anything, reading is not writing.

Those in `WALKED` and what is below a project are held by `tests.portal.test_permissions` alone.

The end points are found in the URL resolver, so that a new one is walked through too.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver

from accounts import services as people
from accounts.models import User
from cloudmesh.version import VERSIONS
from clouds import services
from clouds.models import CloudAccount, Flavor, FloatingIp, Image, Network, SecurityGroup, Server, Volume
from operations.models import Operation
from portal.api.urls import urlpatterns
from tests import factories
from tests.rest import Api

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
READING = ("GET", "HEAD")
OPEN = {"schema/"}
WALKED = {
    *("login", "logout", "applications", "agreements", "invitations", "policies", "sections", "sessions"),
    *("usage", "users", "webhooks"),
    *("clusters", "queues", "nodes", "jobs", "experiments", "templates", "schedulers", "scheduler-drivers"),
}
OWN = {
    "me/",
    "me/profile/",
    "me/totp/",
    "drivers/",
    "defaults/",
    "next-name/",
    "servers/next/",
    "tokens/",
}  # tell only of the asker
Login = Callable[..., Api]


def routes() -> list[tuple[str, frozenset[str]]]:
    """The path of each end point with the methods it has."""
    return sorted({(route, _methods(pattern)) for pattern, route in _patterns(urlpatterns)}, key=str)


def _patterns(patterns: list[Any]) -> Iterator[tuple[URLPattern, str]]:
    for pattern in patterns:
        assert not isinstance(pattern, URLResolver), "walk through nested end points too"
        route = str(pattern.pattern)
        is_below = route.startswith("projects/<str:name>/") and route != "projects/<str:name>/"
        if pattern.name != "nothing" and route.partition("/")[0] not in WALKED and not is_below:
            yield pattern, route


def _methods(pattern: URLPattern) -> frozenset[str]:
    view = pattern.callback
    actions = getattr(view, "actions", None)
    if actions:
        return frozenset(method.upper() for method in actions)
    known = getattr(view, "cls", None) or view.view_class  # type: ignore[attr-defined]
    return frozenset(method.upper() for method in ("get", "post", "patch", "put", "delete") if hasattr(known, method))


ROUTES = routes()
PAIRS = [(route, method) for route, methods in ROUTES for method in sorted(methods)]


@pytest.fixture
def things(account: CloudAccount, member: User) -> dict[str, str]:
    """One of each noun, of somebody in a project."""
    server = factories.make_server(account, member, "gregor_1")
    operation = services.change_servers(actor=member, servers=[server], action="stop")
    volume = Volume.objects.create(
        account=account, project=account.project, owner=member, name="data", size=1, state="error"
    )
    group = SecurityGroup.objects.create(account=account, owner=member, provider_id="sg-1", name="web")
    address = FloatingIp.objects.create(account=account, owner=member, provider_id="ip-1", name="192.0.2.1")
    return {
        "security-groups": str(group.pk),
        "addresses": str(address.pk),
        "servers": str(server.pk),
        "clouds": str(account.pk),
        "images": str(Image.objects.all()[0].pk),
        "flavors": str(Flavor.objects.all()[0].pk),
        "volumes": str(volume.pk),
        "networks": str(Network.objects.all()[0].pk),
        "keys": str(factories.make_key(member).pk),
        "operations": str(operation.pk),
        "projects": str(account.project_id),
        "tokens": str(people.issue_token(user=member, name="x")[0].pk),
    }


def filled(route: str, things: dict[str, str]) -> str:
    """The route with one thing's id, or with any id where there is none."""
    noun = route.partition("/")[0]
    path = re.sub(r"<\w+:(id|name)>", things.get(noun, str(uuid.uuid4())), route)
    return path.replace("<str:act>", "stop")


def test_the_walk_goes_everywhere() -> None:
    assert len(PAIRS) >= 44
    assert {route.partition("/")[0] for route, _ in ROUTES} >= {
        "clouds", "defaults", "drivers", "events", "flavors", "images", "keys", "me", "networks", "operations",
        "projects", "schema", "servers", "tokens",
    }  # fmt: skip


def test_nobody_gets_in_without_a_token(things: dict[str, str]) -> None:
    nobody = Api()
    for route, _ in ROUTES:
        for method in METHODS:
            answer = nobody.ask(method, filled(route, things))
            assert answer.status in ((200, 405) if route in OPEN else (401,)), (method, route)


def test_nobody_is_told_how_to_get_in() -> None:
    answer = Api().get("servers/")
    assert (answer["type"], "cm login" in answer.detail) == ("/docs/errors/not-authenticated", True)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_stranger_finds_nothing(api: Login, things: dict[str, str], stranger: User) -> None:
    asking = api(stranger)
    walked = 0
    for route, method in PAIRS:
        path = filled(route, things)
        if "<" in route:
            answer = asking.ask(method, path, {"name": "x"} if "rename" in route else None)
            assert answer.status == 404, (method, path, answer.status, answer.body)
            assert answer.detail
            walked += 1
        elif method == "GET" and route not in OPEN | OWN:
            seen = asking.get(path).results
            assert not things_in(seen) & set(things.values()), (path, seen)
            walked += 1
    assert walked >= 32
    assert Server.objects.get().state == "active"
    assert Operation.objects.filter(owner=stranger).count() == 0


def things_in(rows: list[Any]) -> set[str]:
    return {str(row.get("id") or row.get("object_id")) for row in rows}


def test_what_tells_of_the_asker_tells_a_stranger_nothing_else(
    api: Login, things: dict[str, str], stranger: User
) -> None:
    asking = api(stranger)
    assert asking.get("me/")["projects"][0]["name"] == "elsewhere"
    assert {row["value"] for row in asking.get("defaults/").results}.isdisjoint({"india", "laptop"})
    assert "no cloud that can be used" in asking.get("servers/next/").detail
    assert [token["name"] for token in asking.get("tokens/").results] == ["test"]


@pytest.mark.parametrize("field", ["project", "cloud"])
def test_a_stranger_cannot_name_what_is_not_theirs(
    api: Login, things: dict[str, str], stranger: User, field: str
) -> None:
    value = {"project": "fg101", "cloud": "india"}[field]
    asking = api(stranger)
    for answer in (
        asking.post("servers/", {field: value}),
        asking.get("servers/", {field: value}),
        asking.get("servers/next/", {field: value}),
        asking.get("images/", {field: value}),
        asking.change("defaults/", {field: value, "prefix": "x"}),
    ):
        assert answer.status == 404
        assert answer["near"] == []


def test_a_reading_token_writes_nothing(api: Login, things: dict[str, str], member: User) -> None:
    reading = api(member, "read")
    walked = 0
    for route, method in PAIRS:
        if method in READING or route in OPEN:
            continue
        answer = reading.ask(method, filled(route, things))
        assert (answer.status, answer.detail) == (403, "This API token may only read."), (method, route)
        walked += 1
    assert walked >= 20


def test_a_member_reads_everything_of_the_project(api: Login, things: dict[str, str], member: User) -> None:
    asking = api(member)
    for route, method in PAIRS:
        if method == "GET":
            assert asking.get(filled(route, things)).status == 200, route


def test_an_alumnus_sees_nothing_of_the_project(
    api: Login, things: dict[str, str], member: User, lead: User, account: CloudAccount
) -> None:
    factories.projects.change_role(actor=lead, project=account.project, user=member, role="alumni")
    asking = api(member)
    for noun in ("servers", "clouds", "images", "operations", "projects"):
        assert asking.get(f"{noun}/").results == []
        assert asking.get(f"{noun}/{things[noun]}/").status == 404


def test_somebody_switched_off_does_not_get_in(api: Login, things: dict[str, str], member: User) -> None:
    asking = api(member)
    User.objects.filter(pk=member.pk).update(is_active=False, state="suspended")
    assert asking.get("servers/").status == 401


def test_a_page_of_the_portal_may_ask_only_with_its_csrf_token(things: dict[str, str], member: User) -> None:
    asking = Api()
    asking.client.handler.enforce_csrf_checks = True
    asking.client.force_login(member, backend="accounts.backends.LocalBackend")
    assert len(asking.get("servers/").results) == 1
    answer = asking.post("servers/")
    assert (answer.status, "CSRF" in answer.detail) == (403, True)


def test_a_path_that_is_none_is_answered_in_json() -> None:
    for path in ("serverz/", "servers", "a/b/c/d/", "", "servers/x/y/z/", "%00/"):
        answer = Api().get(path)
        assert (answer.status, answer["type"]) == (404, "/docs/errors/not-found"), path
        assert "/api/v1/" in answer.detail
    assert "Did you mean /api/v1/servers/" in Api().get("serverz/").detail
    assert "end with a slash" in Api().post("servers").detail


def test_a_method_that_is_none_is_answered_in_json(api: Login, member: User) -> None:
    answer = api(member).ask("PUT", "servers/")
    assert (answer.status, answer["type"]) == (405, "/docs/errors/method-not-allowed")
    assert "GET" in answer.headers["Allow"]


def test_an_answer_in_another_form_than_json_is_not_given(api: Login, member: User) -> None:
    answer = api(member).get("servers/", Accept="application/xml")
    assert (answer.status, answer["type"]) == (406, "/docs/errors/not-acceptable")


def test_every_answer_tells_the_version_of_the_portal(api: Login, member: User) -> None:
    for answer in (api(member).get("me/"), Api().get("me/"), Api().get("nowhere/")):
        assert answer.headers["Cloudmesh-Version"] == VERSIONS
