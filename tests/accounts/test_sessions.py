"""Sessions: whose, from where, ended one by one or all at once, and never signed in with by whoever reads the table."""

import datetime
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.hashers import identify_hasher
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.backends.sessions import SessionStore, hidden
from accounts.models import ApiToken, Session, User
from activity.models import Event
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0"


@pytest.fixture(autouse=True)
def no_tries() -> None:
    cache.clear()


@pytest.fixture
def gregor() -> User:
    return make_user("gregor", password=PASSWORD)


def browser(agent: str = FIREFOX, address: str = "192.0.2.1") -> Client:
    """One that gregor is signed in with, by the form."""
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    assert client.post("/login/", {"username": "gregor", "password": PASSWORD}).status_code == 302
    return client


def cookie(client: Client, settings: LazySettings) -> Any:
    return client.cookies[settings.SESSION_COOKIE_NAME]


def is_in(client: Client) -> bool:
    return client.get("/keys/").status_code == 200


def test_the_page_tells_devices_addresses_and_which_is_this_one(gregor: User) -> None:
    here, _ = browser(), browser(EDGE, "2001:db8::7")
    page = here.get("/account/security/").content.decode()
    assert page.count("this one") == 1
    for words in ("Firefox on Linux", "Edge on Windows", "192.0.2.1", "2001:db8::7"):
        assert words in page


def test_nobody_sees_or_ends_sessions_of_others(gregor: User, stranger: User) -> None:
    here, other = browser(), Client()
    other.force_login(stranger)
    theirs = Session.objects.get(user=gregor).pk
    assert theirs not in other.get("/account/security/").content.decode()
    assert other.post(f"/account/security/sessions/{theirs}/end/").status_code == 404
    assert is_in(here)


def test_one_session_is_ended_and_the_others_stay(gregor: User) -> None:
    here, there = browser(), browser(EDGE)
    ended = Session.objects.get(agent=EDGE).pk
    assert here.post(f"/account/security/sessions/{ended}/end/").headers["Location"] == "/account/security/"
    assert is_in(here)
    assert not is_in(there)
    event = Event.objects.filter(kind="session", verb="ended").get()
    assert (event.topic, event.name) == (gregor.topic, "Edge on Windows")


def test_ending_the_session_at_hand_signs_out(gregor: User, settings: LazySettings) -> None:
    here = browser()
    this = hidden(cookie(here, settings).value)
    assert here.post(f"/account/security/sessions/{this}/end/").headers["Location"] == "/login/"
    assert not is_in(here)


@pytest.mark.parametrize("with_tokens", [False, True])
def test_signing_out_everywhere_leaves_this_one(gregor: User, with_tokens: bool) -> None:
    here, others = browser(), [browser(EDGE), browser()]
    link = services.issue_login_link(user=gregor)
    services.issue_token(user=gregor, name="laptop")
    here.post("/account/security/sign-out/", {"tokens": "on"} if with_tokens else {})
    assert is_in(here)
    assert [is_in(other) for other in others] == [False, False]
    assert Client().get(link).status_code == 410
    assert ApiToken.objects.filter(user=gregor).exists() == (not with_tokens)


def test_signing_out_ends_the_session_for_good(gregor: User, settings: LazySettings) -> None:
    here = browser()
    copied = Client()
    copied.cookies[settings.SESSION_COOKIE_NAME] = cookie(here, settings).value
    assert is_in(copied)
    here.post("/logout/")
    assert not is_in(copied)
    assert Event.objects.filter(kind="session", verb="ended", topic=gregor.topic).count() == 1


def test_what_the_table_keeps_signs_nobody_in(gregor: User, settings: LazySettings) -> None:
    here, thief = browser(), Client()
    kept = Session.objects.get(user=gregor).pk
    assert kept != cookie(here, settings).value
    thief.cookies[settings.SESSION_COOKIE_NAME] = kept
    assert not is_in(thief)


def test_signing_in_gives_a_key_that_nobody_knew_before(gregor: User, settings: LazySettings) -> None:
    planted = SessionStore()
    planted["left"] = "by an attacker"
    planted.create()
    victim = Client()
    victim.cookies[settings.SESSION_COOKIE_NAME] = str(planted.session_key)
    victim.post("/login/", {"username": "gregor", "password": PASSWORD})
    assert is_in(victim)
    assert cookie(victim, settings).value != planted.session_key
    attacker = Client()
    attacker.cookies[settings.SESSION_COOKIE_NAME] = str(planted.session_key)
    assert not is_in(attacker)


def test_use_is_noted_at_most_once_in_five_minutes(gregor: User) -> None:
    here = browser()
    began = Session.objects.get(user=gregor).seen_at
    for minutes, is_later in ((4, False), (6, True)):
        with time_machine.travel(timezone.now() + datetime.timedelta(minutes=minutes)):
            here.get("/keys/", REMOTE_ADDR="192.0.2.99")
            session = Session.objects.get(user=gregor)
            assert (session.seen_at > began) == is_later
            assert session.address == ("192.0.2.99" if is_later else "192.0.2.1")


def test_a_session_ends_by_itself(gregor: User, settings: LazySettings) -> None:
    here = browser()
    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE + 60)):
        assert not is_in(here)


def test_an_address_that_is_none_is_not_kept(gregor: User, settings: LazySettings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    for forwarded, kept in (("1.2.3.4, 203.0.113.9", "203.0.113.9"), ("<script>", None)):
        Session.objects.all().delete()
        client = Client(headers={"X-Forwarded-For": forwarded})
        client.post("/login/", {"username": "gregor", "password": PASSWORD})
        assert Session.objects.get(user=gregor).address == kept


def test_the_cookies_are_out_of_reach_of_scripts_and_other_sites(gregor: User, settings: LazySettings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True  # as wherever CLOUDMESH_URL is https
    client = Client()
    client.get("/login/")
    client.post("/login/", {"username": "gregor", "password": PASSWORD})
    session, csrf = client.cookies[settings.SESSION_COOKIE_NAME], client.cookies[settings.CSRF_COOKIE_NAME]
    assert (session["httponly"], session["secure"], session["samesite"]) == (True, True, "Lax")
    assert (csrf["secure"], csrf["samesite"]) == (True, "Lax")


def test_a_change_needs_a_token_of_our_own_pages(gregor: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(gregor)
    for path in ("/account/security/sign-out/", "/logout/", "/account/security/totp/begin/", "/impersonation/end/"):
        assert client.post(path).status_code == 403
    assert is_in(client)


def test_passwords_are_kept_by_argon2(gregor: User) -> None:
    assert identify_hasher(gregor.password).algorithm == "argon2"
    assert PASSWORD not in gregor.password


def test_a_new_password_ends_all_sessions(gregor: User) -> None:
    here = browser()
    services.set_password(user=gregor, password="another horse battery")
    assert not is_in(here)
    assert not Session.objects.filter(user=gregor).exists()


def test_sessions_over_rest(gregor: User, api: Any) -> None:
    here = browser()
    mine = api(gregor)
    [row] = mine.get("sessions/").results
    assert (row["device"], row["address"], row["is_current"]) == ("Firefox on Linux", "192.0.2.1", False)
    assert here.get("/api/v1/sessions/").json()["results"][0]["is_current"]
    assert mine.delete(f"sessions/{row['id']}/").status == 204
    assert mine.delete(f"sessions/{row['id']}/").status == 404
    assert not is_in(here)


def test_the_second_factor_over_rest_is_only_told(gregor: User, api: Any) -> None:
    answer = api(gregor).get("me/totp/")
    assert (answer["is_enabled"], answer["recovery_codes"]) == (False, 0)


def test_the_administration_has_no_door_of_its_own(gregor: User, admin: User) -> None:
    asked = Client().get("/admin/login/?next=/admin/")
    assert asked.headers["Location"] == "/login/?next=%2Fadmin%2F"
    client = Client()
    client.force_login(gregor)
    assert client.get("/admin/login/").status_code == 403
    client.force_login(admin)
    assert client.get("/admin/").status_code == 200
