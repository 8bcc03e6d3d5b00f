"""The staff's pages of policies and approvals, quotas on a project's page, and all of it over REST."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from clouds import services as clouds
from clouds.models import CloudAccount
from operations.models import OperationState
from projects.models import Policy, PolicyState, Project, Quota
from tests.factories import make_user
from tests.rest import Api

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
WISH = {"name": "india", "effect": "ask", "service": "cloud:india", "subject_kind": "everyone", "limits": "instances=5"}


@pytest.fixture
def operator(db: None) -> User:
    return make_operator("fugang")


def make_operator(name: str) -> User:
    user = make_user(name)
    User.objects.filter(pk=user.pk).update(portal_roles=["operator"])
    return User.objects.get(pk=user.pk)


def web_of(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_a_policy_is_written_proposed_approved_and_changed_on_the_pages(
    operator: User, account: CloudAccount, member: User
) -> None:
    web = web_of(operator)
    assert b"No policies yet" in web.get("/staff/policies/").content
    made = web.post("/staff/policies/new/", WISH)
    policy = Policy.objects.get()
    assert (made.status_code, made.headers["Location"]) == (302, f"/staff/policies/{policy.pk}/")
    page = f"/staff/policies/{policy.pk}/"
    assert web.get(page).status_code == 200
    assert web.post(f"{page}propose/", headers=HTMX).status_code == 204
    refused = web.post(f"{page}approve/", headers=HTMX)
    assert "cannot approve it" in refused.json()["detail"]
    other = web_of(make_operator("badi"))
    assert b"Approve" in other.get(page).content
    assert other.post(f"{page}approve/", headers=HTMX).status_code == 204
    changed = web.post(f"{page}edit/", {**WISH, "limits": "instances=9"})
    second = Policy.objects.get(edition=2)
    assert changed.headers["Location"] == f"/staff/policies/{second.pk}/"
    shown = web.get(f"/staff/policies/{second.pk}/").context
    assert shown["changes"] == [("limits", "instances=5", "instances=9")]
    assert [str(each) for each in web.get("/staff/policies/?state=draft").context["policies"]] == ["india (edition 2)"]


def test_a_policy_with_a_mistake_comes_back_with_it_at_its_field(operator: User) -> None:
    answer = web_of(operator).post("/staff/policies/new/", {**WISH, "subject_kind": "rule", "subject": "user = nobody"})
    assert answer.status_code == 400
    assert "There is no user" in answer.context["form"].errors["subject"][0]
    assert not Policy.objects.exists()


def test_a_rule_is_checked_while_it_is_written(operator: User, member: User, project: Project) -> None:
    web = web_of(operator)

    def check(subject: str) -> Any:
        return web.get("/staff/policies/check/", {"subject_kind": "rule", "subject": subject})

    assert "gregor in fg101" in check("user = gregor").content.decode()
    assert "Did you mean rule" in web.get("/staff/policies/check/", {"subject_kind": "rul"}).content.decode()
    assert "everyone" in web.get("/staff/policies/check/").content.decode()
    wrong = check("user = gregor nd role = lead")
    assert wrong.context["after"] == "nd role = lead"
    assert "<mark>nd role = lead</mark>" in wrong.content.decode()


def test_returning_and_retiring_ask_why(operator: User) -> None:
    web = web_of(operator)
    web.post("/staff/policies/new/", WISH)
    page = f"/staff/policies/{Policy.objects.get().pk}/"
    web.post(f"{page}propose/")
    assert b"policy-reason" in web.get(f"{page}return/").content
    assert web.post(f"{page}return/", {"reason": ""}, headers=HTMX).status_code == 400
    assert web.post(f"{page}return/", {"reason": "Not yet."}, headers=HTMX).status_code == 204
    assert web.post(f"{page}retire/", {"reason": "Never."}, headers=HTMX).status_code == 204
    assert Policy.objects.get().state == PolicyState.RETIRED


def test_what_holds_for_somebody_is_shown(operator: User, member: User, project: Project) -> None:
    asked = {"user": "gregor", "project": "fg101", "service": "machines:i1"}
    page = web_of(operator).get("/staff/policies/effective/", asked).content.decode()
    assert "No policy allows machines i1" in page
    assert (
        "There is no user"
        in web_of(operator).get("/staff/policies/effective/", {**asked, "user": "gregr"}).content.decode()
    )


@pytest.mark.parametrize("path", ["", "new/", "check/", "effective/"])
def test_the_pages_are_the_staffs(member: User, lead: User, path: str) -> None:
    for user in (member, lead):
        assert web_of(user).get(f"/staff/policies/{path}").status_code == 403


def test_what_waits_is_approved_or_rejected_on_the_pages(
    account: CloudAccount, member: User, lead: User, operator: User
) -> None:
    Policy.objects.create(name="ask", service="cloud:*", effect="ask", state=PolicyState.APPROVED)
    first, second = (clouds.boot_servers(actor=member, project=account.project) for _ in range(2))
    for user in (lead, operator):
        assert list(web_of(user).get("/staff/approvals/").context["operations"]) == [first, second]
    assert b"Nothing waits for you" in web_of(member).get("/staff/approvals/").content
    page = web_of(lead).get(f"/operations/{first.pk}/").content.decode()
    assert "The policy ask, edition 1, asks for approval of cloud india" in page
    assert "Approve" in page
    assert "Approve" not in web_of(member).get(f"/operations/{first.pk}/").content.decode()
    assert web_of(member).post(f"/operations/{first.pk}/approve/", headers=HTMX).status_code == 403
    assert web_of(lead).post(f"/operations/{first.pk}/approve/", headers=HTMX).status_code == 204
    assert b"reject-reason" in web_of(lead).get(f"/operations/{second.pk}/reject/").content
    assert web_of(lead).post(f"/operations/{second.pk}/reject/", {"reason": ""}, headers=HTMX).status_code == 400
    toast = web_of(lead).post(f"/operations/{second.pk}/reject/", {"reason": "No."}, headers=HTMX)
    assert "Rejected" in json.loads(toast.headers["HX-Trigger"])["toast"]["title"]
    for wish, state in ((first, OperationState.QUEUED), (second, OperationState.REJECTED)):
        wish.refresh_from_db()
        assert wish.state == state
    assert "Ask anew" in web_of(member).get(f"/operations/{second.pk}/").content.decode()


def test_quotas_are_shown_and_set_on_a_part_of_the_page(account: CloudAccount, member: User, lead: User) -> None:
    path = "/projects/fg101/quotas/"
    assert "quota-form" not in web_of(member).get(path).content.decode()
    form = {"user": "gregor", "scope": account.lane, "resource": "cores", "limit": "8"}
    assert web_of(member).post(path, form, headers=HTMX).status_code == 403
    assert web_of(lead).post(path, {**form, "limit": "many"}, headers=HTMX).status_code == 400
    assert web_of(lead).post(path, form, headers=HTMX).status_code == 204
    assert Quota.objects.get(user=member).limit == 8
    assert web_of(lead).post(path, {**form, "user": ""}, headers=HTMX).status_code == 403
    assert "0 of 8" in web_of(lead).get(path).content.decode()


@pytest.mark.parametrize("path", ["/staff/policies/", "/staff/approvals/"])
def test_the_lists_ask_a_constant_number_of_questions(
    account: CloudAccount, member: User, operator: User, path: str
) -> None:
    web = web_of(operator)

    def questions() -> int:
        with CaptureQueriesContext(connection) as found:
            assert web.get(path).status_code == 200
        return len(found)

    Policy.objects.create(name="ask", service="cloud:*", effect="ask", state=PolicyState.APPROVED)
    clouds.boot_servers(actor=member, project=account.project)
    questions()
    few = questions()
    for number in range(20):
        Policy.objects.create(name=f"p{number}", service="cloud:*", state=PolicyState.DRAFT, proposed_by=operator)
        clouds.boot_servers(actor=member, project=account.project)
    assert questions() == few <= 10


# -- over REST -------------------------------------------------------------------------------------------------


def test_policies_over_rest(api: Callable[..., Api], operator: User, member: User, project: Project) -> None:
    staff, other = api(operator), api(make_operator("badi"))
    wish = {"name": "india", "effect": "deny", "service": "cloud:india", "limits": {"instances": 5}, "ends": "+1w"}
    assert api(member).post("policies/", wish).status == 403
    assert "Did you mean" in staff.post("policies/", {**wish, "limits": {"core": 1}}).detail
    made = staff.post("policies/", wish)
    path = f"policies/{made['id']}/"
    assert (made.status, made["state"], made["edition"]) == (201, "draft", 1)
    assert api(member).get(path).status == 404
    assert staff.change(path, {"note": "Too small."})["note"] == "Too small."
    assert staff.post(f"{path}propose/")["proposed_by"] == "fugang"
    assert staff.post(f"{path}approve/").status == 409
    assert other.post(f"{path}return/", {"reason": "Why?"})["state"] == "draft"
    staff.post(f"{path}propose/")
    assert other.post(f"{path}approve/")["approved_by"] == "badi"
    assert api(member).get(path)["limits"] == {"instances": 5}
    second = staff.change(path, {"limits": {}, "ends": ""})
    assert (second["edition"], second["limits"], second["ends_at"]) == (2, {}, None)
    assert len(staff.get("policies/", {"name": "india"}).results) == 2
    assert len(api(member).get("policies/").results) == 1
    assert staff.post(f"{path}retire/", {"reason": "Over."})["state"] == "retired"


def test_what_holds_over_rest(
    api: Callable[..., Api], operator: User, member: User, lead: User, stranger: User, project: Project
) -> None:
    Policy.objects.create(name="closed", service="cloud:*", effect="deny", state=PolicyState.APPROVED)
    asked = {"project": "fg101", "service": "cloud:india"}
    mine = api(member).get("policies/effective/", asked)
    assert (mine["effect"], mine["rules"][0]["policy"]) == ("deny", "closed")
    assert api(lead).get("policies/effective/", {**asked, "user": "gregor"})["effect"] == "deny"
    assert api(operator).get("policies/effective/", {**asked, "user": "gregor"})["effect"] == "deny"
    assert api(member).get("policies/effective/", {**asked, "user": "laszewski"}).status == 403
    assert api(stranger).get("policies/effective/", asked).status == 404
    assert api(member).get("policies/effective/", {"project": "fg101"}).status == 400
    assert api(member).get("policies/effective/", {**asked, "service": "clod:x"}).status == 400


def test_quotas_over_rest(
    api: Callable[..., Api], account: CloudAccount, member: User, lead: User, admin: User, stranger: User
) -> None:
    Quota.objects.all().delete()
    path, wish = "projects/fg101/quotas/", {"resource": "cores", "limit": 8, "where": "india", "user": "gregor"}
    assert api(stranger).get(path).status == 404
    assert api(member).change(path, wish).status == 403
    assert api(lead).change(path, {**wish, "user": "nobody"}).status == 404
    assert api(lead).change(path, {**wish, "limit": "8"}).status == 400
    assert api(lead).change(path, wish).status == 200
    assert api(lead).change(path, {**wish, "user": ""}).status == 403
    assert api(admin).change(path, {"resource": "ram", "limit": 4096}).status == 200
    rows = api(member).get(path).results
    assert [(row["where"], row["whose"], row["resource"], row["limit"], row["used"]) for row in rows] == [
        ("", "", "ram", 4096, 0),
        ("india", "gregor", "cores", 8, 0),
    ]
    assert len(api(lead).change(path, {**wish, "limit": None}).results) == 1
