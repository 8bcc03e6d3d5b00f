"""How the methods of `Client` ask: records and lists of the REST API, over one session."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Self

from cloudmesh.client.session import Session
from cloudmesh.config import Warn, find_portal

if TYPE_CHECKING:
    from cloudmesh.types import Json

PAGE = 1000
QUERY_LENGTH = 2000  # characters of names in one address; servers and proxies accept at least 8,000
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Asking:
    """What each family of methods stands on. Nothing is read or sent before the first question."""

    def __init__(
        self, url: str = "", token: str = "", *, profile: str = "", timeout: float = 30.0, warn: Warn | None = None
    ) -> None:
        self._wanted = (url, token, profile)
        self._timeout = timeout
        self._warn = warn
        self._wants_format = False

    def turn_to(self, url: str = "", token: str = "", profile: str = "") -> None:
        """Talk to another portal from now on."""
        self.close()
        vars(self).pop("session", None)
        self._wanted = (url, token, profile)

    def want_format(self, *, wanted: bool) -> None:
        """Let the next answers tell in which format the person wants lists, or not."""
        self._wants_format = wanted
        if "session" in vars(self):
            self.session.wants_format = wanted

    @property
    def output_format(self) -> str:
        """What the last answer told that was to tell it; empty before."""
        return self.session.output_format if "session" in vars(self) else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back; the next question opens another."""
        if "session" in vars(self):
            self.session.close()

    @cached_property
    def session(self) -> Session:
        session = Session(find_portal(*self._wanted, self._warn), self._timeout, self._warn)
        session.wants_format = self._wants_format
        return session

    def _get(self, path: str, query: "Json | None" = None) -> "Json":
        answer: Json = self.session.get(path, query)
        return answer

    def _send(self, method: str, path: str, body: "Json | None" = None) -> "Json":
        answer: Json = self.session.send(method, path, body)
        return answer

    def _list(self, path: str, filters: "Json") -> "Iterator[Json]":
        return self.session.pages(path, {"page_size": PAGE, **filters})


def given(wanted: "Json") -> "Json":
    return {key: value for key, value in wanted.items() if value is not None}


def batches(names: Iterable[str]) -> Iterator[str]:
    """Names joined by commas, no more at once than an address can hold."""
    batch: list[str] = []
    for name in names:
        if batch and sum(map(len, batch)) + len(batch) + len(name) > QUERY_LENGTH:
            yield ",".join(batch)
            batch = []
        batch.append(name)
    if batch:
        yield ",".join(batch)
