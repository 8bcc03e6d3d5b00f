"""The methods of `Client` without waiting: each call in a thread of its own, broken off where it is cancelled."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial, update_wrapper
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from cloudmesh.client import Client
from cloudmesh.client.call import Call

AT_ONCE = 32  # calls; each stream that is listened to is one

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Calls:
    """What the asynchronous methods stand on: one client, and threads that call it."""

    def __init__(
        self, url: str = "", token: str = "", *, profile: str = "", timeout: float = 30.0, at_once: int = AT_ONCE
    ) -> None:
        self._client = Client(url, token, profile=profile, timeout=timeout)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="cloudmesh")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections and threads back; this client asks nothing any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _begin(self, method: Callable[Given, Result]) -> tuple[Call, Callable[Given, Result]]:
        """The same method of a client that is for this call alone."""
        client, call = Client(), Call(self._client.session)
        client.session = call
        work: Callable[Given, Result] = getattr(client, method.__name__)
        return call, work

    async def _in_thread(self, call: Call, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except asyncio.CancelledError:
            call.break_off()
            raise


def answered(method: Callable[Given, Result]) -> Callable[Concatenate[Any, Given], Coroutine[Any, Any, Result]]:
    """The method of `Client` that has this name, to be awaited."""

    async def ask(self: Calls, /, *args: Given.args, **given: Given.kwargs) -> Result:
        call, work = self._begin(method)
        return await self._in_thread(call, partial(work, *args, **given))

    update_wrapper(ask, method)
    return ask


def listed(
    method: Callable[Given, Iterator[Result]],
) -> Callable[Concatenate[Any, Given], AsyncIterator[Result]]:
    """The method of `Client` that has this name, for `async for`."""

    async def each(self: Calls, /, *args: Given.args, **given: Given.kwargs) -> AsyncIterator[Result]:
        call, work = self._begin(method)
        records = await self._in_thread(call, partial(work, *args, **given))
        try:
            while found := await self._in_thread(call, partial(_next, records)):
                yield found[0]
        finally:
            call.break_off()

    update_wrapper(each, method)
    return each


def _next(records: Iterator[Result]) -> tuple[Result] | None:
    """The next record, or None after the last; StopIteration cannot leave a thread."""
    for record in records:
        return (record,)
    return None
