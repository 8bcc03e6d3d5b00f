"""The asynchronous client: the same methods, many at once, broken off where they are cancelled."""

import asyncio
import inspect
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cloudmesh import errors
from cloudmesh.client import Client
from cloudmesh.client.asking import Asking
from cloudmesh.client.asynchronous import AsyncClient
from tests.cloudmesh.speaker import STREAM, Answer, Asked, Server, message, page, problem, reply

TOP = Path(__file__).parents[3]
Talk = Callable[[AsyncClient], Coroutine[Any, Any, Any]]


@pytest.fixture
def ask(server: Server) -> Callable[[Talk], Any]:
    """What somebody makes of a client, in a loop of their own."""

    def run(talk: Talk) -> Any:
        async def session() -> Any:
            async with AsyncClient(server.url, "cm_secret") as mesh:
                return await talk(mesh)

        with ThreadPoolExecutor(1) as own:  # a browser's tests may have left a loop in this one
            return own.submit(asyncio.run, session()).result()

    return run


def names(kind: type) -> set[str]:
    return {name for name in dir(kind) if name[0] != "_" and not hasattr(Asking, name)}


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("cloudmesh")]


def test_it_has_every_method_of_the_client_with_its_parameters_and_words() -> None:
    assert names(AsyncClient) == names(Client)
    for name in names(Client):
        ours, theirs = getattr(AsyncClient, name), getattr(Client, name)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert ours.__doc__ == theirs.__doc__


def test_type_checkers_know_every_method() -> None:
    told = subprocess.run(
        [sys.executable, ".ci/asynchronous.py", "--check"], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr


def test_many_questions_at_once_take_as_long_as_one(server: Server, ask: Callable[[Talk], Any]) -> None:
    together = threading.Barrier(8)

    def answer(asked: Asked) -> Answer:
        together.wait(20)
        return reply({"path": asked.target})

    async def talk(mesh: AsyncClient) -> list[Any]:
        return await asyncio.gather(*(mesh.server(f"s{number}") for number in range(8)))

    server.answer = answer
    assert [told["path"][-3:-1] for told in ask(talk)] == [f"s{number}" for number in range(8)]


def test_a_list_is_iterated_page_by_page(server: Server, ask: Callable[[Talk], Any]) -> None:
    server.answer = lambda asked: (
        page({"id": 3})
        if "cursor" in asked.target
        else page({"id": 1}, {"id": 2}, following="/api/v1/servers/?cursor=x")
    )

    async def talk(mesh: AsyncClient) -> list[Any]:
        first = [server["id"] async for server in mesh.servers()]
        async for _ in mesh.servers():
            break
        return first

    assert ask(talk) == [1, 2, 3]
    assert len(server.asked) == 3


def test_a_refusal_is_raised_where_it_is_awaited(server: Server, ask: Callable[[Talk], Any]) -> None:
    server.answer = lambda asked: problem(409, "quota-exceeded", "No more.", limit=10)
    with pytest.raises(errors.QuotaExceeded, match="No more") as refused:
        ask(lambda mesh: mesh.boot(count=11))
    assert refused.value.facts == {"limit": 10}


def test_a_cancelled_call_ends_at_once_and_leaves_no_thread_waiting(server: Server) -> None:
    def answer(asked: Asked) -> Iterator[bytes]:
        if "/ws/stream" in asked.target:
            yield STREAM + message("ready", seq=1)
        elif "/operations/" in asked.target:
            yield reply({"id": "op", "state": "running"})
            return
        threading.Event().wait(60)

    async def talk() -> None:
        async with AsyncClient(server.url) as mesh:
            for slow in (mesh.me(), mesh.wait("op"), anext(mesh.watch(since=1))):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(slow, 0.3)

    server.answer = answer
    began = time.monotonic()
    with ThreadPoolExecutor(1) as own:
        own.submit(asyncio.run, talk()).result()
    for thread in threads():
        thread.join(10)
    assert threads() == []
    assert time.monotonic() - began < 15
