"""A walk over every page: each URL by each method in each role. Nothing breaks, and nobody passes who may not."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import SshKey, User
from activity.models import Stateful
from clouds import services
from clouds.models import CloudAccount, Server
from operations.models import Operation
from projects import services as projects
from projects.models import Membership, Project, Role
from tests import factories

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "DELETE")
ROLES = ("nobody", "stranger", "alumni", "colleague", "owner", "lead", "auditor", "admin")
OPEN = {"portal:login", "portal:login-link", "portal:healthz", "portal:readyz", "portal:error"}  # to strangers
OWN = {"clouds:key-delete"}  # nobody else's business, not even an administrator's
CHANGED = (Server, Operation, CloudAccount, SshKey, Membership)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def people(project: Project, lead: User, member: User, stranger: User, admin: User) -> dict[str, User | None]:
    """`member` owns what there is in the project, the others look at it from where they stand."""
    found: dict[str, User | None] = {
        "nobody": None,
        "stranger": stranger,
        "owner": member,
        "lead": lead,
        "admin": admin,
    }
    for name in ("alumni", "colleague", "auditor"):
        found[name] = factories.make_user(name)
    projects.add_member(actor=lead, project=project, user=found["alumni"], role=Role.ALUMNI)  # type: ignore[arg-type]
    projects.add_member(actor=lead, project=project, user=found["colleague"], role=Role.MEMBER)  # type: ignore[arg-type]
    User.objects.filter(username="auditor").update(portal_roles=["auditor"])
    return {name: User.objects.get(pk=user.pk) if user else None for name, user in found.items()}


@pytest.fixture
def paths(server: Server, member: User) -> dict[str, str]:
    """Every page by its name, about things of `member`."""
    operation = services.change_servers(actor=member, servers=[server], action="stop")
    things = {"server": server, "cloud": server.account, "key": factories.make_key(member)}
    found = {}
    for name, route in routes(get_resolver().url_patterns):
        thing = things.get(name.partition(":")[2].partition("-")[0], operation)
        for action in ("delete", "rename", "stop", "console", "nonsense") if "<slug:action>" in route else ("",):
            path = route.replace("<uuid:pk>", str(thing.pk)).replace("<slug:action>", action)
            found[f"{name} {action}".strip()] = path.replace("<str:secret>", "cm_unknown").replace("<slug:name>", "any")
    return found


def routes(patterns: list[Any], root: str = "/", space: str = "") -> Iterator[tuple[str, str]]:
    """All pages but those of Django's own administration and of the REST API, which has a walk of its own."""
    for pattern in patterns:
        path = f"{root}{pattern.pattern}"
        if path.startswith(("/admin/", "/api/")):
            continue
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path, f"{pattern.namespace or space}")
        elif isinstance(pattern, URLPattern):
            yield f"{space}:{pattern.name}", path


def test_the_walk_goes_everywhere(paths: dict[str, str]) -> None:
    assert len(paths) >= 40
    assert not any("<" in path or "\\" in path for path in paths.values())


@pytest.mark.parametrize("role", ROLES)
def test_nothing_breaks_and_nobody_passes_who_may_not(
    role: str, people: dict[str, User | None], paths: dict[str, str]
) -> None:
    before = state_of_things()
    for (name, path), method in itertools.product(paths.items(), METHODS):
        with transaction.atomic():
            answer = ask(people[role], method, path)
            where = f"{role} {method} {path}: {answer.status_code}"
            assert answer.status_code < 500, where
            if name not in OPEN:
                check(role, name, method, answer, is_changed=state_of_things() != before, where=where)
            transaction.set_rollback(True)


def check(role: str, name: str, method: str, answer: Any, *, is_changed: bool, where: str) -> None:
    if method != "POST":
        assert not is_changed, where
    if role == "nobody":
        assert answer.status_code in (302, 405), where
        assert "/login/" in answer.headers.get("Location", "/login/"), where
        assert not is_changed, where
    if role in ("stranger", "alumni", "auditor", "colleague") and about_something(name):
        assert not is_changed, where
    if role in ("stranger", "alumni") and about_something(name):
        assert answer.status_code in (204, 400, 404, 405), where
    if role not in ("owner", "nobody") and name in OWN and method == "POST":
        assert answer.status_code == 404, where


def about_something(name: str) -> bool:
    """Whether a page is about one thing of the project's member."""
    return any(
        word in name for word in ("-row", "-detail", "-action", "-refresh", "-toggle", "-remove", "-verify")
    ) or (name.startswith("operations:") and name != "operations:list")


def ask(user: User | None, method: str, path: str) -> Any:
    """In a session of its own: one of the pages ends it."""
    client = Client(raise_request_exception=False)
    if user:
        client.force_login(user)
    return client.generic(method, path, headers=HTMX if method == "POST" else {})


def state_of_things() -> list[Any]:
    """Everything that a page could change: each change of a record with a state raises its version."""
    return [
        list(
            model._default_manager.order_by("pk").values_list("pk", "version" if issubclass(model, Stateful) else "pk")
        )
        for model in CHANGED
    ]
