"""One question, or one stream, that somebody else may break off."""

import threading

from cloudmesh.client.http import Connection
from cloudmesh.client.session import Session


class BrokenOff(Exception):
    """Nobody waits for the answer any more."""


class Call(Session):
    """A session for one call; it shares the connections that are kept alive with the one that it is made from."""

    def __init__(self, whole: Session) -> None:
        super().__init__(whole.portal, whole.timeout)
        self._idle = whole._idle
        self._over = threading.Event()
        self._using: list[Connection] = []  # a stream's, and that of a question about what it said

    def break_off(self) -> None:
        """Whatever waits for an answer or for the time to ask again ends at once, with BrokenOff."""
        self._over.set()
        for connection in self._using:
            connection.break_off()

    def connect(self, timeout: float) -> Connection:
        return self._use(super().connect(timeout))

    def take(self) -> Connection:
        return self._use(super().take())

    def give_back(self, connection: Connection, *, is_open: bool) -> None:
        self._using.remove(connection)
        super().give_back(connection, is_open=is_open)

    def pause(self, seconds: float) -> None:
        if self._over.wait(seconds):
            raise BrokenOff

    def _use(self, connection: Connection) -> Connection:
        self._using.append(connection)
        if self._over.is_set():
            connection.close()
            raise BrokenOff
        return connection
