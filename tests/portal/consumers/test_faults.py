"""Nothing is lost: whatever dies, whoever reads slowly, however writers and readers meet."""

import contextlib
import json
import random
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from websockets.exceptions import ConnectionClosed

from activity import events
from activity.models import Event
from portal.consumers.hub import LOOK
from portal.standalone.children import wait_until
from portal.standalone.places import BASE
from tests.activity.crowd import make_events
from tests.portal.consumers.conftest import WAIT, Place, Team, sign_in

pytestmark = pytest.mark.fault

WRITERS, TRANSACTIONS = 4, 30


def write(team: Team, count: int = 1) -> None:
    events.write(Event(topic=team.topic, kind="server", verb="changed") for _ in range(count))


def numbers(team: Team) -> list[int]:
    return list(Event.objects.filter(topic=team.topic).order_by("seq").values_list("seq", flat=True))


# -- writers and readers -------------------------------------------------------------------------------------------


def storm(team: Team, seed: int) -> None:
    """Transactions of all lengths, some of which fail, some in part."""
    chance = random.Random(seed)
    try:
        for _ in range(TRANSACTIONS):
            with contextlib.suppress(Failed), transaction.atomic():
                write(team, chance.choice((1, 1, 2, 20)))
                with contextlib.suppress(Failed), transaction.atomic():
                    write(team)
                    fail_now_and_then(chance)
                time.sleep(chance.random() * 0.02)
                write(team)
                fail_now_and_then(chance)
    finally:
        connection.close()


class Failed(Exception):
    pass


def fail_now_and_then(chance: random.Random) -> None:
    if chance.random() < 0.25:
        raise Failed


class Wanderer:
    """A reader that is cut off at random and comes back with the last number it saw."""

    def __init__(self, place: Place, team: Team, since: int) -> None:
        self.place, self.team, self.seen = place, team, [since]
        self.sessions: list[list[int]] = []
        self.is_over = threading.Event()

    def read(self) -> None:
        chance = random.Random(7)
        while not self.is_over.is_set():
            heard: list[int] = []
            with self.place.socket(self.team.member.token) as reader:
                end = time.monotonic() + chance.random() * 0.15
                with contextlib.suppress(TimeoutError):
                    reader.subscribe(self.team.topic, since=self.seen[-1])
                    while (left := end - time.monotonic()) > 0:
                        heard.append(reader.next(left)["seq"])
                reader.connection.socket.shutdown(socket.SHUT_RDWR)
            self.sessions.append(heard)
            self.seen += heard


def test_in_a_storm_of_writers_a_reader_that_comes_and_goes_misses_nothing(place: Place, team: Team) -> None:
    since = events.last()
    with place.socket(team.member.token) as steady, ThreadPoolExecutor(WRITERS + 1) as pool:
        steady.subscribe(team.topic)
        wanderer = Wanderer(place, team, since)
        reading = pool.submit(wanderer.read)
        for writer in [pool.submit(storm, team, seed) for seed in range(WRITERS)]:
            writer.result(60)
        written = [seq for seq in numbers(team) if seq > since]
        assert wait_until(lambda: wanderer.seen[-1] == written[-1], seconds=WAIT)
        wanderer.is_over.set()
        reading.result(10)
        assert steady.until(written[-1]) == written
    assert len(wanderer.sessions) > 10
    assert all(heard == sorted(set(heard)) for heard in wanderer.sessions)
    assert sorted(set(wanderer.seen[1:])) == written


def test_what_is_told_while_a_reader_comes_in_is_told_once(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as reader:
        since = reader.subscribe(team.member.user.topic)
        with transaction.atomic(), connection.cursor() as cursor, place.redis() as bell:
            cursor.execute("LOCK TABLE activity_event")
            reader.send({"subscribe": [team.topic], "since": since})
            assert wait_until(lambda: waits(cursor), seconds=WAIT), "it has joined and reads what it missed"
            make_events(1, team.topic)
            told = Event.objects.filter(seq=None).update(seq=since + 1)
            hint = {"seq": since + 1, "topic": team.topic, "kind": "server", "id": "", "verb": "changed", "version": 0}
            bell.publish(events.channel(), json.dumps([hint]))
            time.sleep(0.2)  # until the hub has heard it
        assert told == 1
        assert reader.next() == {"ready": since + 1}
        assert reader.next()["seq"] == since + 1
        assert reader.is_silent()


def waits(cursor: CursorWrapper) -> bool:
    """Whether somebody waits for this session."""
    cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
    return cursor.fetchone() is not None


# -- whoever dies --------------------------------------------------------------------------------------------------

#: A writer that dies at a moment: before its event has a number, or before anybody is told of it.
DIES = """
import os, sys, django
django.setup()
from django.db import transaction
from activity import events
from activity.models import Event
topic, moment = sys.argv[1:]
with transaction.atomic():
    transaction.on_commit(lambda: (moment == "numbered" and events.number(), os._exit(9)))
    events.write([Event(topic=topic, kind="server", verb=moment)])
"""


def test_what_a_writer_committed_before_it_was_killed_is_told(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as reader:
        reader.subscribe(team.topic)
        for moment in ("numbered", "committed"):
            writer = [sys.executable, "-c", DIES, team.topic, moment]
            assert subprocess.run(writer, env=place.environment, cwd=BASE, check=False).returncode == 9
        assert [reader.next(LOOK + WAIT)["verb"] for _ in range(2)] == ["numbered", "committed"]


def test_redis_dies_is_away_and_comes_back(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as reader:
        reader.subscribe(team.topic)
        place.kill("valkey")
        seqs = [team.change() for _ in range(3)]
        assert reader.until(seqs[-1]) == seqs, "found in the table"
        place.start("valkey")
        is_heard = wait_until(lambda: place.redis().pubsub_numsub(events.channel())[0][1] == 1, seconds=WAIT)
        assert is_heard, "the web listens again"
        events.doorbell.cache_clear()
        began = time.monotonic()
        seq = team.change()
        assert reader.until(seq) == [seq]
        assert time.monotonic() - began < LOOK, "by the doorbell"


def test_pages_live_while_redis_is_away(place: Place, team: Team) -> None:
    headers, _ = sign_in(place, team.member)
    place.kill("valkey")
    with place.socket(headers=headers, origin=place.listener.url) as reader:
        reader.subscribe(team.topic)
        seq = team.change()
        assert reader.until(seq) == [seq]


def test_redis_forgets_everything(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as reader, place.redis() as bell:
        reader.subscribe(team.topic)
        bell.flushall()
        bell.client_kill_filter(_type="pubsub")
        seqs = [team.change() for _ in range(3)]
        assert reader.until(seqs[-1]) == seqs


def test_the_hub_fails_and_starts_anew(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as reader, place.redis() as bell:
        since = reader.subscribe(team.topic)
        bell.publish(events.channel(), "this is no list of hints")
        assert reader.closed()[0] == 1013
    seq = team.change()
    with place.socket(team.member.token) as reader:
        reader.subscribe(team.topic, since=since)
        assert reader.until(seq) == [seq]
        fresh = team.change()
        assert reader.until(fresh) == [fresh]


def test_the_web_is_killed_and_its_readers_come_back(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as reader:
        since = reader.subscribe(team.topic)
        place.kill("web")
        with pytest.raises(ConnectionClosed):
            reader.next()
    seqs = [team.change() for _ in range(3)]
    place.start("web")
    with place.socket(team.member.token) as reader:
        reader.subscribe(team.topic, since=since)
        assert reader.until(seqs[-1]) == seqs


def test_the_database_is_restored_from_a_copy(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as reader, place.redis() as bell:
        since = reader.subscribe(team.topic)
        seqs = [team.change() for _ in range(3)]
        reader.until(seqs[-1])
        Event.objects.filter(seq__gt=since).delete()
        bell.client_kill_filter(_type="pubsub")
        assert reader.closed() == (1013, "The portal's database was restored.")
    with place.socket(team.member.token) as reader:
        assert reader.subscribe(team.topic, since=seqs[-1]) == since
        assert reader.next() == {"reset": True}
        assert reader.until(team.change()) == [since + 1]


def test_the_database_drops_all_its_connections(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as reader:
        since = reader.subscribe(team.topic)
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        seqs = [team.change() for _ in range(3)]
        assert reader.until(seqs[-1]) == seqs

        def comes_in() -> bool:
            with contextlib.suppress(ConnectionClosed), place.socket(team.member.token) as other:
                other.subscribe(team.topic, since=since)
                return other.until(seqs[-1]) == seqs
            return False

        assert wait_until(comes_in, seconds=WAIT), "once the pool has thrown away what is dead"


# -- who reads slowly ----------------------------------------------------------------------------------------------


def narrow(place: Place) -> socket.socket:
    """A connection that holds little of what was sent and not read."""
    thin = socket.socket()
    thin.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    thin.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    thin.connect(("127.0.0.1", place.listener.port))
    return thin


def test_who_does_not_read_is_dropped_alone_and_gets_the_rest_when_it_comes_back(place: Place, team: Team) -> None:
    heard = []
    with place.socket(team.member.token) as steady, place.socket(team.member.token, sock=narrow(place)) as asleep:
        steady.subscribe(team.topic)
        asleep.subscribe(team.topic)
        for _ in range(8):
            write(team, 500)
            steady.until(events.last())
        with contextlib.suppress(ConnectionClosed):
            while len(heard) < 4000:
                heard.append(asleep.next()["seq"])
    written = numbers(team)[-4000:]
    assert heard == written[: len(heard)]
    assert len(heard) < len(written)
    with place.socket(team.member.token) as back:
        back.subscribe(team.topic, since=heard[-1])
        assert back.until(written[-1]) == written[len(heard) :]
