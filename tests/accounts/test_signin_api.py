"""Signing in and out over REST: with a password, as strictly as on the page, and with the token itself."""

from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from django.conf import LazySettings
from django.core.cache import cache

from accounts import services
from accounts.models import ApiToken, User
from activity.models import Event
from tests.factories import PASSWORD, make_user
from tests.rest import Answer, Api

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_tries() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def gregor() -> User:
    return make_user("gregor", password=PASSWORD)


def enter(password: str = PASSWORD, username: str = "gregor", **more: Any) -> Answer:
    """The limit in a minute, which Redis keeps, is never reached."""
    cache.clear()
    return Api().post("login/", {"username": username, "password": password, **more})


def test_a_password_gets_a_token(gregor: User) -> None:
    answer = enter(name="cm on laptop", scopes=["read"], expires_days=7)
    assert (answer.status, answer["name"], answer["scopes"]) == (201, "cm on laptop", ["read"])
    assert Api(answer["token"]).get("me/")["username"] == "gregor"
    assert User.objects.get().last_login is not None
    assert enter(username="Gregor@example.org").status == 201


def test_a_wrong_password_gets_nothing_and_says_no_more_than_the_page(gregor: User) -> None:
    answers = [enter("wrong"), enter(username="nobody")]
    assert {(answer.status, answer.detail) for answer in answers} == {
        (403, "This user name and password do not go together.")
    }
    assert not ApiToken.objects.exists()


def test_ten_wrong_passwords_lock_the_page_and_the_end_point_alike(gregor: User) -> None:
    for _ in range(10):
        enter("wrong")
    assert "15 minutes" in enter().detail
    page = Api().client.post("/login/", {"username": "gregor", "password": PASSWORD})
    assert "15 minutes" in page.content.decode()
    services.unlock(user=gregor)
    assert enter().status == 201


def test_tries_in_a_minute_are_counted_together_with_those_of_the_page(gregor: User) -> None:
    api = Api()
    for _ in range(5):
        api.client.post("/login/", {"username": "a", "password": "b"})
        api.post("login/", {"username": "a", "password": "b"})
    assert api.post("login/", {"username": "gregor", "password": PASSWORD}).status == 429


def test_a_second_factor_is_asked_for_and_each_code_taken_once(gregor: User) -> None:
    services.prepare_authenticator(actor=gregor)
    told = services.enrolment(actor=gregor)
    assert told
    codes = services.confirm_authenticator(actor=gregor, code=pyotp.TOTP(told["secret"]).now())
    asked = enter()
    assert (asked.status, asked["needs"]) == (403, "code")
    assert enter(code="000000").status == 400
    assert enter(code=codes[0]).status == 201
    assert enter(code=codes[0]).status == 400
    assert "needs" not in enter("wrong").body


def test_a_portal_may_take_no_passwords_from_programs(gregor: User, settings: LazySettings) -> None:
    settings.PROGRAM_PASSWORDS = False
    answer = enter()
    assert (answer.status, "browser" in answer.detail) == (403, True)


def test_who_is_suspended_does_not_get_in(gregor: User) -> None:
    services.suspend_account(actor=make_user("root", is_admin=True), user=gregor, reason="Away")
    assert enter().detail == "This user name and password do not go together."


@pytest.mark.parametrize("wish", [{}, {"username": "gregor"}, {"username": ["x"], "password": "y"}, {"password": 1}])
def test_what_is_no_login_is_refused(wish: dict[str, Any]) -> None:
    assert Api().post("login/", wish).status == 400


def test_whoever_has_a_token_ends_it(gregor: User) -> None:
    for scopes in (["read"], ["read", "write"]):
        _, secret = services.issue_token(user=gregor, name="laptop", scopes=scopes)
        assert Api().post("logout/", {"token": secret}).status == 204
        assert Api(secret).get("me/").status == 401
    assert Api().post("logout/", {"token": secret}).status == 204
    assert Api().post("logout/", {"token": "cm_nonsense"}).status == 204
    revoked = Event.objects.filter(kind="token", verb="revoked")
    assert [event.actor_name for event in revoked] == ["gregor", "gregor"]
