"""Signing in and out."""

import datetime

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import LoginLink, User
from accounts.services import signin
from accounts.services.signin import TOO_MANY, TRIES, WRONG
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_tries() -> None:
    cache.clear()


@pytest.fixture
def gregor() -> User:
    return make_user("gregor", password=PASSWORD)


def sign_in(
    client: Client, name: str = "gregor", password: str = PASSWORD, address: str = "127.0.0.1", **more: str
) -> str:
    """Where it leads, or what it says."""
    answer = client.post("/login/", {"username": name, "password": password, **more}, REMOTE_ADDR=address)
    return answer.headers.get("Location") or str(answer.context["message"])


def test_name_or_address_and_password_sign_in(client: Client, gregor: User) -> None:
    assert sign_in(client) == "/"
    assert client.get("/servers/").status_code == 200
    assert sign_in(Client(), "Gregor@Example.org") == "/"


def test_a_wrong_password_and_an_unknown_name_are_told_apart_by_nobody(client: Client, gregor: User) -> None:
    assert sign_in(client, password="guess") == sign_in(client, "nobody") == WRONG


def test_the_page_somebody_wanted_comes_after_signing_in(client: Client, gregor: User) -> None:
    asked = client.get("/servers/?cloud=india")
    assert asked.headers["Location"] == "/login/?next=/servers/%3Fcloud%3Dindia"
    assert sign_in(client, next="/servers/?cloud=india") == "/servers/?cloud=india"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example/x", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_leads_nowhere_else(client: Client, gregor: User, elsewhere: str) -> None:
    assert sign_in(client, next=elsewhere) == "/"


def test_tries_are_counted_by_address(client: Client, gregor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signin, "A_MINUTE", 3600)  # however long this machine takes for the passwords
    said = {sign_in(client, f"name{n}") for n in range(TRIES)}
    assert said == {WRONG}
    assert sign_in(client) == TOO_MANY
    assert sign_in(client, address="192.0.2.1") == "/"


def test_a_link_signs_in_once_and_is_told_to_nobody(client: Client, gregor: User) -> None:
    path = services.issue_login_link(user=gregor)
    first = client.get(path)
    assert (first.status_code, first.headers["Location"]) == (302, "/")
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert client.get("/").context["request"].user == gregor
    again = Client().get(path)
    assert again.status_code == 410
    assert "does not work any more" in again.content.decode()


def test_an_expired_link_does_not_sign_in(client: Client, gregor: User) -> None:
    path = services.issue_login_link(user=gregor)
    LoginLink.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert client.get(path).status_code == 410
    assert client.get("/").status_code == 302


def test_signing_out_needs_a_button(client: Client, gregor: User) -> None:
    client.force_login(gregor)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_odd_signs_are_a_wrong_name(client: Client) -> None:
    assert sign_in(client, "a\0b" * 200) == WRONG
