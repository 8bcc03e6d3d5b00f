"""One's own pages: profile, password, keys, tokens, agreements, log."""

from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts import services, tasks
from accounts.models import AccountState, Agreement, ApiToken, Mail, Profile, SshKey, User
from projects.models import Project
from tests.accounts.test_applications import delivered, link_in
from tests.factories import PASSWORD, make_key, make_user, public_key
from tests.rest import Api

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_asked")]

NEW = "another long enough passphrase"


# -- profile ---------------------------------------------------------------------------------------------------


def test_one_changes_ones_profile(page: Client, gregor: User) -> None:
    said = {
        "first_name": "Gregor",
        "last_name": "von Laszewski",
        "institution": "IU",
        "url": "https://laszewski.github.io",
    }
    assert page.post("/account/", said).headers["Location"] == "/account/"
    gregor.refresh_from_db()
    assert (gregor.get_full_name(), gregor.profile.institution) == ("Gregor von Laszewski", "IU")
    assert "von Laszewski" in page.get("/account/").content.decode()


def test_a_profile_form_sets_nothing_that_it_does_not_show(page: Client, gregor: User) -> None:
    before: dict[str, Any] = dict(User.objects.filter(pk=gregor.pk).values().get())
    more = {
        "is_superuser": "on", "is_staff": "on", "portal_roles": "operator", "state": "blocked",
        "email": "x@example.org", "username": "root", "password": "x", "user": "1",
        "expires_at": "2099-01-01", "source": "ldap",
    }  # fmt: skip
    assert page.post("/account/", {"first_name": "G", "last_name": "L", **more}).status_code == 302
    after: dict[str, Any] = dict(User.objects.filter(pk=gregor.pk).values().get())
    changed = {name for name, value in after.items() if value != before[name]}
    assert changed - {"changed_at"} == {"first_name", "last_name", "version"}


def test_a_directory_says_the_names_of_its_people(page: Client, gregor: User) -> None:
    User.objects.filter(pk=gregor.pk).update(source="ldap", first_name="Gregor")
    assert page.post("/account/", {"first_name": "Somebody", "last_name": "Else", "country": "USA"}).status_code == 302
    gregor.refresh_from_db()
    assert (gregor.first_name, gregor.profile.country) == ("Gregor", "USA")


def test_a_student_without_an_advisor_is_told_so(page: Client) -> None:
    answer = page.post("/account/", {"first_name": "G", "last_name": "L", "institution_role": "phd"})
    assert (answer.status_code, bool(answer.context["form"].errors["advisor"])) == (400, True)
    assert not Profile.objects.exists()


# -- passwords -------------------------------------------------------------------------------------------------


def ask_for_a_password(client: Client, email: str) -> Any:
    return client.post("/password/forgotten/", {"email": email})


def test_a_forgotten_password_is_chosen_anew_by_mail(client: Client, page: Client, gregor: User) -> None:
    ask_for_a_password(client, "Gregor@Example.org")
    message = delivered()[0]
    assert message.to == ["gregor@example.org"]
    path = link_in(message.body, "password")
    form = client.get(path, follow=True).request["PATH_INFO"]
    assert client.post(form, {"new_password1": NEW, "new_password2": NEW}).headers["Location"] == "/login/"
    gregor.refresh_from_db()
    assert gregor.check_password(NEW)
    assert page.get("/account/").status_code == 302  # signed in with the old one
    assert "does not work any more" in Client().get(path, follow=True).content.decode()


def test_nobody_learns_by_it_who_has_an_account(client: Client, gregor: User) -> None:
    User.objects.filter(pk=make_user("locked").pk).update(state=AccountState.BLOCKED, is_active=False)
    answers = [ask_for_a_password(client, f"{name}@example.org") for name in ("gregor", "nobody", "locked")]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {(302, "/password/sent/")}
    assert [message.to for message in delivered()] == [["gregor@example.org"]]


def test_who_signs_in_by_a_directory_is_told_to_go_there(client: Client, gregor: User) -> None:
    User.objects.filter(pk=gregor.pk).update(source="ldap")
    ask_for_a_password(client, gregor.email)
    body = delivered()[0].body
    assert "directory" in body
    assert "/password/" not in body
    assert services.password_link(gregor).startswith("http")
    path = "/" + services.password_link(gregor).split("/", 3)[3]
    assert "does not work any more" in client.get(path, follow=True).content.decode()


def test_one_address_gets_a_few_mails_an_hour_whoever_asks(client: Client, gregor: User) -> None:
    for number in range(8):
        ask_for_a_password(Client(REMOTE_ADDR=f"192.0.2.{number}"), gregor.email)
    assert Mail.objects.count() == 4


def test_a_link_is_of_this_portal_whatever_host_is_asked(gregor: User) -> None:
    Client(headers={"Host": "127.0.0.1"}).post(
        "/password/forgotten/", {"email": gregor.email}, headers={"X-Forwarded-Host": "evil.example"}
    )
    assert "evil.example" not in delivered()[0].body


@pytest.mark.parametrize("new", ["short", "password1", "gregor@example.org", "12345678901"])
def test_a_weak_password_is_refused(page: Client, gregor: User, new: str) -> None:
    answer = page.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert answer.status_code == 200
    gregor.refresh_from_db()
    assert gregor.check_password(PASSWORD)


def test_a_password_is_changed_with_the_old_one_and_ends_other_sessions(page: Client, gregor: User) -> None:
    other = Client()
    other.force_login(gregor)
    wrong = {"old_password": "guess", "new_password1": NEW, "new_password2": NEW}
    assert page.post("/password/", wrong).context["form"].errors["old_password"]
    assert page.post("/password/", wrong | {"old_password": PASSWORD}).headers["Location"] == "/account/"
    assert page.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


def test_a_new_password_wakes_nobody_who_was_locked_meanwhile(client: Client, gregor: User, admin: User) -> None:
    ask_for_a_password(client, gregor.email)
    form = client.get(link_in(delivered()[0].body, "password"), follow=True).request["PATH_INFO"]
    services.block_account(actor=admin, user=gregor, reason="Enough.")
    answer = client.post(form, {"new_password1": NEW, "new_password2": NEW})
    assert "does not work any more" in answer.content.decode()
    gregor.refresh_from_db()
    assert (gregor.state, gregor.check_password(NEW)) == ("blocked", False)


# -- keys ------------------------------------------------------------------------------------------------------


def upload(page: Client, text: str | bytes, name: str = "gregor.keys") -> Any:
    content = text.encode() if isinstance(text, str) else text
    return page.post("/keys/", {"name": "", "public_key": "", "file": SimpleUploadedFile(name, content)})


def test_keys_come_from_a_file_of_several(page: Client, gregor: User) -> None:
    known = make_key(gregor)
    lines = [public_key("gregor@desk"), "", "# a comment", public_key(), public_key(), known.public_key]
    assert upload(page, "\n".join(lines)).status_code == 302
    assert {key.name for key in SshKey.objects.all()} == {"laptop", "gregor", "key", "key-2"}


def test_several_keys_are_pasted(page: Client) -> None:
    assert page.post("/keys/", {"name": "", "public_key": f"{public_key('a')}\r\n{public_key('b')}"}).status_code == 302
    assert {key.name for key in SshKey.objects.all()} == {"a", "b"}


def test_a_bad_line_is_named_and_nothing_is_kept(page: Client) -> None:
    answer = upload(page, f"{public_key('a')}\nnonsense\n")
    assert (answer.status_code, "Line 2" in answer.content.decode()) == (400, True)
    assert not SshKey.objects.exists()


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"x" * 70_000, b"", b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n"]
)
def test_a_file_that_holds_no_keys_is_refused_and_not_shown(page: Client, content: bytes) -> None:
    answer = upload(page, content)
    assert answer.status_code == 400
    assert "b3BlbnNz" not in answer.content.decode()
    assert not SshKey.objects.exists()


# -- tokens ----------------------------------------------------------------------------------------------------


def make_token(page: Client, **more: str) -> Any:
    return page.post("/account/tokens/", {"name": "laptop", "scopes": "read", "days": "30", "project": "", **more})


def test_a_tokens_secret_is_shown_once(page: Client, gregor: User) -> None:
    answer = make_token(page)
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert Api(secret).get("me/")["username"] == "gregor"
    assert Api(secret).post("keys/", {"public_key": public_key("x")}).status == 403
    assert secret not in page.get("/account/tokens/").content.decode()


def test_a_token_is_for_one_of_ones_projects(project: Project, member: User) -> None:
    client = Client()
    client.force_login(member)
    assert make_token(client, project=str(project.pk)).status_code == 200
    assert ApiToken.objects.get(name="laptop").project_id == project.pk


@pytest.mark.parametrize(
    "more", [{"days": "0"}, {"days": "9999"}, {"scopes": "admin"}, {"name": ""}, {"project": "elsewhere"}]
)
def test_a_token_that_cannot_be_is_refused(page: Client, more: dict[str, str]) -> None:
    assert make_token(page, **more).status_code == 400
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_by_its_user_alone(page: Client, stranger: User) -> None:
    make_token(page)
    token = ApiToken.objects.get()
    other = Client()
    other.force_login(stranger)
    assert other.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert page.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    assert not ApiToken.objects.exists()


# -- agreements and the log ------------------------------------------------------------------------------------


def test_agreements_come_before_anything_else(page: Client, gregor: User) -> None:
    Agreement.objects.create(name="use", title="Terms of use", text="Be <kind>.", published_at=timezone.now())
    asked = page.get("/servers/?cloud=india")
    assert asked.headers["Location"] == "/account/agreements/?next=%2Fservers%2F%3Fcloud%3Dindia"
    assert page.get("/servers/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/account/agreements/"
    assert "/account/agreements/use/1/?next=" in page.get(asked.headers["Location"]).content.decode()
    assert "Be &lt;kind&gt;." in page.get("/account/agreements/use/1/").content.decode()
    accepted = page.post("/account/agreements/use/1/", {"next": "/servers/?cloud=india"})
    assert accepted.headers["Location"] == "/servers/?cloud=india"
    assert page.get("/servers/").status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example/x", "javascript:alert(1)"])
def test_accepting_leads_nowhere_else(page: Client, elsewhere: str) -> None:
    Agreement.objects.create(name="use", title="Terms", text="…", published_at=timezone.now())
    assert page.post("/account/agreements/use/1/", {"next": elsewhere}).headers["Location"] == "/"


def test_a_new_version_is_accepted_anew(page: Client, gregor: User, admin: User) -> None:
    first = Agreement.objects.create(name="use", title="Terms", text="…", published_at=timezone.now())
    services.accept_agreement(actor=gregor, agreement=first)
    assert page.get("/servers/").status_code == 200
    second = Agreement.objects.create(name="use", version=2, title="Terms", text="…")
    services.publish_agreement(actor=admin, agreement=second)
    cache.clear()  # what a commit does
    assert page.get("/servers/").status_code == 302
    assert page.get("/account/agreements/nonsense/1/").status_code == 404


def test_leaving_needs_no_agreement(page: Client) -> None:
    Agreement.objects.create(name="use", title="Terms", text="…", published_at=timezone.now())
    assert page.post("/logout/").headers["Location"] == "/login/"


def test_the_log_tells_what_one_did_and_what_was_done_to_one(page: Client, gregor: User, admin: User) -> None:
    make_key(gregor, "desk")
    services.set_roles(actor=admin, user=gregor, roles=["operator"])
    make_key(admin, "secret-of-another")
    text = page.get("/account/activity/").content.decode()
    assert "desk" in text
    assert "roles" in text
    assert "secret-of-another" not in text
    mine = page.get("/account/activity/?by=me").content.decode()
    assert "desk" in mine
    assert "by root" not in mine


@pytest.mark.parametrize("path", ["", "agreements/", "tokens/", "activity/"])
def test_each_page_has_the_tabs(page: Client, path: str) -> None:
    text = page.get(f"/account/{path}").content.decode()
    assert 'aria-label="Pages of your account"' in text
    assert text.count('aria-current="page"') >= 1


def test_the_accounts_whose_day_has_come_end(gregor: User, stranger: User) -> None:
    User.objects.filter(pk=gregor.pk).update(expires_at=timezone.now())
    services.issue_token(user=gregor, name="x")
    tasks.expire_accounts()
    gregor.refresh_from_db()
    stranger.refresh_from_db()
    assert (gregor.state, gregor.is_active, stranger.state) == ("expired", False, "active")
    assert not ApiToken.objects.exists()
    assert "expired" in delivered()[0].subject
