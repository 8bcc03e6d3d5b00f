"""The admin console: everything opens for administrators and nobody else, and what is done goes through services."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import services as accounts
from accounts.models import Agreement, Mail, Profile, User
from activity.models import Event
from clouds.models import CloudAccount, Server, Volume
from hpc.models import Job, Scheduler
from operations.models import Operation
from projects import services
from projects.models import Application, Policy, Project
from tests import factories

pytestmark = pytest.mark.django_db

MOST = 10
SECRETS = ("hunter2", "whsec_", "s3cret")
POLICY = {"name": "few-cores", "effect": "deny", "service": "cloud:*"}


@pytest.fixture
def everything(server: Server, member: User, project: Project, admin: User) -> dict[type, Any]:
    """One of each that the console shows, with secrets wherever one may be."""
    member.set_password("hunter2")
    member.save(update_fields=["password"])
    Profile.objects.create(user=member, institution="Indiana University")
    operation = Operation.objects.order_by("created_at")[0]
    Operation.objects.filter(pk=operation.pk).update(params={"password": "hunter2"}, result={"url": "s3cret"})
    terms = accounts.draft_agreement(actor=admin, name="use", title="Terms of use", text="Be kind.")
    webhook, _ = accounts.add_webhook(owner=member, topic=member.topic, url="https://hooks.example.org/s3cret")
    change = Application.objects.create(
        project=project, applicant=member, kind="change", state="submitted", answers={"information": {"title": "New"}}
    )
    scheduler = factories.make_scheduler(project, member)
    return {
        Agreement: terms,
        Application: change,
        CloudAccount: server.account,
        Event: Event.objects.order_by("-pk")[0],
        Mail: Mail.objects.create(to="a@example.org", subject="Hello", text="s3cret link", html="s3cret link"),
        Job: factories.make_job(scheduler, project=project, owner=member, script="s3cret", native={"key": "s3cret"}),
        Operation: operation,
        Policy: services.draft_policy(actor=admin, **POLICY),
        Project: project,
        Scheduler: scheduler,
        Server: server,
        User: member,
        Volume: Volume.objects.create(account=server.account, project=project, name="data", native={"key": "s3cret"}),
        type(webhook): webhook,
    }


def pages(things: dict[type, Any]) -> list[str]:
    """Each list and each thing of the console."""
    found = [reverse("admin:index")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[things[model].pk])]
    return [*found, *(reverse("admin:app_list", args=[app]) for app in ("accounts", "projects", "clouds"))]


@pytest.fixture
def site(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def test_every_page_opens_and_tells_no_secret(site: Client, everything: dict[type, Any], member: User) -> None:
    sealed = [everything[CloudAccount].credential, member.password]
    sealed += [model.secret for model in everything.values() if hasattr(model, "secret")]
    assert all(sealed)
    for path in pages(everything):
        answer = site.get(path)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        told = [secret for secret in (*SECRETS, *sealed) if secret in page]
        assert not told, path


def test_the_console_shows_what_there_is_and_no_other_package(everything: dict[type, Any]) -> None:
    assert set(admin.site._registry) == set(everything)


@pytest.mark.parametrize("role", ["member", "lead", "operator", "auditor", "reviewer", "staff"])
def test_it_opens_for_nobody_else(client: Client, everything: dict[type, Any], lead: User, role: str) -> None:
    user = {"lead": lead, "member": everything[User]}.get(role) or factories.make_user(role)
    if role in ("operator", "auditor", "reviewer"):
        User.objects.filter(pk=user.pk).update(portal_roles=[role])
    if role == "staff":
        User.objects.filter(pk=user.pk).update(is_staff=True)
    client.force_login(user)
    for path in pages(everything):
        answer = client.get(path, follow=True)
        assert answer.status_code == 403, path
        assert "for administrators" in answer.content.decode()


def test_strangers_sign_in_on_the_portals_own_page(client: Client) -> None:
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/login/?next=")
    assert client.post("/admin/login/", {"username": "root", "password": "guess"}).status_code == 302
    for gone in ("/admin/password_change/", "/admin/password_change/done/"):
        client.force_login(factories.make_user(is_admin=True))
        assert client.get(gone).status_code == 404


def test_a_project_token_is_no_way_in(client: Client, admin: User, project: Project) -> None:
    _, secret = accounts.issue_token(user=admin, name="laptop")
    assert client.get("/admin/", headers={"Authorization": f"Bearer {secret}"}).status_code == 302


def test_no_page_weakens_the_content_security_policy(site: Client, everything: dict[type, Any]) -> None:
    usual = site.get("/operations/").headers["Content-Security-Policy"]
    for path in pages(everything):
        answer = site.get(path)
        page = answer.content.decode()
        assert answer.headers["Content-Security-Policy"] == usual
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page), path
        inline = [tag for tag in re.findall(r"<script[^>]*>", page) if "src=" not in tag and "json" not in tag]
        assert not inline, path


@pytest.mark.parametrize("model", [User, Project, Server, Operation, Event, Policy, Application, CloudAccount])
def test_lists_ask_a_constant_number_of_questions(
    site: Client, everything: dict[type, Any], account: CloudAccount, member: User, model: type
) -> None:
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")  # type: ignore[attr-defined]
    site.get(path)
    with CaptureQueriesContext(connection) as few:
        site.get(path)
    people = [factories.make_user() for _ in range(30)]
    for user in people:
        place = factories.make_project(lead=user)
        Application.objects.create(project=place, applicant=user)
    for number in range(30):
        Policy.objects.create(name=f"policy-{number}", service="cloud:*")
    factories.make_servers(account, member, 30)
    site.get(path)
    with CaptureQueriesContext(connection) as many:
        page = site.get(path)
    assert len(page.context["cl"].result_list) <= 50
    assert len(many) == len(few) <= MOST, "\n".join(each["sql"][:160] for each in many.captured_queries)


def test_dates_are_written_as_they_sort(site: Client, member: User) -> None:
    assert (
        f'<td class="field-created_at nowrap">{member.created_at:%Y-%m-%d %H:%M:%S}</td>'
        in site.get("/admin/accounts/user/").content.decode()
    )


def test_search_and_filters_narrow(site: Client, everything: dict[type, Any]) -> None:
    found = site.get("/admin/accounts/user/?q=gregor&state__exact=active&portal_role=admin")
    assert not found.context["cl"].result_list
    [gregor] = site.get("/admin/accounts/user/?q=gregor&state__exact=active").context["cl"].result_list
    assert gregor.username == "gregor"


# -- what is done ----------------------------------------------------------------------------------------------


def act(site: Client, record: Any, action: str, reason: str = "") -> str:
    """Choose one record in its list and do something to it; what is said of it."""
    path = reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_changelist")
    chosen = {"action": action, "_selected_action": str(record.pk), "reason": reason, "index": "0"}
    page = site.post(path, chosen, follow=True)
    return " ".join(str(message) for message in page.context["messages"])


def test_accounts_are_locked_and_let_in_by_the_services(site: Client, member: User) -> None:
    assert "1 suspended" in act(site, member, "suspend_with_a_reason", "Too many servers")
    member.refresh_from_db()
    assert (member.state, member.is_active, member.state_reason) == ("suspended", False, "Too many servers")
    event = Event.objects.filter(object_id=member.pk).latest("pk")
    assert (event.to_state, event.actor_name) == ("suspended", "root")
    assert "1 activated" in act(site, member, "activate_again")
    assert "Give a reason" in act(site, member, "block_with_a_reason")
    assert "cannot become" in act(site, member, "approve")


def test_administrators_do_not_lock_themselves_out(site: Client, admin: User) -> None:
    assert "Nobody locks themselves out" in act(site, admin, "suspend_with_a_reason", "by mistake")


def test_projects_are_blocked_with_a_reason(site: Client, project: Project) -> None:
    assert "Say why" in act(site, project, "block_with_a_reason")
    assert "1 blocked" in act(site, project, "block_with_a_reason", "Mining")
    assert "1 let go on" in act(site, project, "let_go_on")
    project.refresh_from_db()
    assert project.state == "active"


def test_policies_need_four_eyes_here_too(site: Client, admin: User) -> None:
    policy = services.draft_policy(actor=admin, **POLICY)
    assert "1 proposed" in act(site, policy, "propose")
    assert "cannot approve it" in act(site, policy, "approve")
    other = factories.make_user(is_admin=True)
    site.force_login(other)
    assert "1 approved" in act(site, policy, "approve")
    policy.refresh_from_db()
    assert (policy.state, policy.approved_by) == ("approved", other)


def test_operations_are_cancelled_and_tried_again(site: Client, account: CloudAccount, member: User) -> None:
    done = Operation.objects.get(kind="cloud.verify")
    assert "nothing to cancel" in act(site, done, "cancel")
    assert "only what failed" in act(site, done, "try_again") or "cannot be tried again" in act(site, done, "try_again")


def test_agreements_are_drafted_edited_and_published(site: Client) -> None:
    added = site.post("/admin/accounts/agreement/add/", {"name": "use", "title": "Terms", "text": "Be kind."})
    assert added.status_code == 302
    terms = Agreement.objects.get()
    here = f"/admin/accounts/agreement/{terms.pk}/change/"
    site.post(here, {"title": "Terms of use", "text": "Be kind and quick.", "version": "9"})
    terms.refresh_from_db()
    assert (terms.title, terms.version, terms.published_at) == ("Terms of use", 1, None)
    assert "1 published" in act(site, terms, "publish")
    assert "published already" in act(site, terms, "publish")
    assert site.post(here, {"title": "Other terms", "text": "Be quick."}).status_code == 403
    assert "1 drafted" in act(site, terms, "draft_a_new_version")
    assert list(Agreement.objects.values_list("version", "title")) == [(2, "Terms of use"), (1, "Terms of use")]
    assert [event.verb for event in Event.objects.filter(kind="agreement").order_by("pk")] == [
        "drafted", "edited", "published", "drafted"
    ]  # fmt: skip


def test_nothing_is_added_changed_or_deleted_past_the_services(site: Client, everything: dict[type, Any]) -> None:
    for model, record in everything.items():
        if model is Agreement:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"  # type: ignore[attr-defined]
        before = model.objects.filter(pk=record.pk).values().get()  # type: ignore[attr-defined]
        for path in (
            reverse(f"{name}_add"),
            *(reverse(f"{name}_{do}", args=[record.pk]) for do in ("change", "delete")),
        ):
            assert site.post(path, {"state": "deleted", "post": "yes"}).status_code == 403, path
        act(site, record, "delete_selected")
        assert model.objects.filter(pk=record.pk).values().get() == before  # type: ignore[attr-defined]


def test_the_front_page_counts_what_waits(site: Client) -> None:
    User.objects.filter(pk=factories.make_user("applicant").pk).update(state="confirmed", is_active=False)
    page = site.get("/admin/")
    waiting = {each["words"]: each for each in page.context["waiting"]}
    assert waiting["accounts to decide on"]["count"] == 1
    assert [each.username for each in site.get(waiting["accounts to decide on"]["url"]).context["cl"].result_list] == [
        "applicant"
    ]
