"""Administrators who act as somebody: with a reason, for a while, told, and never with what is theirs alone."""

import datetime
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Authenticator, Impersonation, Notice, PortalRole, Session, SshKey, User
from activity.models import Event
from cloudmesh.errors import NotAllowed
from projects import services
from projects.models import Project
from projects.services.impersonation import ACTING
from tests.factories import make_user, public_key

pytestmark = pytest.mark.django_db

WHY = "They cannot see their cloud, ticket 4711."


@pytest.fixture
def desk(admin: User) -> Client:
    """Where the administrator sits."""
    client = Client()
    client.force_login(admin)
    return client


def begin(desk: Client, user: User, **more: Any) -> Any:
    wish = {"reason": WHY, "minutes": 30, **more}
    return desk.post(f"/staff/accounts/{user.pk}/impersonate/", wish)


def who(client: Client) -> str:
    return str(client.get("/").context["request"].user.username)


def test_it_begins_with_a_reason_and_ends_with_a_button(desk: Client, member: User, project: Project) -> None:
    assert desk.get(f"/staff/accounts/{member.pk}/impersonate/").status_code == 200
    assert begin(desk, member).headers["Location"] == "/"
    page = desk.get("/servers/")
    assert page.context["request"].user == member
    assert page.context["request"].impersonator.username == "root"
    words = page.content.decode()
    assert "You act as gregor" in words
    assert WHY in words
    assert "30 more minutes" in words
    desk.post("/impersonation/end/")
    assert who(desk) == "root"
    assert Impersonation.objects.get().ended_at


@pytest.mark.parametrize(
    ("wrong", "field"), [({"reason": "because"}, "reason"), ({"minutes": 61}, "minutes"), ({"minutes": 0}, "minutes")]
)
def test_it_needs_a_reason_and_has_an_end(desk: Client, member: User, wrong: dict[str, Any], field: str) -> None:
    answer = begin(desk, member, **wrong)
    assert answer.status_code == 400
    assert field in answer.context["form"].errors
    assert who(desk) == "root"


def test_nobody_acts_as_an_administrator(desk: Client) -> None:
    assert begin(desk, make_user("other-root", is_admin=True)).status_code == 403
    assert who(desk) == "root"


def test_nobody_but_administrators_acts_as_anybody(client: Client, member: User, stranger: User) -> None:
    client.force_login(stranger)
    assert begin(client, member).status_code == 404
    for role in PortalRole:
        staff = make_user(f"some-{role}")
        User.objects.filter(pk=staff.pk).update(portal_roles=[role])
        client.force_login(staff)
        assert begin(client, member).status_code == 403
        with pytest.raises(NotAllowed):
            services.impersonate(actor=User.objects.get(pk=staff.pk), user=member, reason=WHY, minutes=5)


def test_as_somebody_else_one_has_their_rights_and_no_more(desk: Client, member: User, stranger: User) -> None:
    begin(desk, member, may_write="on")
    assert begin(desk, stranger).status_code == 404
    assert desk.get("/admin/").status_code == 302
    assert desk.get("/api/v1/me/").json()["is_admin"] is False


@pytest.mark.parametrize("path", ["/servers/boot/", "/keys/", "/project/", "/account/security/sign-out/"])
def test_looking_changes_nothing(desk: Client, member: User, project: Project, path: str) -> None:
    begin(desk, member)
    answer = desk.post(path, {"project": project.name}, headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert "you change nothing" in answer.json()["detail"]


def test_looking_changes_nothing_over_rest_either(desk: Client, member: User) -> None:
    begin(desk, member)
    answer = desk.post("/api/v1/keys/", {"name": "k", "public_key": public_key()}, content_type="application/json")
    assert answer.status_code == 403
    assert not SshKey.objects.exists()


def test_what_is_done_meanwhile_carries_both_names(desk: Client, member: User, project: Project) -> None:
    begin(desk, member, may_write="on")
    assert desk.post("/project/", {"project": project.name}).status_code == 302
    event = Event.objects.filter(actor_id=member.pk).latest("pk")
    assert (event.actor_name, event.data["by"]) == ("gregor", "root")
    desk.post("/impersonation/end/")
    assert not Event.objects.filter(actor_name="root", data__has_key="by").exists()


def test_what_signs_somebody_in_is_theirs_alone(desk: Client, member: User) -> None:
    """Through the pages, and through the REST API with the same session."""
    begin(desk, member, may_write="on")
    key = {"name": "k", "public_key": public_key()}
    refused = [
        desk.post("/account/security/totp/begin/"),
        desk.post("/account/security/sign-out/"),
        desk.post("/password/", {"old_password": "x", "new_password1": "y", "new_password2": "y"}),
        desk.post("/account/", {"title": "Dr."}),
        desk.post("/account/tokens/", {"name": "mine"}),
        desk.post("/api/v1/tokens/", {"name": "mine"}, content_type="application/json"),
        desk.post("/api/v1/keys/", key, content_type="application/json"),
        desk.get("/account/security/totp/"),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    desk.post("/keys/", key)
    assert not [
        kind for kind in (SshKey, ApiToken, Authenticator) if kind._default_manager.filter(user=member).exists()
    ]


def test_it_ends_by_time_and_what_was_open_is_not_done_as_the_administrator(
    member: User, admin: User, project: Project, settings: LazySettings
) -> None:
    desk = Client(enforce_csrf_checks=True)
    desk.force_login(admin)
    token = _token(desk)
    begin(desk, member, may_write="on", csrfmiddlewaretoken=token)
    opened = _token(desk)
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=31)):
        wish = {"project": project.name, "csrfmiddlewaretoken": opened}
        refused = desk.post("/project/", wish)
        assert refused.status_code == 403
        assert "do not act as somebody else any more" in refused.content.decode()
        assert who(desk) == "root"
        assert desk.post("/project/", wish).status_code == 403  # the form of a page that was opened as gregor
    assert not Event.objects.filter(actor_name="root", kind="membership").exists()


def _token(desk: Client) -> str:
    return str(desk.get("/keys/").context["csrf_token"])


@pytest.mark.parametrize("change", ["user locked out", "user made administrator", "administrator no more"])
def test_it_ends_when_it_would_not_begin_any_more(desk: Client, member: User, admin: User, change: str) -> None:
    begin(desk, member)
    assert who(desk) == "gregor"
    if change == "user locked out":
        User.objects.filter(pk=member.pk).update(state="blocked", is_active=False)
    elif change == "user made administrator":
        User.objects.filter(pk=member.pk).update(is_superuser=True)
    else:
        User.objects.filter(pk=admin.pk).update(is_superuser=False)
    assert who(desk) == "root"
    assert ACTING not in desk.session


def test_a_session_cannot_borrow_the_impersonation_of_another_administrator(desk: Client, member: User) -> None:
    begin(desk, member)
    other = Client()
    other.force_login(make_user("other-root", is_admin=True))
    session = other.session
    session[ACTING] = str(Impersonation.objects.get().pk)
    session.save()
    assert who(other) == "other-root"


def test_signing_out_ends_it(desk: Client, member: User, admin: User) -> None:
    begin(desk, member)
    assert desk.post("/logout/").headers["Location"] == "/login/"
    assert Impersonation.objects.get().ended_at
    assert not Session.objects.filter(user=admin).exists()


def test_they_are_told_and_find_it_afterwards(desk: Client, client: Client, member: User) -> None:
    begin(desk, member)
    desk.post("/impersonation/end/")
    notice = Notice.objects.get(user=member)
    assert notice.title == "root looks at the portal as you"
    assert WHY in notice.text
    client.force_login(member)
    page = client.get("/account/security/").content.decode()
    assert "root" in page
    assert WHY in page
    assert list(
        Event.objects.filter(topic=member.topic, kind="impersonation").order_by("pk").values_list("verb", "actor_name")
    ) == [("begun", "root"), ("ended", "root")]


def test_a_second_one_ends_the_first(desk: Client, member: User, stranger: User, admin: User) -> None:
    services.impersonate(actor=admin, user=member, reason=WHY, minutes=5)
    services.impersonate(actor=admin, user=stranger, reason=WHY, minutes=5)
    assert Impersonation.objects.get(user=member).ended_at
    assert not Impersonation.objects.get(user=stranger).ended_at
