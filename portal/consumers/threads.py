"""Blocking work off the event loop: few threads, each giving its database connection back when done."""

import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


class Threads:
    def __init__(self, count: int, name: str) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, function: Callable[Asked, Answer], *args: Asked.args, **options: Asked.kwargs) -> Answer:
        def work() -> Answer:
            close_old_connections()
            try:
                return function(*args, **options)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
