"""What happens once under a key, also when two ask at the same instant, and what stays of it."""

import datetime
import threading

import pytest
from django.utils import timezone

from accounts import services
from accounts.models import Answered, User
from accounts.tasks import sweep_signing_in
from cloudmesh.errors import Invalid, Reused, Underway
from tests.factories import at_once, make_user

REPLY = services.Reply(201, {"Content-Type": "application/json"}, b'{"token": "cm_secret"}')


def ask(actor: User, key: str = "k", sent: bytes = b"POST /tokens/", reply: services.Reply = REPLY) -> services.Reply:
    """Make a user, unless the key says that it was done."""
    with services.once(actor=actor, key=key, sent=sent) as turn:
        if turn.before is None:
            make_user()
            turn.keep(reply)
        return turn.before or reply


@pytest.fixture
def people(member: User) -> int:
    return User.objects.count()


def test_the_same_key_has_the_same_answer(member: User, people: int) -> None:
    assert ask(member) == ask(member) == REPLY
    assert User.objects.count() == people + 1


def test_another_key_or_somebody_else_is_another_request(member: User, lead: User, people: int) -> None:
    for actor, key in ((member, "k"), (member, "l"), (lead, "k")):
        ask(actor, key)
    assert User.objects.count() == people + 3


def test_the_same_key_for_something_else_is_refused(member: User) -> None:
    ask(member)
    with pytest.raises(Reused, match="another request"):
        ask(member, sent=b"POST /tokens/ {}")


@pytest.mark.parametrize("key", ["k" * 129, "a\x00b", "a\nb"])
def test_a_key_that_cannot_be_is_refused(member: User, key: str) -> None:
    with pytest.raises(Invalid, match="128 printable"):
        ask(member, key)


def test_an_answer_is_not_stored_readable(member: User) -> None:
    ask(member)
    stored = Answered.objects.values().get()
    assert "cm_secret" not in str(stored)
    assert stored["answer"].startswith("1.test.")


def test_a_refusal_is_not_remembered_and_what_it_noted_stays(member: User, people: int) -> None:
    ask(member, reply=services.Reply(403, {}, b""))
    assert User.objects.count() == people + 1  # a wrong try is counted, say
    assert not Answered.objects.exists()


def test_of_a_failure_nothing_stays(member: User, people: int) -> None:
    ask(member, reply=services.Reply(500, {}, b""))
    assert User.objects.count() == people
    assert not Answered.objects.exists()


def test_after_a_day_it_is_forgotten(member: User) -> None:
    for key in ("old", "new"):
        ask(member, key)
    Answered.objects.filter(key="old").update(created_at=timezone.now() - datetime.timedelta(hours=25))
    sweep_signing_in()
    assert Answered.objects.get().key == "new"


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_instant_one_is_done(member: User, people: int) -> None:
    assert at_once(4, lambda: ask(member)) == [REPLY] * 4
    assert User.objects.count() == people + 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_long_is_asked_to_come_back(member: User) -> None:
    begun, enough = threading.Event(), threading.Event()

    def first() -> None:
        with services.once(actor=member, key="k", sent=b"") as turn:
            begun.set()
            enough.wait(30)
            turn.keep(REPLY)

    def second() -> Underway:
        begun.wait(30)
        try:
            with pytest.raises(Underway) as told, services.once(actor=member, key="k", sent=b"", patience=0.2):
                pass
            return told.value
        finally:
            enough.set()

    turns = iter((first, second))
    told = [answer for answer in at_once(2, lambda: next(turns)()) if answer]
    assert [error.facts["retry_after"] for error in told] == [1]
    assert ask(member, sent=b"") == REPLY
