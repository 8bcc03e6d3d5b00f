"""Users, one's own profile and agreements over REST."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts import services
from accounts.models import AccountState, Agreement, ApiToken, Profile, User
from projects.models import Project
from tests.factories import make_user
from tests.rest import Api

Login = Callable[..., Api]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def reviewer(db: None) -> User:
    user = make_user("rita")
    User.objects.filter(pk=user.pk).update(portal_roles=["reviewer"])
    return User.objects.get(pk=user.pk)


@pytest.fixture
def applicant(db: None) -> User:
    user = make_user("ada")
    User.objects.filter(pk=user.pk).update(state=AccountState.CONFIRMED, is_active=False)
    Profile.objects.create(user=user, phone="+44 1", institution="Engines", advisor="Babbage")
    return User.objects.get(pk=user.pk)


@pytest.fixture
def terms(db: None) -> Agreement:
    return Agreement.objects.create(name="use", title="Terms of use", text="Be kind.", published_at=timezone.now())


# -- users -----------------------------------------------------------------------------------------------------


def test_people_see_those_they_work_with(api: Login, project: Project, member: User, stranger: User) -> None:
    assert [user["username"] for user in api(member).get("users/").results] == ["gregor", "laszewski"]
    assert api(stranger).get(f"users/{member.pk}/").status == 404


def test_colleagues_see_a_name_and_nothing_of_the_account(
    api: Login, project: Project, member: User, lead: User
) -> None:
    Profile.objects.create(user=lead, phone="+1 812", institution="IU", citizenship="DE", advisor="x")
    seen = api(member).get(f"users/{lead.pk}/").body
    known = {"id", "username", "name", "institution"}
    assert {name for name, value in seen.items() if value is not None} == known
    assert api(lead).get(f"users/{lead.pk}/")["phone"] == "+1 812"


def test_operators_see_accounts_and_reviewers_what_they_decide_by(api: Login, applicant: User, reviewer: User) -> None:
    operator = make_user("otto")
    User.objects.filter(pk=operator.pk).update(portal_roles=["operator"])
    seen = api(operator).get(f"users/{applicant.pk}/")
    assert (seen["email"], seen["state"], seen["phone"]) == ("ada@example.org", "confirmed", None)
    assert api(reviewer).get(f"users/{applicant.pk}/")["advisor"] == "Babbage"
    assert [user["username"] for user in api(reviewer).get("users/", {"state": "confirmed"}).results] == ["ada"]


def test_only_staff_ask_by_state(api: Login, project: Project, member: User) -> None:
    assert api(member).get("users/", {"state": "suspended"}).status == 403


def test_reviewers_decide_and_administrators_manage(api: Login, applicant: User, reviewer: User, admin: User) -> None:
    asking, path = api(reviewer), f"users/{applicant.pk}/"
    assert asking.post(f"{path}deny/", {}).status == 400
    assert asking.post(f"{path}deny/", {"reason": "No."})["state"] == "denied"
    assert asking.post(f"{path}reconsider/")["state"] == "confirmed"
    assert asking.post(f"{path}approve/")["state"] == "approved"
    services.set_password(user=applicant, password="a long enough passphrase")
    assert asking.post(f"{path}suspend/", {"reason": "x"}).status == 403
    managing = api(admin)
    assert managing.post(f"{path}suspend/", {"reason": "Away."})["state_reason"] == "Away."
    assert managing.post(f"{path}activate/")["state"] == "active"
    assert managing.post(f"{path}roles/", {"roles": ["operator"]})["portal_roles"] == ["operator"]
    assert managing.post(f"{path}roles/", {"roles": ["king"]}).status == 400
    assert managing.post(f"{path}block/", {"reason": "Enough."})["state"] == "blocked"
    assert managing.post(f"{path}suspend/", {"reason": "x"}).status == 409
    assert managing.post(f"users/{admin.pk}/suspend/", {"reason": "x"}).status == 403


@pytest.mark.parametrize("deed", ["approve", "deny", "reconsider", "suspend", "block", "expire", "activate", "roles"])
def test_nobody_else_decides(api: Login, project: Project, member: User, lead: User, stranger: User, deed: str) -> None:
    with_reason = {key: {"reason": "x"} for key in ("deny", "suspend", "block", "expire")}
    bodies: dict[str, Any] = {**with_reason, "roles": {"roles": []}}
    body = bodies.get(deed)
    assert api(lead).post(f"users/{member.pk}/{deed}/", body).status == 403
    assert api(stranger).post(f"users/{member.pk}/{deed}/", body).status == 404


# -- one's own profile -----------------------------------------------------------------------------------------


def test_a_profile_is_read_and_changed_in_part(api: Login, member: User) -> None:
    asking = api(member)
    assert asking.get("me/profile/")["institution"] == ""
    asking.change("me/profile/", {"institution": "IU", "first_name": "Gregor", "last_name": "von Laszewski"})
    told = asking.change("me/profile/", {"country": "USA"})
    assert (told["institution"], told["country"], told["first_name"]) == ("IU", "USA", "Gregor")
    assert asking.change("me/profile/", {"institution": ""})["institution"] == ""


@pytest.mark.parametrize(
    "field", ["is_superuser", "is_staff", "portal_roles", "state", "email", "username", "password", "user", "source"]
)
def test_a_profile_sets_nothing_else(api: Login, member: User, field: str) -> None:
    before = User.objects.filter(pk=member.pk).values().get()
    assert api(member).change("me/profile/", {field: "admin"}).status == 400
    assert User.objects.filter(pk=member.pk).values().get() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("url", "javascript:alert(1)"), ("institution_role", "king"), ("institution_role", "phd"), ("title", "x" * 40)],
)
def test_a_profile_that_cannot_be_is_refused(api: Login, member: User, field: str, value: str) -> None:
    answer = api(member).change("me/profile/", {field: value})
    assert answer.status == 400
    assert answer.detail


# -- agreements ------------------------------------------------------------------------------------------------


def test_nothing_works_before_agreements_are_accepted(api: Login, member: User, terms: Agreement) -> None:
    asking = api(member)
    refused = asking.get("servers/")
    assert (refused.status, refused["url"]) == (403, "/account/agreements/")
    assert "Terms of use, version 1" in refused.detail
    assert asking.get("me/").status == 200
    assert asking.get("agreements/").results[0]["accepted_at"] is None
    assert asking.post("agreements/use/accept/", {"version": 1})["accepted_at"]
    assert asking.get("servers/").status == 200


def test_what_is_accepted_is_the_version_that_was_read(api: Login, member: User, terms: Agreement) -> None:
    Agreement.objects.create(name="use", version=2, title="Terms", text="Be kinder.", published_at=timezone.now())
    asking = api(member)
    assert asking.get("agreements/use/")["version"] == 2
    assert asking.post("agreements/use/accept/", {"version": 1}).status == 409
    assert asking.post("agreements/use/accept/", {"version": 7}).status == 404
    assert asking.post("agreements/other/accept/", {"version": 1}).status == 404
    assert not member.acceptances.exists()


def test_drafts_bind_nobody(api: Login, member: User) -> None:
    Agreement.objects.create(name="use", title="Terms", text="…")
    assert api(member).get("servers/").status == 200
    assert api(member).get("agreements/").results == []


def test_a_suspended_persons_tokens_are_gone(api: Login, member: User, admin: User) -> None:
    asking = api(member)
    services.suspend_account(actor=admin, user=member, reason="Away.")
    assert asking.get("me/").status == 401
    services.activate_account(actor=admin, user=member)
    assert asking.get("me/").status == 401
    assert not ApiToken.objects.filter(user=member).exists()


def test_staff_find_those_who_have_a_role_and_nobody_else_does(api: Login, reviewer: User, member: User) -> None:
    asking = api(reviewer)
    assert [user["username"] for user in asking.get("users/", {"role": "reviewer,auditor"}).results] == ["rita"]
    assert asking.get("users/", {"role": "auditor"}).results == []
    assert "reviewer, operator, auditor" in asking.get("users/", {"role": "king"}).detail
    assert api(member).get("users/", {"role": "reviewer"}).status == 403
