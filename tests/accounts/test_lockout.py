"""After ten wrong passwords in a row none is looked at for a while, whoever the name belongs to, or nobody."""

import datetime
import statistics
import time
from collections.abc import Iterator

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import Mail, Tries, User
from accounts.services.signin import LOCKED, WRONG
from accounts.tasks import sweep_signing_in
from activity.models import Event
from tests.factories import PASSWORD, at_once, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def gregor() -> User:
    return make_user("gregor", password=PASSWORD)


@pytest.fixture(autouse=True)
def no_tries() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def try_in(name: str = "gregor", password: str = PASSWORD) -> str:
    """Where it leads, or what it says; the limit in a minute, which Redis keeps, is never reached."""
    cache.clear()
    answer = Client().post("/login/", {"username": name, "password": password})
    return answer.headers.get("Location") or str(answer.context["message"])


def guess(name: str, times: int = services.WRONG_IN_A_ROW) -> set[str]:
    return {try_in(name, "guess") for _ in range(times)}


def test_ten_wrong_passwords_lock_even_the_right_one(gregor: User) -> None:
    assert guess("gregor") == {WRONG}
    assert try_in() == LOCKED
    assert try_in("Gregor@example.org") == LOCKED
    with time_machine.travel(timezone.now() + services.LOCK + datetime.timedelta(seconds=1)):
        assert try_in() == "/"


def test_a_name_that_nobody_has_is_locked_in_the_same_words(gregor: User) -> None:
    assert guess("nobody") == {WRONG}
    assert try_in("nobody") == LOCKED
    assert try_in() == "/"


def test_a_right_password_counts_from_the_beginning(gregor: User) -> None:
    for _ in range(2):
        guess("gregor", services.WRONG_IN_A_ROW - 1)
        assert try_in() == "/"


def test_names_and_addresses_of_one_account_are_counted_together(gregor: User) -> None:
    guess("gregor", 5)
    guess("gregor@example.org", 5)
    assert try_in() == LOCKED


def test_losing_redis_unlocks_nobody(gregor: User) -> None:
    guess("gregor")
    cache.clear()
    assert try_in() == LOCKED


def test_a_new_password_unlocks(gregor: User) -> None:
    guess("gregor")
    services.set_password(user=gregor, password="another horse battery")
    assert try_in(password="another horse battery") == "/"


def test_an_administrator_unlocks_and_nobody_else(gregor: User, admin: User, stranger: User) -> None:
    guess("gregor")
    path, client = f"/staff/accounts/{gregor.pk}/unlock/", Client()
    client.force_login(stranger)
    assert client.post(path).status_code == 404
    client.force_login(admin)
    assert client.post(path, {"next": "/events/"}).headers["Location"] == "/events/"
    assert try_in() == "/"
    assert Event.objects.get(kind="user", verb="unlocked").actor_name == "root"


def test_its_owner_is_told_once_and_nobody_for_an_unknown_name(gregor: User) -> None:
    guess("gregor")
    guess("nobody")
    sweep_signing_in()
    sweep_signing_in()
    mail = Mail.objects.get()
    assert mail.to == "gregor@example.org"
    assert "10 times in a row" in mail.text
    assert Event.objects.filter(kind="user", verb="locked", topic=gregor.topic).count() == 1


def test_what_is_long_over_is_forgotten(gregor: User) -> None:
    guess("gregor", 3)
    with time_machine.travel(timezone.now() + datetime.timedelta(days=8)):
        sweep_signing_in()
    assert not Tries.objects.exists()


def test_a_known_and_an_unknown_name_take_the_same_time(gregor: User) -> None:
    """The password of an unknown name is hashed as well; a look at a table is nothing beside it."""

    def seconds(name: str) -> float:
        began = time.perf_counter()
        try_in(name, "guess")
        return time.perf_counter() - began

    known, unknown = zip(*[(seconds("gregor"), seconds("nobody")) for _ in range(7)], strict=True)
    assert 0.5 < statistics.median(known) / statistics.median(unknown) < 2


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_the_same_instant_are_no_more_than_ten() -> None:
    """The try is counted before the password is looked at."""
    key = services.password_key(make_user("gregor").username)
    assert sorted(at_once(16, lambda: services.claim_try(key))) == [False] * 6 + [True] * 10
