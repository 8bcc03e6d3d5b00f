"""Numbers without gaps, in the order in which events became visible, however writers overlap."""

import contextlib
import itertools
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from activity import events
from activity.models import Event
from tests.activity.crowd import make_events

Result = TypeVar("Result")

TOPIC = "project:1"
committed = pytest.mark.django_db(transaction=True)  # for real: what is committed is numbered


def write(*names: str, topic: str = TOPIC) -> list[Event]:
    return events.write(Event(topic=topic, kind="server", verb="changed", name=name) for name in names)


def told(seq: int = 0) -> list[tuple[int, str]]:
    """Number and name of all events after `seq`, as a reader gets them."""
    hints = events.since(seq)
    names = dict(Event.objects.exclude(seq=None).values_list("seq", "name"))
    return [(hint["seq"], names[hint["seq"]]) for hint in hints]


class Session:
    """A writer with a connection of its own, which does one step at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread = ThreadPoolExecutor(1)
        self._steps = iter((self._begin, self._write, self._commit))

    def step(self) -> None:
        self._thread.submit(next(self._steps)).result(10)

    def _begin(self) -> None:
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM activity_event")  # its snapshot, were there one for all

    def _write(self) -> None:
        write(self._name)

    def _commit(self) -> None:
        self._transaction.__exit__(None, None, None)
        connection.close()


class Reader:
    """Somebody who asks again and again for what is new."""

    def __init__(self, since: int = 0) -> None:
        self.since = since
        self.heard: list[tuple[int, str]] = []

    def read(self) -> None:
        self.heard += told(self.heard[-1][0] if self.heard else self.since)


# -- order -----------------------------------------------------------------------------------------------------


@committed
def test_two_overlapping_writers_are_both_heard_whichever_commits_first() -> None:
    orders = sorted(set(itertools.permutations("AAABBB")))  # both begin, write and commit, in all ways to interleave
    for order in orders:
        sessions, reader = {name: Session(name) for name in "AB"}, Reader(events.last())
        for name in order:
            sessions[name].step()
            reader.read()
        by_commit = sorted("AB", key="".join(order).rindex)
        assert reader.heard == [(reader.since + n, name) for n, name in enumerate(by_commit, 1)], order
    assert len(orders) == 20


@committed
def test_a_late_row_with_a_lower_id_gets_the_higher_number() -> None:
    early, late = Session("early"), Session("late")
    for session in (early, early, late, late, late, early):
        session.step()
    ids = dict(Event.objects.values_list("name", "id"))
    assert ids["early"] < ids["late"]
    assert told() == [(1, "late"), (2, "early")]


@committed
def test_in_a_storm_of_writers_numbers_have_no_gaps_and_readers_miss_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    readers, is_over = [Reader() for _ in range(2)], threading.Event()

    def read(reader: Reader) -> None:
        with closing_connection():
            while not is_over.is_set():
                reader.read()

    def storm(seed: int) -> None:
        chance = random.Random(seed)
        with closing_connection():
            for _ in range(25):
                with contextlib.suppress(Failed), transaction.atomic():
                    write(*"x" * chance.choice((1, 2, 30)))
                    time.sleep(chance.random() * 0.01)
                    fail_now_and_then(chance)

    with ThreadPoolExecutor(6) as pool:
        reading = [pool.submit(read, reader) for reader in readers]
        for writing in [pool.submit(storm, seed) for seed in range(4)]:
            writing.result(60)
        is_over.set()
        for each in reading:
            each.result(10)
    count = Event.objects.count()
    assert count > 100
    assert set(Event.objects.values_list("seq", flat=True)) == set(range(1, count + 1))
    assert not caplog.records, "nobody failed to number what was theirs"
    for reader in readers:
        reader.read()
        assert [seq for seq, _ in reader.heard] == list(range(1, count + 1))


class Failed(Exception):
    pass


def fail_now_and_then(chance: random.Random) -> None:
    if chance.random() < 0.2:
        raise Failed


@contextlib.contextmanager
def closing_connection() -> Iterator[None]:
    try:
        yield
    finally:
        connection.close()


# -- transactions ----------------------------------------------------------------------------------------------


@committed
def test_what_is_rolled_back_never_was() -> None:
    with contextlib.suppress(Failed), transaction.atomic():
        write("undone")
        raise Failed
    write("done")
    assert told() == [(1, "done")]


@committed
def test_what_was_written_around_a_failed_part_is_told() -> None:
    with transaction.atomic():
        with contextlib.suppress(Failed), transaction.atomic():
            write("undone")
            raise Failed
        write("done")
    assert told() == [(1, "done")]


@committed
def test_a_transaction_is_announced_once() -> None:
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        for name in "abc":
            write(name)
    assert sum("pg_advisory_xact_lock" in query["sql"] for query in queries) == 1
    assert told() == [(1, "a"), (2, "b"), (3, "c")]


@committed
def test_nothing_is_numbered_inside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        events.number()


# -- writers that die --------------------------------------------------------------------------------------------

#: A writer that is gone the instant its transaction is committed.
DIES = """
import os, sys, django
django.setup()
from django.db import transaction
from activity import events
from activity.models import Event
from tests.activity.crowd import make_events
with transaction.atomic():
    transaction.on_commit(lambda: os._exit(9))
    events.write([Event(topic="project:1", kind="server", verb="changed", name="orphan")])
"""


@committed
def test_what_a_killed_writer_left_is_numbered_by_the_next() -> None:
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    root = Path(settings.BASE_DIR)
    died = subprocess.run([sys.executable, "-c", DIES], env=os.environ | {"DATABASE_URL": url}, cwd=root, check=False)
    assert died.returncode == 9
    assert told() == []
    write("next")
    assert told() == [(1, "orphan"), (2, "next")]


# -- what was missed ---------------------------------------------------------------------------------------------


@committed
def test_only_what_was_missed_on_some_topics_is_told() -> None:
    for number in range(6):
        write(str(number), topic=f"project:{number % 3}")
    assert [hint["seq"] for hint in events.missed(1, ["project:0", "project:1"], upto=5) or ()] == [2, 4, 5]
    assert events.missed(6, ["project:0"], upto=6) == []


@committed
def test_what_cannot_be_told_any_more_is_not_passed_over_in_silence() -> None:
    write(*"abcdef")
    assert events.missed(7, [TOPIC], upto=6) is None, "of another database"
    Event.objects.filter(seq__lte=3).delete()
    assert events.missed(2, [TOPIC], upto=6) is None, "3 is gone"
    assert events.missed(3, [TOPIC], upto=6) is not None


@committed
def test_too_much_is_not_told() -> None:
    make_events(events.REPLAY + 1, TOPIC)
    events.number()
    assert events.missed(0, [TOPIC], upto=events.last()) is None
    assert len(events.missed(1, [TOPIC], upto=events.last()) or ()) == events.REPLAY
    assert events.missed(0, ["project:2"], upto=events.last()) == []


@committed
def test_before_anything_happened() -> None:
    assert events.last() == 0
    assert events.missed(0, [TOPIC], upto=0) == []
    assert events.missed(1, [TOPIC], upto=0) is None
    assert events.number() == []


# -- the doorbell ------------------------------------------------------------------------------------------------


def hints(count: int) -> list[events.Hint]:
    return [{"seq": seq, "topic": TOPIC} for seq in range(count)]


@contextlib.contextmanager
def listening() -> Iterator[Callable[[], Any]]:
    with redis.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as bell:
        bell.subscribe(events.channel())
        assert bell.get_message(timeout=5)

        def hear() -> Any:
            message = bell.get_message(timeout=5)
            return json.loads(message["data"]) if message else None

        yield hear


@committed
def test_the_doorbell_carries_the_hints() -> None:
    with listening() as hear:
        event = write("a")[0]
        event.refresh_from_db()
        assert hear() == [
            {"seq": 1, "topic": TOPIC, "kind": "server", "id": "", "verb": "changed", "version": 0}
        ]  # fmt: skip


def test_many_hints_come_in_portions() -> None:
    with listening() as hear:
        events.Doorbell(settings.REDIS_URL).ring(hints(events.PORTION + 1))
        assert [len(hear()), len(hear())] == [events.PORTION, 1]


def test_a_connection_that_redis_closed_is_opened_again() -> None:
    bell = events.Doorbell(settings.REDIS_URL)
    with redis.Redis.from_url(settings.REDIS_URL) as client, listening() as hear:
        bell.ring(hints(1))
        client.client_kill_filter(_type="normal", skipme=True)
        bell.ring(hints(2))
        assert [len(hear()), len(hear())] == [1, 2]


def test_nobody_waits_for_a_redis_that_is_not_there() -> None:
    bell = events.Doorbell("unix:///nowhere/valkey.sock")
    began = time.monotonic()
    bell.ring(hints(1))
    assert time.monotonic() - began < 1


def test_a_redis_that_does_not_answer_is_waited_for_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        bell = events.Doorbell(f"redis://127.0.0.1:{mute.getsockname()[1]}")
        times = []
        for _ in range(2):
            began = time.monotonic()
            bell.ring(hints(1))
            times.append(time.monotonic() - began)
    assert times[0] < 3
    assert times[1] < 0.1


def test_portals_that_share_a_redis_do_not_hear_each_other(settings: Any) -> None:
    ours = events.channel()
    settings.SECRET_KEY = "another portal's"
    assert events.channel() != ours
