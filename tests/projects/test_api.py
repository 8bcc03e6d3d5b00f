"""Who one is, where one works and what happened there, over REST."""

from collections.abc import Callable

import pytest

import cloudmesh
from accounts.models import User
from clouds.models import CloudAccount
from projects.models import Project
from tests import factories
from tests.rest import Api

Login = Callable[..., Api]


def test_one_is_told_who_one_is(api: Login, member: User, project: Project) -> None:
    me = api(member).get("me/")
    assert me.body == {
        "id": str(member.pk),
        "username": "gregor",
        "email": "gregor@example.org",
        "name": "gregor",
        "is_admin": False,
        "project": "fg101",
        "projects": [{"id": str(project.pk), "name": "fg101", "role": "member"}],
        "version": cloudmesh.__version__,
    }


def test_somebody_without_a_project_is_told_so(api: Login, db: None) -> None:
    loner = factories.make_user("loner")
    me = api(loner).get("me/")
    assert (me["project"], me["projects"]) == (None, [])
    assert "not in any active project" in api(loner).post("servers/").detail


def test_projects_are_told_with_ones_role(api: Login, project: Project, lead: User, admin: User) -> None:
    assert [(told["name"], told["role"]) for told in api(lead).get("projects/").results] == [("fg101", "lead")]
    assert api(admin).get("projects/fg101/")["role"] is None


@pytest.mark.django_db(transaction=True)
def test_what_happened_is_told_in_order(api: Login, account: CloudAccount, member: User, stranger: User) -> None:
    server = factories.make_server(account, member, "gregor_1")
    asking = api(member)
    told = asking.get("events/").results
    assert [event["seq"] for event in told] == sorted((event["seq"] for event in told), reverse=True)
    [made] = asking.get("events/", {"object": server.pk}).results
    assert (made["kind"], made["name"], made["verb"], made["project"], made["actor"], made["summary"]) == (
        "server",
        "gregor_1",
        "created",
        "fg101",
        "gregor",
        "server gregor_1 created",
    )
    later = asking.get("events/", {"since": told[2]["seq"], "ordering": "seq"}).results
    assert [event["seq"] for event in later] == [
        told[1]["seq"],
        told[0]["seq"],
    ]
    assert {event["project"] for event in asking.get("events/", {"project": "fg101"}).results} == {"fg101"}
    assert asking.get("events/", {"kind": "server", "verb": "created", "actor": "gregor"}).results == [made]


@pytest.mark.django_db(transaction=True)
def test_what_happened_elsewhere_is_not_told(api: Login, account: CloudAccount, member: User, stranger: User) -> None:
    told = api(stranger).get("events/").results
    assert {event["project"] for event in told} <= {"elsewhere", None}
    assert {event["name"] for event in told}.isdisjoint({"india", "fg101", "gregor"})


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"since": "-1"}, "since is the number"),
        ({"since": "now"}, "since is the number"),
        ({"since": "9" * 30}, "since is the number"),
        ({"object": "gregor_1"}, "object is an id"),
        ({"project": "nowhere"}, "no project"),
        ({"sinse": "1"}, "Did you mean since"),
    ],
)
def test_an_event_filter_that_means_nothing_is_refused(
    api: Login, project: Project, member: User, query: dict[str, str], words: str
) -> None:
    assert words in api(member).get("events/", query).detail
