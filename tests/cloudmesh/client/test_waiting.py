"""Waiting for a wish: what it ends with is answered or raised; the time may be over first."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudmesh import errors
from cloudmesh.client import Client
from tests.cloudmesh.speaker import STREAM, Answer, Asked, Server, message, reply

ID = "0190b6a0-0000-7000-8000-000000000001"
Portal = Callable[..., Client]


@pytest.fixture
def portal(server: Server) -> Iterator[Portal]:
    """A client of a portal whose operation ends like this when it is read the second time."""
    clients = []

    def speak(**ended: Any) -> Client:
        reads = iter([{"id": ID, "state": "running"}])

        def answer(asked: Asked) -> Answer:
            if "/ws/stream" in asked.target:
                return _stream(bool(ended))
            return reply(next(reads, {"id": ID, **ended}))

        server.answer = answer
        clients.append(Client(server.url, "cm_secret"))
        return clients[-1]

    yield speak
    for client in clients:
        client.close()


def _stream(has_news: bool) -> Iterator[bytes]:
    yield STREAM
    yield message("ready", seq=1)
    if has_news:
        yield message(seq=2, topic="project:1", kind="operation", id=ID, verb="changed", version=2)
    threading.Event().wait(30)


@pytest.mark.parametrize("wish", [ID, {"id": ID}, {"operation": {"id": ID}, "servers": []}])
def test_what_succeeded_is_answered(portal: Portal, wish: Any) -> None:
    assert portal(state="succeeded").wait(wish)["state"] == "succeeded"


def test_what_failed_is_raised_as_it_failed(portal: Portal) -> None:
    client = portal(state="failed", reason="No room.", result={"error": "Full", "resource": "cores"})
    with pytest.raises(errors.Full, match="No room") as failed:
        client.wait(ID)
    assert failed.value.facts == {"resource": "cores"}


def test_when_the_time_is_over_the_wish_goes_on(portal: Portal) -> None:
    began = time.monotonic()
    with pytest.raises(errors.Busy, match=rf"not ended after 0.2 seconds.*cm operation wait {ID}"):
        portal().wait(ID, timeout=0.2)
    assert time.monotonic() - began < 5
