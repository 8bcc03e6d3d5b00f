"""Applying for an account: the open form, the mail, the committee, and that nobody learns who has one."""

import re
import time
from typing import Any

import pytest
from django.core import mail, signing
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import services, tasks
from accounts.models import AccountState, Mail, Notice, Profile, User
from cloudmesh.errors import IllegalTransition, Invalid
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

FORM = {
    "username": "ada",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.org",
    "institution": "Analytical Engines",
    "institution_role": "faculty",
    "country": "United Kingdom",
}


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    cache.clear()


@pytest.fixture
def reviewer(db: None) -> User:
    user = make_user("rita")
    User.objects.filter(pk=user.pk).update(portal_roles=["reviewer"])
    return User.objects.get(pk=user.pk)


def apply(client: Client, **more: str) -> Any:
    return client.post("/apply/", {**FORM, **more})


def delivered() -> list[Any]:
    """What has been mailed since the last look."""
    for pk in Mail.objects.filter(sent_at=None).order_by("created_at").values_list("pk", flat=True):
        tasks.send_mail(str(pk))
    sent, mail.outbox[:] = list(mail.outbox), []
    return sent


def link_in(text: str, kind: str) -> str:
    found = re.search(rf"http\S+(/{kind}/\S+)", text)
    assert found, text
    return found[1]


def applied(client: Client, **more: str) -> User:
    apply(client, **more)
    return User.objects.get(email__iexact=more.get("email", FORM["email"]))


def confirmed(client: Client) -> User:
    user = applied(client)
    client.post(link_in(delivered()[0].body, "apply/confirm"))
    user.refresh_from_db()
    return user


def test_a_visitor_becomes_a_user(client: Client, reviewer: User) -> None:
    user = applied(client)
    assert (user.state, user.is_active, user.has_usable_password()) == ("applied", False, False)
    path = link_in(delivered()[0].body, "apply/confirm")
    assert "Analytical Engines" in client.get(path).content.decode()
    user.refresh_from_db()
    assert user.state == "applied"  # whoever only looks at the link confirms nothing
    assert "/apply/status/" in client.post(path).headers["Location"]
    assert Notice.objects.get(user=reviewer).title == "Ada Lovelace applies for an account"
    staff = Client()
    staff.force_login(reviewer)
    assert staff.post(f"/staff/accounts/{user.pk}/decide/approve/").status_code == 302
    choose = client.get(link_in(delivered()[0].body, "password"), follow=True)
    answer = client.post(choose.request["PATH_INFO"], {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert answer.headers["Location"] == "/login/"
    user.refresh_from_db()
    assert (user.state, user.is_active) == ("active", True)
    assert client.post("/login/", {"username": "ada", "password": PASSWORD}).headers["Location"] == "/"


def test_the_status_page_says_where_it_stands(client: Client, reviewer: User) -> None:
    user = applied(client)
    path = link_in(delivered()[0].body, "apply/status")
    assert "Confirm your e-mail address" in client.get(path).content.decode()
    services.deny_account(actor=reviewer, user=user, reason="We know no such institution.")
    page = client.get(path)
    assert "We know no such institution." in page.content.decode()
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert client.get(path[:-5] + "x/").status_code == 404


def test_a_known_address_gets_the_same_answer_and_a_mail(client: Client) -> None:
    known = make_user("gregor")
    answers = [apply(client, email=address) for address in ("Gregor@Example.org", "new@example.org")]
    pages = [client.get(answer.headers["Location"]).content for answer in answers]
    assert {answer.status_code for answer in answers} == {302}
    assert pages[0] == pages[1]
    told = {message.to[0]: message for message in delivered()}
    assert "have an account" in told[known.email].subject
    assert "gregor" in told[known.email].body
    assert User.objects.filter(email__iexact=known.email).get().pk == known.pk


def test_a_taken_user_name_gets_a_number_and_nobody_is_told(client: Client) -> None:
    make_user("Ada")
    make_user("ada2")
    assert applied(client, email="lovelace@example.org").username == "ada3"
    assert "ada3" in delivered()[0].body


def test_of_two_applications_with_an_unconfirmed_address_the_last_one_counts(client: Client) -> None:
    applied(client)
    first = link_in(delivered()[0].body, "apply/confirm")
    user = applied(client, first_name="Augusta", institution="Elsewhere")
    second = link_in(delivered()[0].body, "apply/confirm")
    assert client.post(first).status_code == 400
    assert client.post(second).status_code == 302
    user.refresh_from_db()
    assert (user.state, user.first_name, user.profile.institution) == ("confirmed", "Augusta", "Elsewhere")


def test_a_confirmation_counts_once(client: Client, reviewer: User) -> None:
    applied(client)
    path = link_in(delivered()[0].body, "apply/confirm")
    assert client.post(path).status_code == client.post(path).status_code == client.get(path).status_code == 302
    assert Notice.objects.filter(user=reviewer).count() == 1


@pytest.mark.parametrize("token", ["nonsense", "a:b:c", "%00", "x" * 3000])
def test_a_token_that_was_made_elsewhere_confirms_nothing(client: Client, token: str) -> None:
    user = applied(client)
    assert client.post(f"/apply/confirm/{token}/").status_code in (400, 404)
    status = link_in(delivered()[0].body, "apply/status").rstrip("/").rpartition("/")[2]
    assert client.post(f"/apply/confirm/{status}/").status_code == 400
    user.refresh_from_db()
    assert user.state == "applied"


class EightDaysAgo(signing.TimestampSigner):
    def timestamp(self) -> str:
        return signing.b62_encode(int(time.time()) - 8 * 86_400)


def test_a_token_ends_after_a_week(client: Client) -> None:
    user = applied(client)
    token = EightDaysAgo(salt="accounts.confirm").sign(f"{user.pk}:{user.version}")
    answer = client.post(f"/apply/confirm/{token}/")
    assert (answer.status_code, "too old" in answer.content.decode()) == (400, True)


@pytest.mark.parametrize("role", ["undergraduate", "masters", "phd", "student"])
def test_students_name_an_advisor(client: Client, role: str) -> None:
    assert "advisor" in apply(client, institution_role=role).content.decode()
    assert not User.objects.filter(email=FORM["email"]).exists()
    assert apply(client, institution_role=role, advisor="Charles Babbage").status_code == 302


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "x"),
        ("username", "1ada"),
        ("username", "ada lovelace"),
        ("username", "root"),
        ("username", "ada\u0000"),
        ("email", "no address"),
        ("email", "ada@example.org\r\nBcc: all@example.org"),
        ("first_name", "http://evil.example/win"),
        ("first_name", "  "),
        ("institution", ""),
        ("institution_role", "king"),
        ("url", "javascript:alert(1)"),
        ("title", "x" * 33),
    ],
)
def test_what_cannot_be_is_told_at_its_field(client: Client, field: str, value: str) -> None:
    answer = apply(client, **{field: value})
    assert answer.status_code == 400
    assert answer.context["form"].errors[field]
    assert not User.objects.filter(email__startswith="ada").exists()
    assert not Mail.objects.exists()


def test_nobody_adds_a_header_to_a_mail_by_their_name(client: Client) -> None:
    apply(client, first_name="Ada\r\nBcc: all", last_name="x")
    apply(client, first_name="Ada\r\nBcc", last_name="Lovelace\nSubject")
    for message in delivered():
        assert message.recipients() == [FORM["email"]]
        assert "\n" not in message.subject
        assert not message.message()["Bcc"]


def test_the_form_sets_nothing_that_it_does_not_show(client: Client) -> None:
    user = applied(
        client, is_superuser="on", is_staff="on", is_active="on", state="active", portal_roles="operator",
        password="pbkdf2$x", source="ldap", id="00000000-0000-0000-0000-000000000001", user="1",
        expires_at="2099-01-01",
    )  # fmt: skip
    assert (user.is_superuser, user.is_staff, user.is_active, user.state) == (False, False, False, "applied")
    assert (user.portal_roles, user.source, user.expires_at, user.has_usable_password()) == ([], "local", None, False)


def test_a_program_that_fills_in_everything_applies_for_nothing(client: Client) -> None:
    assert apply(client, fax="+1 555").headers["Location"] == "/apply/sent/"
    assert not User.objects.filter(email=FORM["email"]).exists()


def test_one_address_applies_a_few_times_an_hour(client: Client) -> None:
    said = [apply(client, email=f"ada{number}@example.org").status_code for number in range(11)]
    assert said == [302] * 10 + [400]
    assert apply(Client(REMOTE_ADDR="192.0.2.9"), email="other@example.org").status_code == 302


def test_a_denial_and_an_approval_are_taken_back(client: Client, reviewer: User) -> None:
    user = confirmed(client)
    services.deny_account(actor=reviewer, user=user, reason="No.")
    services.reconsider_account(actor=reviewer, user=user)
    assert user.state == AccountState.CONFIRMED
    services.approve_account(actor=reviewer, user=user)
    path = link_in(delivered()[-1].body, "password")
    services.reconsider_account(actor=reviewer, user=user)
    assert "does not work any more" in client.get(path, follow=True).content.decode()


def test_an_unconfirmed_address_stays_so_when_its_denial_is_taken_back(client: Client, reviewer: User) -> None:
    user = applied(client)
    services.deny_account(actor=reviewer, user=user, reason="No.")
    services.reconsider_account(actor=reviewer, user=user)
    assert user.state == AccountState.APPLIED


def test_an_approval_from_which_something_followed_stays(client: Client, reviewer: User) -> None:
    user = confirmed(client)
    services.approve_account(actor=reviewer, user=user)
    user = services.set_password(user=user, password=PASSWORD)
    with pytest.raises(IllegalTransition):
        services.reconsider_account(actor=reviewer, user=user)


def test_a_denial_gives_its_reason(client: Client, reviewer: User) -> None:
    user = confirmed(client)
    with pytest.raises(Invalid, match="reason"):
        services.deny_account(actor=reviewer, user=user, reason="  ")
    services.deny_account(actor=reviewer, user=user, reason="<b>Too</b> few words.")
    message = delivered()[-1]
    assert "<b>Too</b> few words." in message.body
    assert "&lt;b&gt;Too&lt;/b&gt; few words." in message.alternatives[0][0]


def test_a_mail_that_is_not_taken_is_kept(client: Client, settings: Any) -> None:
    applied(client)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    kept = Mail.objects.get()
    tasks.send_mail(str(kept.pk))
    kept.refresh_from_db()
    assert (kept.attempts, kept.sent_at, "refused" in kept.problem) == (1, None, True)
    assert kept.text
    assert kept.next_at


def test_a_mail_goes_out_once_and_its_text_goes(client: Client) -> None:
    applied(client)
    pk = str(Mail.objects.get().pk)
    tasks.send_mail(pk)
    tasks.send_mail(pk)
    assert len(mail.outbox) == 1
    sent = Mail.objects.get()
    assert (sent.text, sent.html, sent.next_at) == ("", "", None)
    assert Profile.objects.get(user__email=FORM["email"]).country == "United Kingdom"


def test_a_worker_is_rung_after_the_commit_alone(
    client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as rung:
        applied(client)
    assert rung
