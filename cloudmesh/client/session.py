"""Talking to a portal: JSON both ways, errors as our own, and no wish sent twice."""

import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from cloudmesh.client.http import Connection, Origin, Response, quote
from cloudmesh.client.problems import error_of
from cloudmesh.config import Portal, Warn
from cloudmesh.errors import CloudmeshError, NotAuthenticated, Unreachable
from cloudmesh.version import VERSIONS, __version__

if TYPE_CHECKING:
    from cloudmesh.types import Json

API = "/api/v1/"
FORMAT = "output-format"  # a preference of RFC 7240: the answer says which was applied
PAUSES = (0.0, 0.2, 1.0)  # seconds before each further attempt after a lost connection
WAITING = (409, 429, 503)  # answers that may come with Retry-After
PATIENCE = 30  # seconds; who is asked to wait longer is told so
KEPT = 8  # idle connections


class Session:
    """One person's conversation with one portal, over connections that are kept alive; any thread may ask.

    Each question takes a connection that nobody uses, or opens one, and gives it back when it is answered.
    """

    def __init__(self, portal: Portal, timeout: float, warn: Warn | None = None) -> None:
        self.portal = portal
        self.timeout = timeout
        self._warn = warn
        self._met: str | None = VERSIONS  # what the portal said of its version
        self._origin = Origin.parse(portal.url)
        self.wants_format = False  # whether answers shall tell in which format the person wants lists
        self.output_format = ""
        self._idle: list[Connection] = []  # pop and append are atomic

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._ask("GET", self._target(API + path, query))

    def send(self, method: str, path: str, body: "Json | None" = None) -> Any:
        """Ask for a change.

        A repetition, after a lost connection or where the portal asks for it, carries the same Idempotency-Key:
        it is done once.
        """
        return self._ask(method, self._target(API + path), json.dumps(body or {}).encode())

    def pages(self, path: str, query: Mapping[str, Any] | None = None) -> "Iterator[Json]":
        """The records of a list, each page fetched when it is needed."""
        page = self.get(path, query)
        yield from page["results"]
        while page["next"]:
            page = self._ask("GET", re.sub(r"^https?://[^/]*", "", page["next"]))
            yield from page["results"]

    def stream(self, path: str, query: Mapping[str, Any], silence: float) -> Iterator[bytes]:
        """The lines of an answer that goes on, over a connection of its own, until it breaks: Unreachable.

        `silence` is how many seconds without a byte mean that the connection is lost.
        """
        try:
            with closing(self.connect(silence)) as connection:
                response = connection.request("GET", self._target(path, query), self._headers("text/event-stream"))
                if response.status != 200 or not response.is_a("event-stream"):
                    raise self._error(response, response.read())
                yield from response.lines()
        except OSError as error:
            raise self._unreachable(error, silence) from error
        raise Unreachable(f"{self.portal.url} ended the live stream.")

    def close(self) -> None:
        """Close what nobody uses just now."""
        while connection := self._unused():
            connection.close()

    def connect(self, timeout: float) -> Connection:
        return Connection(self._origin, timeout)

    def take(self) -> Connection:
        """A connection for one question: one that nobody uses, or another."""
        return self._unused() or self.connect(self.timeout)

    def give_back(self, connection: Connection, *, is_open: bool) -> None:
        if is_open and len(self._idle) < KEPT:
            self._idle.append(connection)
        else:
            connection.close()

    def pause(self, seconds: float) -> None:
        threading.Event().wait(seconds)

    def _ask(self, method: str, target: str, body: bytes = b"") -> Any:
        headers = self._headers("application/json")
        if body:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": os.urandom(16).hex()}
        if self.wants_format:
            headers["Prefer"] = FORMAT
        response, content = self._exchange(method, target, headers, body)
        self._meet(response.headers.get("cloudmesh-version"))
        self._hear_format(response)
        if response.status == 204:
            return None
        if not 200 <= response.status < 300 or not response.is_a("json"):
            raise self._error(response, content)
        return json.loads(content)

    def _exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[Response, bytes]:
        """Asks again, a few times, after a lost connection or where the answer says when: safe, since keyed."""
        pauses = iter(PAUSES)
        while True:
            seconds = 0
            try:
                response, content = self._attempt(method, target, headers, body)
                seconds = response.retry_after if response.status in WAITING else 0
                pause = next(pauses, None) if 0 < seconds <= PATIENCE else None
                if pause is None:
                    return response, content
            except OSError as error:
                pause = next(pauses, None) if _is_worth_another_try(error) else None
                if pause is None:
                    raise self._unreachable(error, self.timeout, is_wish=method != "GET") from error
            self.pause(max(pause, seconds))

    def _attempt(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[Response, bytes]:
        connection = self.take()
        with ExitStack() as unless_kept:
            unless_kept.callback(self.close)  # those that were kept as long are broken, too
            unless_kept.callback(connection.close)
            response = connection.request(method, target, headers, body)
            content = response.read()
            unless_kept.pop_all()
        self.give_back(connection, is_open=response.stays_open)
        return response, content

    def _meet(self, version: str | None) -> None:
        """Warn, once, of a portal that is too old or too new."""
        if version is None or version == self._met:
            return
        from cloudmesh.client import versions

        self._met = version
        versions.warn_of(version, self.portal.url, self._warn)

    def _unused(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _target(self, path: str, query: Mapping[str, Any] | None = None) -> str:
        given = [f"{quote(key)}={quote(str(value))}" for key, value in (query or {}).items() if value not in (None, "")]
        return self._origin.prefix + path + ("?" + "&".join(given) if given else "")

    def _headers(self, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": f"cm/{__version__}"}
        if self.portal.token:
            headers["Authorization"] = f"Bearer {self.portal.token}"
        return headers

    def _hear_format(self, response: Response) -> None:
        name, _, value = response.headers.get("preference-applied", "").partition("=")
        if name == FORMAT:
            self.output_format = value

    def _error(self, response: Response, content: bytes) -> CloudmeshError:
        error = error_of(response.status, response.headers, content, self.portal.url)
        if isinstance(error, NotAuthenticated):
            error.facts["hint"] = self.portal.how_to_sign_in
        elif error.status in (400, 404):
            from cloudmesh.client import versions

            if told := versions.hint(error.message, response.headers.get("cloudmesh-version"), self.portal.url):
                error.facts["hint"] = told
        return error

    def _unreachable(self, error: OSError, timeout: float, *, is_wish: bool = False) -> Unreachable:
        if isinstance(error, TimeoutError):
            perhaps = " Your wish may have been heard all the same; see: cm operation list" if is_wish else ""
            return Unreachable(f"{self.portal.url} did not answer within {timeout:.0f} seconds.{perhaps}")
        reason = error.strerror or str(error)
        return Unreachable(f"No portal answers at {self.portal.url} ({reason}). {self.portal.how_to_start}")


def _is_worth_another_try(error: OSError) -> bool:
    """A connection that broke is; one that nobody took, or a certificate that is not trusted, is not."""
    return isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError)
