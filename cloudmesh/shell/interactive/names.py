"""Names of things that are there, for completion: fetched beside the conversation, kept for a moment."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError

if TYPE_CHECKING:
    from cloudmesh.types import Json

FRESH = 15.0  # seconds
PATIENCE = 1.0  # seconds that completion waits, in a thread of its own, for names that were never read
MOST = 5000

Found = list[tuple[str, str]]
READERS: "dict[str, tuple[Callable[[Client], Iterator[Json]], tuple[str, ...]]]" = {
    "cloud": (Client.clouds, ("label", "state", "health")),
    "vm": (Client.servers, ("state", "cloud", "flavor")),
    "image": (Client.images, ("cloud", "state")),
    "flavor": (Client.flavors, ("cloud", "vcpus", "ram")),
    "key": (Client.keys, ("comment", "fingerprint")),
    "project": (Client.projects, ("title", "state")),
}


class Names:
    """Names by kind, each with a description. Has a connection of its own: the session's is for commands."""

    def __init__(self, client: Client) -> None:
        portal = client.session.portal
        self._client = Client(portal.url, portal.token)
        self._one_at_a_time = threading.Lock()
        self._found: dict[str, Found] = {}
        self._read_at: dict[str, float] = {}
        self._readers: dict[str, threading.Thread] = {}

    def of(self, kind: str) -> Found:
        """What is known by now; older knowledge is renewed behind it, the first is waited for a moment."""
        reader = self._readers.get(kind)
        if time.monotonic() - self._read_at.get(kind, -FRESH) >= FRESH and not (reader and reader.is_alive()):
            reader = self._readers[kind] = threading.Thread(target=self._read, args=(kind,), daemon=True)
            reader.start()
        if reader and kind not in self._found:
            reader.join(PATIENCE)
        return self._found.get(kind, [])

    def forget(self) -> None:
        """A command may have changed what is there."""
        self._read_at.clear()

    def _read(self, kind: str) -> None:
        read, about = READERS[kind]
        with self._one_at_a_time:
            try:
                rows = [row for row, _ in zip(read(self._client), range(MOST), strict=False)]
            except CloudmeshError:
                rows = []  # the next command says what is wrong
            self._found[kind] = [(row["name"], _describe(row, about)) for row in rows]
            self._read_at[kind] = time.monotonic()


def _describe(row: "Json", about: tuple[str, ...]) -> str:
    return "  ".join(str(row[key]) for key in about if row.get(key) not in (None, ""))
