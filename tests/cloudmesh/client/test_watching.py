"""Servers on the live stream: read again when they may have changed, and no oftener."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudmesh import errors
from cloudmesh.client import Client
from tests.cloudmesh.speaker import Answer, Asked, Server, page

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
READY = b'event: ready\ndata: {"seq": 1}\n\n'
Record = dict[str, Any]
Portal = Callable[..., Client]


def hint(seq: int, id: str = "7", version: int | None = None, kind: str = "server") -> bytes:
    told = {"seq": seq, "topic": "project:1", "kind": kind, "id": id, "verb": "changed", "version": version or seq}
    return b"id: %d\ndata: %b\n\n" % (seq, json.dumps(told).encode())


def gregor(state: str, version: int = 1, number: int = 7, reason: str = "") -> Record:
    return {
        "id": str(number), "name": f"gregor_{number}", "state": state, "state_reason": reason, "version": version,
        "operation": None,
    }  # fmt: skip


@pytest.fixture
def portal(server: Server) -> Iterator[Portal]:
    """A client of a portal that answers each question for servers with the next of `lists`, and then hints so."""

    def speak(lists: list[list[Record]], *hints: bytes) -> Client:
        ahead = iter(lists)

        def stream() -> Iterator[bytes]:
            yield HEAD + READY + b"".join(hints)
            threading.Event().wait(30)

        def answer(asked: Asked) -> Answer:
            return stream() if "/ws/stream" in asked.target else page(*next(ahead))

        server.answer = answer
        return opened.enter_context(Client(server.url, "cm_secret"))

    with contextlib.ExitStack() as opened:
        yield speak


def reads(server: Server) -> list[str]:
    return [asked.target for asked in server.asked if "/servers/" in asked.target]


def test_a_change_that_was_already_read_is_no_question(portal: Portal, server: Server) -> None:
    client = portal(
        [[gregor("building")], [gregor("active", 4)], [gregor("stopped", 5)]],
        *(hint(seq) for seq in (2, 3, 4, 5)),
    )
    seen = client.watch_servers(name="gregor_*")
    assert [next(seen)[0]["state"] for _ in range(3)] == ["building", "active", "stopped"]
    assert len(reads(server)) == 3
    assert "name=gregor_%2A" in reads(server)[0]


def test_a_new_server_and_one_of_many_that_were_synced_are_news_and_an_operation_is_not(
    portal: Portal, server: Server
) -> None:
    both = [gregor("active"), gregor("active", number=8)]
    client = portal([[gregor("active")], both, both], hint(2, kind="operation"), hint(3, "8"), hint(4, ""))
    seen = client.watch_servers()
    assert [len(next(seen)) for _ in range(3)] == [1, 2, 2]
    assert len(reads(server)) == 3


def test_waiting_reads_only_what_changed_and_ends_when_all_are_so(portal: Portal, server: Server) -> None:
    eight = gregor("building", number=8)
    both = [gregor("building"), eight]
    client = portal(
        [both, both, [gregor("active", 2)], [{**eight, "state": "active", "version": 5}]],
        *(hint(2), hint(3, "9"), hint(4, "7"), hint(5, "8")),
    )
    told = [(each["id"], each["state"]) for each in client.wait_for([gregor("requested"), eight])]
    assert told == [("7", "building"), ("8", "building"), ("7", "active"), ("8", "active")]
    assert [target.rpartition("?")[2] for target in reads(server)] == [
        *["page_size=1000&id=7%2C8"] * 2,  # at once, and when the stream is open
        "page_size=1000&id=7",
        "page_size=1000&id=8",
    ]


def test_what_is_so_already_is_not_waited_for(portal: Portal, server: Server) -> None:
    told = portal([[gregor("active")]]).wait_for([gregor("building")], timeout=0)
    assert [each["state"] for each in told] == ["active"]
    assert len(server.asked) == 1
    assert list(portal([]).wait_for([])) == []


@pytest.mark.parametrize(
    ("then", "error", "said"),
    [
        ([gregor("error", 2, reason="No valid host.")], errors.CloudmeshError, "gregor_7 is in error: No valid host."),
        ([], errors.NotFound, "gregor_7 was deleted."),
    ],
)
def test_waiting_in_vain_ends_at_once(portal: Portal, then: list[Record], error: type[Exception], said: str) -> None:
    waiting = portal([[gregor("building")]] * 2 + [then], hint(2)).wait_for([gregor("building")])
    with pytest.raises(error, match=said):
        list(waiting)


def test_waiting_for_its_end_is_not_in_vain(portal: Portal) -> None:
    told = portal([[gregor("deleting")]] * 2 + [[]], hint(2)).wait_for([gregor("active")], "deleted")
    assert [each["state"] for each in told] == ["deleting", "deleted"]


def test_time_is_over_though_the_stream_lives(server: Server) -> None:
    def beating() -> Iterator[bytes]:
        yield HEAD + READY
        while not threading.Event().wait(0.05):
            yield b": hi\n\n"

    server.answer = lambda asked: beating() if "/ws/stream" in asked.target else page(gregor("building"))
    client = Client(server.url)
    with client, pytest.raises(errors.CloudmeshError, match=r"Not active after 0\.3 seconds: gregor_7 \(building\)\."):
        list(client.wait_for([gregor("building")], timeout=0.3))
    with client, pytest.raises(errors.CloudmeshError, match="Not active after 0 seconds"):
        list(client.wait_for([gregor("building")], timeout=0))


def test_events_that_came_with_earlier_ones_are_not_asked_for_again(server: Server) -> None:
    def answer(asked: Asked) -> Answer:
        if "/ws/stream" in asked.target:
            return iter([HEAD, READY, hint(2), hint(3), hint(4)])
        return page({"seq": 2}, {"seq": 3}) if "since=1" in asked.target else page({"seq": 4})

    server.answer = answer
    with Client(server.url) as client:
        events = client.watch(1)
        assert [next(events)["seq"] for _ in range(3)] == [2, 3, 4]
    assert sum("/events/" in asked.target for asked in server.asked) == 2
