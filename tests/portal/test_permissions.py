"""Who may do what, held against every door: each page, REST end point and live topic, by each method, in each role.

A door declares its permission (`activity.views.needs`, or `permissions` of a view set); the registry in
`projects.access` says who has it; the walk asks every door as everybody and holds the answer against that.
"""

import dataclasses
import itertools
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from activity.views import OWN, PUBLIC, SIGNED
from projects import access
from projects.models import Project
from tests.portal.things import Things

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROLES = (
    "anonymous", "stranger", "alumni", "member", "owner", "manager", "lead", "reviewer", "operator", "auditor", "admin"
)  # fmt: skip
KNOWN = {PUBLIC, SIGNED, OWN, *access.PERMISSIONS, *access.PORTAL}
UNSEEN = (204, 404, 410)  # a row that is not there (any more) is an empty answer
REFUSED = (401, 403, *UNSEEN)
#: What an end point has to be sent so that it looks at who asks.
BODIES = {
    "rename/": {"name": "other"},
    "security-groups/<uuid:id>/": {"add": ["ssh"]},
    "security-groups/": {"name": "other"},
    "clouds/": {"name": "mine", "driver": "simulator", "credential": {"world": "w", "username": "u", "password": "p"}},
    "volumes/": {"name": "other", "size": 1},
    "schedulers/": {
        "name": "other",
        "driver": "simulator",
        "way": "simulator",
        "credential": {"world": "w", "username": "u", "password": "p"},
    },
    "credential/": {"credential": {"world": "w", "username": "u", "password": "p"}},
    "templates/": {"name": "other", "script": "true"},
    "jobs/": {"script": "true"},
    "jobs/plan/": {"script": "true"},
    "jobs/forecast/": {"script": "true"},
    "attach/": {"server": "gregor_1"},
    "decide/": {"decision": "approve"},
    "remark/": {"text": "Why?"},
    "review/": {"vote": "approve"},
    "applications/<uuid:id>/": {"answers": {}},
}


@dataclasses.dataclass(frozen=True)
class Door:
    """One URL, and the permission it declares for each method that it answers."""

    name: str
    route: str
    permissions: Mapping[str, str]

    @property
    def is_api(self) -> bool:
        return self.route.startswith("/api/")


def doors() -> list[Door]:
    return list(_doors(get_resolver().url_patterns, "/"))


def _doors(patterns: list[Any], root: str) -> Iterator[Door]:
    for pattern in patterns:
        route = root + str(pattern.pattern).lstrip("^")
        if route.startswith("/admin/"):
            continue  # Django's own: staff only, tested on its own
        if isinstance(pattern, URLResolver):
            yield from _doors(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield Door(pattern.name or route, route.rstrip("$"), _declared(pattern.callback))


def _declared(callback: Any) -> Mapping[str, str]:
    """Method → permission, as the view says; without a word it is empty, which the first test does not let pass."""
    actions = getattr(callback, "actions", None)  # of a view set: method → action
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None) or callback
    if actions:
        known = getattr(view, "permissions", {})
        usual = getattr(view, "permission", "")
        return {method.upper(): known.get(action, usual) for method, action in actions.items() if method != "head"}
    usual, special = getattr(view, "permission", ""), getattr(view, "permissions", {})
    return {method: special.get(method, usual) for method in METHODS}


DOORS = doors()


def test_every_door_declares_its_permission() -> None:
    silent = [f"{door.route} {door.name}" for door in DOORS if not set(door.permissions.values()) <= KNOWN]
    assert not silent, "\n".join(silent)


def test_every_door_has_something_behind_it(things: Things) -> None:
    unknown = [door.route for door in DOORS if "<" in things.path(door.route)]
    assert not unknown, "\n".join(unknown)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_gets_what_they_may_and_nothing_else(role: str, things: Things, people: dict[str, Any]) -> None:
    user, client, before = people[role], entered(people[role]), things.state()
    wrong = []
    for door, method in itertools.product(DOORS, METHODS):
        if not door.is_api and method in ("PUT", "PATCH"):
            continue
        with transaction.atomic():
            answer = ask(client, method, things.path(door.route), body=body(door, things))
            verdict = judge(door, method, answer, user, things, is_changed=things.state() != before)
            transaction.set_rollback(True)
        if verdict:
            wrong.append(f"{method} {door.route} as {role}: {answer.status_code}, {verdict}")
    assert not wrong, "\n".join(wrong)


def judge(door: Door, method: str, answer: Any, user: User | None, things: Things, *, is_changed: bool) -> str:
    """What is wrong with an answer; empty when nothing is."""
    status, permission = answer.status_code, door.permissions.get(method)
    if status >= 500:
        return "it broke"
    if permission is None:
        return "" if status in (401, 404, 405) else "the method is not declared"
    if permission == PUBLIC:
        return ""
    if user is None:
        to_login = status == 302 and "/login/" in answer.headers["Location"]
        return "" if (status in (401, 404, 405) or to_login) and not is_changed else "strangers are let in"
    if permission == SIGNED:
        return ""
    if is_allowed(user, permission, things):
        homeless = b"not in any active project" in answer.content  # there is nothing wrong with the door
        return "" if status not in REFUSED or method != "GET" or homeless else "it is not let in"
    if is_changed:
        return "it changed something"
    if status == 405:
        return ""
    return "" if status in REFUSED else "it is let in"


def is_allowed(user: User, permission: str, things: Things) -> bool:
    if permission == OWN:
        return user == things.owner
    return not access.why_not(user, permission, things.project, owner_id=things.owner.pk)


@pytest.mark.parametrize("role", ["stranger", "alumni"])
def test_nobody_learns_that_a_foreign_thing_exists(role: str, things: Things, people: dict[str, Any]) -> None:
    """The answer about a thing of others and that about one which never was are the same, but for the name."""
    told, client = [], entered(people[role])
    for door in DOORS:
        there, nowhere = things.path(door.route), things.path(door.route, invented=True)
        permission = door.permissions.get("GET", "")
        if there == nowhere or permission in ("", PUBLIC, SIGNED) or permission in access.PORTAL:
            continue
        with transaction.atomic():
            answers = [ask(client, "GET", path) for path in (there, nowhere)]
            transaction.set_rollback(True)
        shapes = {(answer.status_code, shape(answer.content.decode(), there, nowhere)) for answer in answers}
        if len(shapes) > 1:
            told.append(f"{door.route}: {shapes}")
    assert not told, "\n".join(told)


def shape(text: str, there: str, nowhere: str) -> str:
    """An answer without what was asked for in it, nor what differs from one to the next."""
    for one, other in zip(there.split("/"), nowhere.split("/"), strict=True):
        text = text.replace(one, "…").replace(other, "…") if one != other else text
    return re.sub(r'csrf[^"]*"[^"]*"|value="[A-Za-z0-9]{64}"|[A-Za-z0-9]{64}', "", text)


def body(door: Door, things: Things) -> dict[str, Any]:
    """For what is made in a project, in that of the things."""
    found = next((content for end, content in BODIES.items() if door.is_api and door.route.endswith(end)), {})
    return found | {"project": things.project.name} if found.keys() & {"driver", "size", "script"} else found


def entered(user: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if user:
        client.force_login(user)
    return client


def ask(client: Client, method: str, path: str, *, body: dict[str, Any] | None = None) -> Any:
    """What is answered; a door that ends the session does so in the browser too, so its cookies are put back."""
    cookies = client.cookies.output()
    answer = _asked(client, method, path, body or {})
    client.cookies.clear()
    client.cookies.load(cookies.replace("Set-Cookie: ", "").replace("\r\n", "; "))
    return answer


def _asked(client: Client, method: str, path: str, body: dict[str, Any]) -> Any:
    if method == "GET":
        return client.get(path)
    if path.startswith("/api/"):
        return client.generic(method, path, data=json.dumps(body), content_type="application/json")
    return client.generic(method, path, headers={"HX-Request": "true"})


# -- live topics -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES[1:])
def test_everybody_hears_what_they_may_see(role: str, things: Things, people: dict[str, Any]) -> None:
    user = people[role]
    heard = access.hears(user)
    assert user.topic in heard
    assert (things.project.topic in heard) == access.visible(Project, user).filter(pk=things.project.pk).exists()
    for staff_only in ("users", "projects"):
        assert (staff_only in heard) == (access.sees_all(user) or access.is_reviewer(user))
    assert f"user:{uuid.uuid4()}" not in heard
    assert (things.owner.topic in heard) == (user == things.owner)
