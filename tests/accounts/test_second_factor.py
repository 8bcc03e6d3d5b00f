"""The second factor: set up, asked for, used once, recovered, turned off."""

import datetime
import re

import pyotp
import pytest
import time_machine
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import Authenticator, Mail, Notice, RecoveryCode, User
from accounts.services.codes import LOCKED_CODES, WRONG_CODE
from accounts.tasks import sweep_signing_in
from cloudmesh.errors import Invalid, Unreadable
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 11, 2, 12, 0, 5, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def no_tries() -> None:
    cache.clear()


@pytest.fixture
def gregor() -> User:
    return make_user("gregor", password=PASSWORD)


@pytest.fixture
def device(gregor: User) -> pyotp.TOTP:
    """Of gregor, confirmed."""
    services.prepare_authenticator(actor=gregor)
    told = services.enrolment(actor=gregor)
    assert told
    totp = pyotp.TOTP(told["secret"])
    services.confirm_authenticator(actor=gregor, code=totp.at(timezone.now() - datetime.timedelta(seconds=30)))
    return totp


def halfway(client: Client, **more: str) -> str:
    answer = client.post("/login/", {"username": "gregor", "password": PASSWORD, **more})
    return str(answer.headers["Location"])


def code(client: Client, shown: str, **more: str) -> str:
    """Where it leads, or what it says."""
    answer = client.post("/login/code/", {"code": shown, **more})
    return answer.headers.get("Location") or str(answer.context["message"])


def test_it_is_set_up_with_a_picture_and_a_first_code(client: Client, gregor: User) -> None:
    client.force_login(gregor)
    assert client.post("/account/security/totp/begin/").headers["Location"] == "/account/security/totp/"
    page = client.get("/account/security/totp/")
    assert "data:image/svg+xml" in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert "img-src 'self' data:" in page.headers["Content-Security-Policy"]
    assert not services.has_second_factor(gregor)
    assert client.post("/account/security/totp/", {"code": "000000"}).status_code == 400
    totp = pyotp.TOTP(page.context["secret"])
    codes = client.post("/account/security/totp/", {"code": totp.now()})
    shown = re.findall(r"\b(?:[a-z2-7]{4}-){3}[a-z2-7]{4}\b", codes.content.decode())
    assert len(shown) == len(set(shown)) == 10
    assert services.has_second_factor(gregor)
    assert client.get("/account/security/totp/").status_code == 302  # nothing of it is shown again
    assert Notice.objects.filter(user=gregor).exists()


def test_neither_secret_nor_codes_can_be_read_in_the_database(gregor: User) -> None:
    services.prepare_authenticator(actor=gregor)
    told = services.enrolment(actor=gregor)
    assert told
    codes = services.confirm_authenticator(actor=gregor, code=pyotp.TOTP(told["secret"]).now())
    stored = Authenticator.objects.get().secret + str(list(RecoveryCode.objects.values()))
    assert not [secret for secret in (told["secret"], *codes, codes[0].replace("-", "")) if secret in stored]


def test_a_secret_moved_to_somebody_else_does_not_open(gregor: User, device: pyotp.TOTP, stranger: User) -> None:
    Authenticator.objects.update(user=stranger)
    with pytest.raises(Unreadable):
        services.check_code(user=stranger, code=device.now())


def test_a_password_alone_signs_nobody_in(client: Client, device: pyotp.TOTP) -> None:
    assert halfway(client, next="/servers/") == "/login/code/?next=%2Fservers%2F"
    assert client.get("/servers/").headers["Location"].startswith("/login/")
    assert client.get("/api/v1/me/").status_code == 401
    assert client.get("/login/code/").status_code == 200
    assert code(client, device.now(), next="/servers/") == "/servers/"
    assert client.get("/servers/").status_code == 200


def test_each_code_works_once(client: Client, device: pyotp.TOTP) -> None:
    shown = device.now()
    halfway(client)
    assert code(client, shown) == "/"
    other = Client()
    halfway(other)
    assert code(other, shown) == WRONG_CODE


@pytest.mark.parametrize(("seconds", "is_taken"), [(-60, False), (30, True), (90, False)])
def test_a_clock_may_be_off_by_half_a_minute(gregor: User, seconds: int, is_taken: bool) -> None:
    with time_machine.travel(NOON, tick=False):
        services.prepare_authenticator(actor=gregor)
        told = services.enrolment(actor=gregor)
        assert told
        totp = pyotp.TOTP(told["secret"])
        shown = totp.at(NOON + datetime.timedelta(seconds=seconds))
        if is_taken:
            assert services.confirm_authenticator(actor=gregor, code=shown)
        else:
            with pytest.raises(Invalid):
                services.confirm_authenticator(actor=gregor, code=shown)


def test_the_key_of_the_session_changes_with_each_step(
    client: Client, device: pyotp.TOTP, settings: LazySettings
) -> None:
    """Whoever planted or saw an earlier one has nothing."""
    keys = []
    for _ in range(2):
        halfway(client)
        keys.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    code(client, device.now())
    keys.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    assert len(set(keys)) == 3


def test_there_are_five_minutes_for_the_code(client: Client, device: pyotp.TOTP) -> None:
    halfway(client)
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=6)):
        assert code(client, device.now()).startswith("/login/?next=")
    assert client.get("/servers/").status_code == 302


def test_a_password_changed_meanwhile_begins_again(client: Client, gregor: User, device: pyotp.TOTP) -> None:
    halfway(client)
    gregor.set_password("another horse battery")
    gregor.save(update_fields=["password"])
    assert code(client, device.now()).startswith("/login/")


def test_a_code_without_the_password_is_worth_nothing(client: Client, device: pyotp.TOTP) -> None:
    assert code(client, device.now()).startswith("/login/?next=")


def test_ten_wrong_codes_lock_and_its_owner_learns_that_the_password_is_known(
    client: Client, gregor: User, device: pyotp.TOTP
) -> None:
    halfway(client)
    assert {code(client, "000000") for _ in range(services.WRONG_IN_A_ROW)} == {WRONG_CODE}
    assert code(client, device.now()) == LOCKED_CODES
    assert services.locked_until(gregor)
    sweep_signing_in()
    assert "somebody knows your password" in Mail.objects.get().text


def test_a_recovery_code_signs_in_once(client: Client, gregor: User, device: pyotp.TOTP) -> None:
    [first, second, *_] = services.renew_recovery_codes(actor=gregor, code=device.now())
    halfway(client)
    assert code(client, f" {first.upper()} ") == "/"
    other = Client()
    halfway(other)
    assert code(other, first) == WRONG_CODE
    assert code(other, second.replace("-", "")) == "/"
    assert services.recovery_codes_left(gregor) == 8


def test_turning_it_off_needs_a_code(client: Client, gregor: User, device: pyotp.TOTP) -> None:
    client.force_login(gregor)
    client.post("/account/security/totp/disable/", {"code": "000000"})
    assert services.has_second_factor(gregor)
    client.post("/account/security/totp/disable/", {"code": device.now()})
    assert not services.has_second_factor(gregor)
    assert not RecoveryCode.objects.exists()
    assert halfway(Client()) == "/"


def test_it_is_not_set_up_over_another(client: Client, gregor: User, device: pyotp.TOTP) -> None:
    client.force_login(gregor)
    before = Authenticator.objects.get().secret
    assert client.post("/account/security/totp/begin/").status_code == 409
    assert Authenticator.objects.get().secret == before


def test_a_login_link_needs_no_code(client: Client, gregor: User, device: pyotp.TOTP) -> None:
    assert client.get(services.issue_login_link(user=gregor)).headers["Location"] == "/"
    assert client.get("/servers/").status_code == 200


def test_it_leads_nowhere_else(client: Client, device: pyotp.TOTP) -> None:
    halfway(client, next="https://evil.example")
    assert code(client, device.now(), next="https://evil.example") == "/"


def test_an_administrator_lets_in_who_lost_the_device(gregor: User, device: pyotp.TOTP, client: Client) -> None:
    admin = make_user("root", is_admin=True)
    client.force_login(admin)
    page = f"/staff/accounts/{gregor.pk}/"
    assert "Remove the second factor" in client.get(page).content.decode()
    answer = client.post(f"{page}manage/remove-code/", {"reason": "Called back on the known number."})
    assert answer.status_code == 302
    assert not services.has_second_factor(gregor)
    assert not RecoveryCode.objects.filter(user=gregor).exists()
    assert "administrator" in Notice.objects.get(user=gregor, title__contains="removed").title
    assert "Remove the second factor" not in client.get(page).content.decode()


def test_nobody_removes_a_second_factor_without_a_reason(gregor: User, device: pyotp.TOTP) -> None:
    with pytest.raises(Invalid, match="how you know"):
        services.remove_second_factor(actor=make_user("root", is_admin=True), user=gregor, reason=" ")
    assert services.has_second_factor(gregor)
