"""Whether a portal runs here: a lock says yes or no, a file beside it the details.

The kernel gives the lock back however its holder dies, which no pid file can promise.
"""

import dataclasses
import fcntl
import json
import os
import signal
from pathlib import Path
from typing import Any

from portal.standalone import processes
from portal.standalone.children import wait_until
from portal.standalone.places import write_private


@dataclasses.dataclass(kw_only=True)
class Details:
    """What `--status` shows, and what the next start cleans up after a kill."""

    pid: int
    birth: str | None
    state: str  # starting, running, stopping
    url: str
    where: dict[str, str]  # for each child, what people want to know about it
    children: dict[str, tuple[int, str]] = dataclasses.field(default_factory=dict)  # name: pid and birth

    @classmethod
    def parse(cls, text: str) -> "Details":
        document: dict[str, Any] = json.loads(text)
        children = {name: (pid, birth) for name, (pid, birth) in document.pop("children").items()}
        return cls(**document, children=children)


class Presence:
    def __init__(self, var: Path) -> None:
        self._lock = var / "lock"
        self._file = var / "supervisor.json"
        self._held: int | None = None

    @property
    def is_first(self) -> bool:
        """Whether no portal ever ran here."""
        return not self._lock.exists()

    def take(self) -> bool:
        """Whether this process is now the one portal here."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        if wait_until(lambda: _lock(descriptor, fcntl.LOCK_EX), seconds=0.3):  # others look for an instant
            self._held = descriptor
            return True
        os.close(descriptor)
        return False

    def is_taken(self) -> bool:
        """Whether some process is the portal here."""
        if self.is_first:
            return False
        with self._lock.open() as file:
            return not _lock(file.fileno(), fcntl.LOCK_SH)

    def write(self, details: Details) -> None:
        write_private(self._file, json.dumps(dataclasses.asdict(details)))

    def read(self) -> Details | None:
        """What the one who runs here wrote, or the last one who did."""
        try:
            return Details.parse(self._file.read_text())
        except FileNotFoundError:
            return None

    def leave(self) -> None:
        self._file.unlink(missing_ok=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def end_leftovers(details: Details) -> list[str]:
    """End the children of a supervisor that was killed; returns the names of those that still lived."""
    stops = {"postgres": (signal.SIGINT, signal.SIGQUIT)}
    left = {name: child for name, child in details.children.items() if processes.born(child[0]) == child[1]}
    for name, (pid, birth) in left.items():
        processes.end(pid, birth, stops.get(name, (signal.SIGTERM,)), patience=10)
    return list(left)
