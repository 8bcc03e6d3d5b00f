"""An API token that is bound to one project: for whoever has it there is no other, and nothing of its owner's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts import backends
from accounts import services as accounts
from accounts.models import ApiToken, Notice, SshKey, User
from activity.models import Event
from clouds import services as clouds
from clouds.drivers.simulator import control
from clouds.models import Cloud, CloudAccount, Default, Server
from operations.models import Operation
from projects import access, services
from projects.models import JoinRequest, Membership, Project, Role
from tests.factories import make_account, make_key, make_project, make_server, make_user, make_world
from tests.rest import Api

pytestmark = pytest.mark.django_db


def bound(user: User, project: Project) -> Api:
    _, secret = accounts.issue_token(user=user, name="bound", project_id=project.pk)
    return Api(secret)


@pytest.fixture
def other(world: control.World, tmp_path: Path, member: User) -> CloudAccount:
    """A project that `member` leads, with a cloud and a server of their own."""
    make_world(tmp_path, "sierra")
    account = make_account(make_project("other", lead=member), member, "sierra")
    make_server(account, member, "far")
    return account


@pytest.fixture
def token(account: CloudAccount, other: CloudAccount, member: User) -> Api:
    make_server(account, member, "near")
    return bound(member, account.project)


def test_only_its_project_is_there(token: Api) -> None:
    assert [row["name"] for row in token.get("projects/").results] == ["fg101"]
    assert [row["name"] for row in token.get("clouds/").results] == ["india"]
    assert [row["name"] for row in token.get("servers/").results] == ["near"]
    assert {row["project"] for row in token.get("operations/").results} == {"fg101"}
    me = token.get("me/")
    assert (me["project"], [row["name"] for row in me["projects"]]) == ("fg101", ["fg101"])


def test_it_works_in_its_project_whatever_the_owners_default(token: Api, other: CloudAccount, member: User) -> None:
    services.select_project(actor=member, project=other.project)
    booted = token.post("servers/", {"name": "mine"})
    assert (booted.status, booted["servers"][0]["project"]) == (202, "fg101")


def test_things_of_other_projects_are_not_there(token: Api, other: CloudAccount, member: User) -> None:
    far = Server.objects.get(name="far")
    wish = clouds.change_servers(actor=member, servers=[far], action="stop")
    for path in (
        "projects/other/", f"projects/{other.project.pk}/", "projects/other/members/", "projects/other/invitations/",
        "servers/far/", f"servers/{far.pk}/", f"clouds/{other.pk}/", "clouds/sierra/", f"operations/{wish.pk}/",
    ):  # fmt: skip
        assert token.get(path).status == 404, path
    for method, path in (
        ("DELETE", f"servers/{far.pk}/"), ("POST", f"servers/{far.pk}/stop/"),
        ("POST", f"operations/{wish.pk}/cancel/"),
        ("DELETE", f"clouds/{other.pk}/"), ("PATCH", f"clouds/{other.pk}/"), ("POST", f"clouds/{other.pk}/refresh/"),
        ("PATCH", "projects/other/"), ("POST", "projects/other/use/"), ("POST", "projects/other/members/"),
    ):  # fmt: skip
        assert token.ask(method, path, {}).status == 404, path
    assert token.post("servers/", {"project": "other"}).status == 404
    assert token.change("defaults/", {"project": "other", "prefix": "x"}).status == 404
    assert token.get("servers/", {"project": "other"}).status == 404
    assert token.post("servers/bulk/", {"action": "stop", "servers": [str(far.pk)]}).status == 404
    assert Operation.objects.get(pk=wish.pk).state == "queued"


def test_nothing_of_the_owners_own_is_changed(token: Api, member: User) -> None:
    key, before = make_key(member), ApiToken.objects.count()
    for method, path, body in (
        ("POST", "tokens/", {"name": "wide"}),
        ("DELETE", f"tokens/{ApiToken.objects.first().pk}/", None),  # type: ignore[union-attr]
        ("POST", "keys/", {"public_key": key.public_key + "x"}),
        ("DELETE", f"keys/{key.name}/", None),
        ("POST", "projects/fg101/use/", None),
    ):
        assert token.ask(method, path, body).status == 403, path
    assert ApiToken.objects.count() == before
    assert SshKey.objects.filter(pk=key.pk).exists()
    assert not Membership.objects.filter(user=member, is_default=True).exists()


def test_it_joins_no_other_project(token: Api, member: User, stranger: User) -> None:
    there = Project.objects.get(name="elsewhere")
    services.change_project(actor=stranger, project=there, join_open=True)
    _, link = services.make_link(actor=stranger, project=there)
    assert token.get("projects/", {"joinable": "true"}).results == []
    assert token.post("projects/elsewhere/requests/").status in (403, 404)
    assert token.post(f"invitations/{link.rstrip('/').rpartition('/')[2]}/accept/").status == 403
    assert not JoinRequest.objects.exists()
    assert not Membership.objects.filter(user=member, project=there).exists()


def test_what_it_may_do_in_its_project_it_does(token: Api, member: User) -> None:
    assert token.post("servers/near/stop/").status == 202
    assert token.post("servers/bulk/", {"action": "delete", "servers": ["near"]}).status in (202, 409)
    assert token.change("defaults/", {"prefix": "box"}).status == 200
    assert Default.objects.filter(user=member, key="prefix").count() == 1


def test_administrators_and_staff_lose_their_powers_with_it(account: CloudAccount, lead: User, admin: User) -> None:
    services.add_member(actor=lead, project=account.project, user=admin)
    make_project("secret", lead=make_user())
    server = make_server(account, lead, "theirs")
    assert {row["name"] for row in bound(admin, account.project).get("projects/").results} == {"fg101"}
    assert bound(admin, account.project).delete(f"servers/{server.pk}/").status == 403
    for role in ("auditor", "operator", "reviewer"):
        staff = make_user(role)
        User.objects.filter(pk=staff.pk).update(portal_roles=[role])
        assert bound(staff, account.project).get("projects/").results == []
        assert bound(staff, account.project).get("projects/fg101/").status == 404


def test_it_hears_its_project_alone(account: CloudAccount, other: CloudAccount, member: User) -> None:
    _, secret = accounts.issue_token(user=member, name="bound", project_id=account.project_id)
    found = backends.find_token(secret)
    assert found
    assert access.hears(found.user) == {"portal", f"project:{account.project_id}"}
    assert not access.visible(Notice, found.user).exists()
    told = access.visible(Event, found.user)
    assert set(told.values_list("project_id", flat=True)) == {account.project_id}


def test_it_ends_with_its_owners_membership(token: Api, project: Project, lead: User, member: User) -> None:
    services.change_role(actor=lead, project=project, user=member, role=Role.ALUMNI)
    assert token.get("me/").status == 401


def test_one_of_a_project_where_its_owner_is_not_sees_nothing(other: CloudAccount, stranger: User) -> None:
    outside = bound(stranger, other.project)
    for noun in ("projects/", "servers/", "clouds/", "operations/", "events/"):
        assert outside.get(noun).results == [], noun
    assert outside.get("projects/elsewhere/").status == 404


def test_no_list_tells_of_anything_else(token: Api, other: CloudAccount, account: CloudAccount) -> None:
    """Every list that there is, also of nouns that came later."""
    foreign = {str(other.pk), str(other.project_id), str(other.cloud_id), str(Server.objects.get(name="far").pk), "far"}
    assert Cloud.objects.filter(pk=other.cloud_id).exists()
    paths = list(plain_paths(get_resolver().url_patterns))
    assert len(paths) > 12
    for path in paths:
        answer = token.client.get(path, headers=token.headers)
        assert answer.status_code in (200, 400, 403, 404, 405), (path, answer.status_code)
        if answer.status_code == 200 and "json" in answer.headers["Content-Type"]:
            found = set(values(answer.json())) & foreign
            assert not found, (path, found)


def plain_paths(patterns: list[Any], root: str = "/") -> Iterator[str]:
    """Of the REST API those without a variable."""
    for pattern in patterns:
        path = f"{root}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from plain_paths(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and path.startswith("/api/v1/") and "<" not in path and "(" not in path:
            yield path


def values(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for value in body.values():
            yield from values(value)
    elif isinstance(body, list):
        for value in body:
            yield from values(value)
    else:
        yield str(body)
