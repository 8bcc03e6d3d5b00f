"""Programs let in from a browser: RFC 8628, from the first question to the token, and what goes wrong on the way."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import ApiToken, DeviceLogin, Notice, User
from accounts.tasks import sweep_signing_in
from activity.models import Event
from cloudmesh.errors import CloudmeshError
from tests.factories import at_once, make_user
from tests.rest import Answer, Api

pytestmark = pytest.mark.django_db
WISH = {"client": "cm", "host": "laptop", "expires_days": 30}


@pytest.fixture(autouse=True)
def _no_tries() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def gregor() -> User:
    return make_user("gregor")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="accounts.backends.LocalBackend")
    return client


def begin(**wish: Any) -> Answer:
    answer = Api().post("login/device/", WISH | wish)
    assert answer.status == 200, answer.body
    return answer


def fetch(begun: Answer) -> Answer:
    return Api().post("login/device/token/", {"device_code": begun["device_code"]})


def decide(user: User, code: str, decision: str = "allow") -> int:
    return signed_in(user).post("/device/", {"code": code, "decision": decision}).status_code


def test_who_says_yes_in_the_browser_lets_the_program_in_once(gregor: User) -> None:
    begun = begin()
    assert begun["verification_uri_complete"] == f"http://testserver/device/?code={begun['user_code']}"
    assert (fetch(begun).status, fetch(begun)["error"]) == (400, "slow_down")
    assert decide(gregor, begun["user_code"]) == 200
    token = fetch(begun)
    assert (token.status, token["name"], token["scopes"]) == (201, "cm on laptop", ["read", "write"])
    assert Api(token["token"]).get("me/")["username"] == "gregor"
    life = ApiToken.objects.get(pk=token["id"]).expires_at - timezone.now()  # type: ignore[operator]
    assert datetime.timedelta(days=29) < life <= datetime.timedelta(days=30)
    assert (fetch(begun)["error"], ApiToken.objects.count(), DeviceLogin.objects.count()) == ("expired_token", 1, 0)


def test_before_somebody_decided_the_program_waits(gregor: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        begun = begin()
        assert fetch(begun)["error"] == "authorization_pending"
        assert fetch(begun)["error"] == "slow_down"
        clock.shift(begun["interval"])
        assert fetch(begun)["error"] == "authorization_pending"


def test_who_says_no_keeps_the_program_out(gregor: User) -> None:
    begun = begin()
    assert decide(gregor, begun["user_code"], "deny") == 200
    refused = fetch(begun)
    assert (refused.status, refused["error"], "denied" in refused.detail) == (403, "access_denied", True)
    assert fetch(begun)["error"] == "expired_token"
    assert decide(gregor, begun["user_code"]) == 404
    assert not ApiToken.objects.exists()


def test_a_code_is_over_after_ten_minutes(gregor: User) -> None:
    begun = begin()
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=11)):
        assert decide(gregor, begun["user_code"]) == 404
        assert fetch(begun)["error"] == "expired_token"
        sweep_signing_in()
    assert not DeviceLogin.objects.exists()


def test_an_allowed_program_that_comes_late_gets_nothing(gregor: User) -> None:
    begun = begin()
    decide(gregor, begun["user_code"])
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=11)):
        assert fetch(begun)["error"] == "expired_token"


def test_neither_code_is_kept_as_it_is() -> None:
    begun = begin()
    kept = str(DeviceLogin.objects.values().get())
    for secret in (begun["device_code"], begun["user_code"], begun["user_code"].replace("-", "")):
        assert secret not in kept
    assert Api(begun["device_code"]).get("me/").status == 401


@pytest.mark.parametrize("spelt", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\n"])
def test_a_code_may_be_typed_as_one_likes(gregor: User, spelt: Any) -> None:
    begun = begin()
    assert decide(gregor, spelt(begun["user_code"])) == 200
    assert fetch(begun).status == 201


def test_the_page_shows_who_asks_for_what(gregor: User) -> None:
    begun = begin(host="<b>evil</b>", scopes=["read"], expires_days=1)
    page = signed_in(gregor).get("/device/", {"code": begun["user_code"].lower()}).content.decode()
    for said in ("cm on &lt;b&gt;evil", "change nothing", "1 day,", begun["user_code"], "127.0.0.1", "as this browser"):
        assert said in page
    elsewhere = signed_in(gregor).get("/device/", {"code": begun["user_code"]}, REMOTE_ADDR="192.0.2.9")
    assert "not that of this browser (192.0.2.9)" in elsewhere.content.decode()


def test_who_is_not_signed_in_signs_in_first_and_comes_back(gregor: User) -> None:
    begun = begin()
    answer = Client().get("/device/", {"code": begun["user_code"]})
    assert answer.headers["Location"] == f"/login/?next=/device/%3Fcode%3D{begun['user_code']}"
    assert Client().post("/device/", {"code": begun["user_code"], "decision": "allow"}).status_code == 302
    assert DeviceLogin.objects.get().is_allowed is None


def test_another_site_cannot_say_yes(gregor: User) -> None:
    begun = begin()
    client = Client(enforce_csrf_checks=True)
    client.force_login(gregor, backend="accounts.backends.LocalBackend")
    assert client.post("/device/", {"code": begun["user_code"], "decision": "allow"}).status_code == 403
    assert client.get("/device/", {"code": begun["user_code"], "decision": "allow"}).status_code == 200
    assert DeviceLogin.objects.get().is_allowed is None


def test_guessing_codes_ends_soon(gregor: User) -> None:
    client, begun = signed_in(gregor), begin()
    said = [client.get("/device/", {"code": "BBBB-BBBB"}).status_code for _ in range(21)]
    assert said == [404] * 20 + [429]
    assert client.post("/device/", {"code": begun["user_code"], "decision": "allow"}).status_code == 429


def test_so_many_programs_from_one_address_are_too_many() -> None:
    answers = [Api().post("login/device/", WISH) for _ in range(21)]
    assert [answer.status for answer in answers] == [200] * 20 + [429]


def test_nobody_lets_a_program_in_for_somebody_else(gregor: User) -> None:
    root, begun = make_user("root", is_admin=True), begin()
    gregor.impersonation = services.begin_impersonation(actor=root, user=gregor, reason="Asked for help", minutes=5)
    with pytest.raises(CloudmeshError, match="theirs alone"):
        services.find_device(actor=gregor, code=begun["user_code"])
    with pytest.raises(CloudmeshError, match="theirs alone"):
        services.decide_device(actor=gregor, device=DeviceLogin.objects.get(), is_allowed=True)


def test_who_was_suspended_meanwhile_lets_nobody_in(gregor: User) -> None:
    begun = begin()
    decide(gregor, begun["user_code"])
    services.suspend_account(actor=make_user("root", is_admin=True), user=gregor, reason="Away")
    assert fetch(begun)["error"] == "access_denied"


def test_it_is_noted_and_told(gregor: User) -> None:
    begun = begin()
    decide(gregor, begun["user_code"])
    fetch(begun)
    events = Event.objects.filter(actor_id=gregor.pk).order_by("id")
    assert [(event.kind, event.verb, event.name) for event in events] == [
        ("device login", "allowed", "cm on laptop"),
        ("token", "created", "cm on laptop"),
    ]
    assert "cm on laptop signed in as you" in Notice.objects.get(user=gregor).title


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"scopes": ["admin"]}, "read and write"),
        ({"expires_days": 0}, "between 1 and"),
        ({"host": "a\u202eb"}, "control characters"),
        ({"host": "x" * 31}, "30"),
        ({"client": ""}, "blank"),
        ({"hostname": "x"}, "Did you mean host"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(wish: dict[str, Any], words: str) -> None:
    answer = Api().post("login/device/", WISH | wish)
    assert (answer.status, words in answer.detail) == (400, True), answer.body


@pytest.mark.django_db(transaction=True)
def test_of_two_that_fetch_at_the_same_instant_one_gets_the_token(gregor: User) -> None:
    _, secret, code = services.ask_to_enter(client="cm", host="laptop", address="", scopes=["read"], days=1)
    services.decide_device(actor=gregor, device=services.find_device(actor=gregor, code=code), is_allowed=True)

    def fetch_once() -> bool:
        try:
            return bool(services.fetch_token(secret=secret))
        except CloudmeshError:
            return False

    assert sorted(at_once(4, fetch_once)) == [False, False, False, True]
    assert ApiToken.objects.count() == 1
