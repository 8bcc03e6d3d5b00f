"""Accounts for the staff: found, decided about, locked and let back in."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.lifecycle import move
from accounts.models import AccountState, ApiToken, LoginLink, Profile, Session, User
from activity.models import Event
from cloudmesh.errors import CloudmeshError, Conflict, IllegalTransition, Invalid, NotAllowed
from projects.models import Project
from tests.accounts.test_applications import delivered
from tests.factories import make_user

pytestmark = pytest.mark.django_db

STATE = AccountState
DECIDED = {  # by the committee: from → to
    "approve": ({STATE.CONFIRMED}, STATE.APPROVED),
    "deny": ({STATE.APPLIED, STATE.CONFIRMED, STATE.APPROVED}, STATE.DENIED),
    "reconsider": ({STATE.DENIED, STATE.APPROVED}, STATE.CONFIRMED),
    "suspend": ({STATE.ACTIVE}, STATE.SUSPENDED),
    "block": ({STATE.ACTIVE, STATE.SUSPENDED}, STATE.BLOCKED),
    "activate": ({STATE.SUSPENDED, STATE.BLOCKED, STATE.EXPIRED}, STATE.ACTIVE),
    "expire": (
        {STATE.APPLIED, STATE.CONFIRMED, STATE.APPROVED, STATE.ACTIVE, STATE.SUSPENDED}, STATE.EXPIRED
    ),
}  # fmt: skip
DO: dict[str, Any] = {
    "approve": services.approve_account,
    "deny": services.deny_account,
    "reconsider": services.reconsider_account,
    "suspend": services.suspend_account,
    "block": services.block_account,
    "activate": services.activate_account,
    "expire": services.expire_account,
}
WITH_REASON = {"deny", "suspend", "block", "expire"}


def in_state(state: str, name: str = "ada") -> User:
    user = make_user(name)
    User.objects.filter(pk=user.pk).update(state=state, is_active=state == STATE.ACTIVE)
    Profile.objects.create(user=user, institution="Analytical Engines", advisor="Babbage", phone="+44 1")
    return User.objects.get(pk=user.pk)


def role(name: str) -> User:
    user = make_user(f"some-{name}")
    User.objects.filter(pk=user.pk).update(portal_roles=[name])
    return User.objects.get(pk=user.pk)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# -- states ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", DO)
@pytest.mark.parametrize("state", STATE.values)
def test_an_account_moves_as_its_table_says_and_no_other_way(admin: User, state: str, deed: str) -> None:
    user, (froms, to) = in_state(state), DECIDED[deed]
    reason = {"reason": "So."} if deed in WITH_REASON else {}
    if state in froms:
        DO[deed](actor=admin, user=user, **reason)
    else:
        with pytest.raises((IllegalTransition, Conflict)):
            DO[deed](actor=admin, user=user, **reason)
    user = User.objects.get(pk=user.pk)
    assert user.state == (to if state in froms else state)
    assert user.is_active == (user.state == STATE.ACTIVE)


@pytest.mark.parametrize("state", STATE.values)
def test_nothing_moves_to_where_it_is(state: str) -> None:
    with pytest.raises(IllegalTransition, match="already"):
        move(in_state(state), state)


def test_the_database_keeps_state_and_is_active_together(member: User) -> None:
    for wrong in ({"is_active": False}, {"state": STATE.BLOCKED}):
        with pytest.raises(IntegrityError, match="user_active_by_state"), transaction.atomic():
            User.objects.filter(pk=member.pk).update(**wrong)


@pytest.mark.parametrize("deed", ["suspend", "block", "expire"])
def test_whoever_is_locked_out_is_out_at_once(admin: User, deed: str) -> None:
    user = in_state(STATE.ACTIVE)
    client = client_of(user)
    services.issue_token(user=user, name="laptop")
    path = services.issue_login_link(user=user)
    assert client.get("/account/").status_code == 200
    DO[deed](actor=admin, user=user, reason="Away.")
    for kind in (ApiToken, Session, LoginLink):
        assert not kind._default_manager.filter(user=user).exists()
    assert client.get("/account/").status_code == 302
    assert client.get(path).status_code == 410
    told = Event.objects.filter(topic=user.topic, kind="user").latest("pk")
    assert (told.to_state, told.reason, told.actor_name) == (DECIDED[deed][1], "Away.", "root")
    assert "Away." in delivered()[-1].body


def test_nobody_locks_themselves_out_or_gives_no_reason(admin: User) -> None:
    with pytest.raises(NotAllowed):
        services.suspend_account(actor=admin, user=admin, reason="x")
    with pytest.raises(Invalid):
        services.block_account(actor=admin, user=in_state(STATE.ACTIVE), reason="\n ")


def test_an_expired_account_comes_back_without_its_end(admin: User) -> None:
    user = in_state(STATE.EXPIRED)
    User.objects.filter(pk=user.pk).update(expires_at=timezone.now())
    services.activate_account(actor=admin, user=user)
    assert User.objects.get(pk=user.pk).expires_at is None
    assert "/password/" in delivered()[-1].body  # they have none yet


def test_a_deed_is_done_once(admin: User) -> None:
    user, stale = in_state(STATE.CONFIRMED), User.objects.get(username="ada")
    services.approve_account(actor=admin, user=user)
    with pytest.raises(CloudmeshError):
        services.approve_account(actor=admin, user=stale)
    assert len(delivered()) == 1


# -- pages -----------------------------------------------------------------------------------------------------


def test_the_list_finds_and_narrows(admin: User) -> None:
    for made in (in_state(STATE.CONFIRMED), in_state(STATE.BLOCKED, "eve"), role("operator")):
        assert made.pk
    page = client_of(admin)

    def found(query: str) -> set[str]:
        return {person.username for person in page.get(f"/staff/accounts/?{query}").context["people"]}

    assert found("state=confirmed") == {"ada"}
    assert found("q=engines") == {"ada", "eve"}
    assert found("role=operator") == {"some-operator"}
    assert found("role=admin") == {"root"}
    assert found("q=nonsense") == set()
    assert found("sort=-username") >= {"root", "ada"}


def test_a_thousand_accounts_take_few_questions(admin: User) -> None:
    User.objects.bulk_create(User(username=f"user-{n}", email=f"user-{n}@example.org") for n in range(1000))
    page = client_of(admin)
    page.get("/staff/accounts/")
    with CaptureQueriesContext(connection) as asked:
        answer = page.get("/staff/accounts/")
    assert len(asked) <= 10
    assert len(answer.context["people"]) <= 100


@pytest.mark.parametrize(
    ("name", "is_private", "deeds"),
    [("reviewer", True, {"approve", "deny"}), ("operator", False, set()), ("auditor", False, set())],
)
def test_staff_see_what_is_theirs_to_see(name: str, is_private: bool, deeds: set[str]) -> None:
    answer = client_of(role(name)).get(f"/staff/accounts/{in_state(STATE.CONFIRMED).pk}/")
    assert ("Babbage" in answer.content.decode()) == is_private
    assert {deed.name for deed in answer.context["deeds"]} == deeds
    assert not answer.context["roles"]


def test_administrators_set_roles(admin: User) -> None:
    user = in_state(STATE.ACTIVE)
    page = client_of(admin)
    assert page.post(f"/staff/accounts/{user.pk}/roles/", {"roles": ["reviewer", "auditor"]}).status_code == 302
    user.refresh_from_db()
    assert user.portal_roles == ["auditor", "reviewer"]
    assert page.post(f"/staff/accounts/{user.pk}/roles/", {"roles": ["king"]}).status_code == 400
    assert page.post(f"/staff/accounts/{user.pk}/roles/").status_code == 302
    user.refresh_from_db()
    assert user.portal_roles == []
    assert user.notices.count() == 2


def test_a_deed_by_the_page(admin: User) -> None:
    user = in_state(STATE.ACTIVE)
    page, path = client_of(admin), f"/staff/accounts/{user.pk}/manage"
    assert page.post(f"{path}/suspend/").status_code == 400
    assert page.post(f"{path}/suspend/", {"reason": "Away."}).headers["Location"] == f"/staff/accounts/{user.pk}/"
    assert "Away." in page.get(f"/staff/accounts/{user.pk}/").content.decode()
    assert page.post(f"{path}/suspend/", {"reason": "x"}, headers={"HX-Request": "true"}).status_code == 409
    assert page.post(f"{path}/activate/", headers={"HX-Request": "true"}).status_code == 204
    for wrong in ("approve", "set_roles", "nonsense"):
        assert page.post(f"{path}/{wrong}/", {"reason": "x"}).status_code == 404


@pytest.mark.parametrize("who", ["member", "lead", "stranger"])
def test_nobody_else_comes_in(project: Project, request: pytest.FixtureRequest, member: User, who: str) -> None:
    page = client_of(request.getfixturevalue(who))
    assert page.get("/staff/accounts/").status_code == 403
    for path in ("", "roles/", "decide/approve/", "manage/suspend/"):
        answer = (
            page.get(f"/staff/accounts/{member.pk}/") if not path else page.post(f"/staff/accounts/{member.pk}/{path}")
        )
        assert answer.status_code == (404 if who == "stranger" else 403)
    assert "Accounts</span>" not in page.get("/").content.decode()


def test_a_reviewer_manages_nobody(member: User) -> None:
    page = client_of(role("reviewer"))
    assert page.post(f"/staff/accounts/{member.pk}/manage/suspend/", {"reason": "x"}).status_code == 403
    assert page.post(f"/staff/accounts/{member.pk}/decide/suspend/", {"reason": "x"}).status_code == 404
    assert page.post(f"/staff/accounts/{member.pk}/roles/", {"roles": ["operator"]}).status_code == 403
