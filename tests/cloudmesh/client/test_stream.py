"""Following an operation: woken by hints, past lost connections and restarts."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from cloudmesh import errors
from cloudmesh.client import Client, stream
from tests.cloudmesh.speaker import STREAM, Answer, Asked, Server, message, problem, reply


def hint(seq: int, record: str = "op") -> bytes:
    return message(seq=seq, topic="project:1", kind="operation", id=record, verb="changed", version=seq)


READY = message("ready", seq=1)


@pytest.fixture
def portal(server: Server) -> Callable[..., Client]:
    """A client of a portal whose operation is in these states, one a question, and whose streams are these."""

    def speak(states: list[str], *streams: list[bytes]) -> Client:
        operations = ({"id": "op", "state": state, "step": str(number)} for number, state in enumerate(states))
        connections = iter(streams)

        def answer(asked: Asked) -> Answer:
            return iter([STREAM, *next(connections)]) if "/ws/stream" in asked.target else reply(next(operations))

        server.answer = answer
        return Client(server.url, "cm_secret")

    return speak


def streams(server: Server) -> list[str]:
    return [asked.target for asked in server.asked if "/ws/stream" in asked.target]


def reads(server: Server) -> int:
    return sum("/operations/" in asked.target for asked in server.asked)


def states(client: Client) -> list[str]:
    with client:
        return [operation["state"] for operation in client.follow("op")]


def test_each_hint_is_one_question(portal: Callable[..., Client], server: Server) -> None:
    client = portal(["queued", "running", "succeeded"], [READY, hint(2), b": hi\n\n", hint(3)])
    assert states(client) == ["queued", "running", "succeeded"]
    assert reads(server) == 3


def test_what_concerns_others_is_no_question(portal: Callable[..., Client], server: Server) -> None:
    client = portal(["queued", "succeeded"], [READY, hint(2, "other"), hint(3, "another"), hint(4)])
    assert states(client) == ["queued", "succeeded"]
    assert reads(server) == 2


def test_what_ended_before_we_listened_is_seen(portal: Callable[..., Client]) -> None:
    assert states(portal(["succeeded"], [READY])) == ["succeeded"]


def test_a_lost_stream_is_resumed_where_it_broke(portal: Callable[..., Client], server: Server) -> None:
    client = portal(["queued", "running", "succeeded"], [READY, hint(7)], [READY])
    assert states(client) == ["queued", "running", "succeeded"]
    assert streams(server) == ["/ws/stream", "/ws/stream?since=7"]


def test_a_reset_means_reading_again(portal: Callable[..., Client]) -> None:
    client = portal(["queued", "failed"], [READY, message("reset", seq=900)])
    assert states(client) == ["queued", "failed"]


def test_a_portal_that_restarts_is_waited_for(server: Server) -> None:
    answers: Iterator[Answer] = iter(
        [
            iter([STREAM, READY]),  # then it hangs up
            problem(503, "unreachable", "Starting."),
            iter([STREAM, READY]),
        ]
    )
    operations = iter(["running", "succeeded"])

    def answer(asked: Asked) -> Answer:
        if "/ws/stream" in asked.target:
            return next(answers)
        return reply({"id": "op", "state": next(operations)})

    server.answer = answer
    assert states(Client(server.url)) == ["running", "succeeded"]


def test_a_portal_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PAUSES", (0.0, 0.01))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(errors.Unreachable):
        states(Client(url))


def test_a_refusal_ends_it_at_once(server: Server) -> None:
    server.answer = lambda asked: problem(401, "not-authenticated", "This token ended.")
    with pytest.raises(errors.NotAuthenticated):
        states(Client(server.url))
    assert len(server.asked) == 1


def test_silence_longer_than_three_heartbeats_is_a_lost_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SILENCE", 0.1)
    ended = iter([False, True])

    def answer(asked: Asked) -> Answer:
        if "/operations/" in asked.target:
            return reply({"id": "op", "state": "succeeded" if next(ended) else "running"})
        return silent()

    def silent() -> Iterator[bytes]:
        yield STREAM + READY
        threading.Event().wait(0.5)

    server.answer = answer
    assert states(Client(server.url)) == ["running", "succeeded"]
