"""What time does to a connection, with the ASGI server's side of it in this process."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from accounts.models import User
from portal.consumers.hub import Hub
from portal.consumers.listener import DOUBT, HEARTBEAT, Listener
from portal.consumers.live import Live
from portal.consumers.stream import Stream
from projects.models import Membership
from tests.portal.consumers.conftest import WAIT, Person, Place, Team

Message = dict[str, Any]


class Server:
    """A client's side of one connection."""

    def __init__(self, listener: Listener, kind: str, path: str, person: Person) -> None:
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {person.token}".encode())]
        scope = {"type": kind, "path": path, "method": "GET", "headers": headers, "query_string": b""}
        self.task = asyncio.create_task(listener(scope, self._received.get, self._sent.put))

    def give(self, **message: Any) -> None:
        self._received.put_nowait(message)

    async def take(self) -> Message:
        async with asyncio.timeout(WAIT):
            return await self._sent.get()


@contextlib.asynccontextmanager
async def streaming(stream: Stream, person: Person) -> AsyncIterator[Server]:
    server = Server(stream, "http", "/ws/stream", person)
    server.give(type="http.request", body=b"", more_body=False)
    assert (await server.take())["status"] == 200
    assert b"event: ready" in (await server.take())["body"]
    yield server
    server.give(type="http.disconnect")
    await server.task


def later(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """In a thread of its own: a browser test leaves its loop running in this one."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, test()).result()


def test_a_quiet_stream_has_a_heartbeat(place: Place, stranger: Person) -> None:
    async def test() -> None:
        stream = Stream(Hub())
        async with streaming(stream, stranger) as server:
            stream.tick(later(HEARTBEAT - 1))
            stream.tick(later(HEARTBEAT + 1))
            assert (await server.take())["body"] == b": hi\n\n"

    run(test)


def test_what_no_event_told_is_found_out_within_a_minute(place: Place, team: Team) -> None:
    async def test() -> None:
        stream = Stream(Hub())
        async with streaming(stream, team.member) as server:
            await Membership.objects.filter(user=team.member.user).adelete()
            stream.tick(later(DOUBT + 1))
            assert team.topic.encode() in (await server.take())["body"]

    run(test)


def test_who_is_locked_out_without_a_word_is_sent_away_within_a_minute(place: Place, stranger: Person) -> None:
    async def test() -> None:
        live = Live(Hub())
        server = Server(live, "websocket", "/ws/live", stranger)
        server.give(type="websocket.connect")
        assert (await server.take())["type"] == "websocket.accept"
        await User.objects.filter(pk=stranger.user.pk).aupdate(is_active=False, state="suspended")
        live.tick(later(DOUBT + 1))
        assert (await server.take())["code"] == 4401
        await server.task

    run(test)


def test_nothing_is_left_of_who_has_gone(place: Place, team: Team) -> None:
    async def test() -> None:
        hub = Hub()
        stream = Stream(hub)
        gone = weakref.ref(stream)
        async with streaming(stream, team.member) as server:
            pass
        del stream, server
        gc.collect()
        assert gone() is None

    run(test)
