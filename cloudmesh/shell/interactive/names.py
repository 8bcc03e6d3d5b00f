"""Names of things that are there, for completion: fetched beside the conversation, kept for a moment."""

import itertools
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
CALLED = {  # nouns whose lists are not named after them
    "vm": "servers",
    "server": "servers",
    "policy": "policies",
    "secgroup": "security_groups",
    "security_group": "security_groups",
    "ip": "addresses",
    "address": "addresses",
}
CALLS = {"job": "provider_id", "experiment": "number"}  # what else than a name calls them
OWN = {"job": {"owner": "me"}}  # of what others have far more
ABOUT = (
    "name",
    "title",
    "command",
    "label",
    "state",
    "health",
    "server",
    "cloud",
    "cluster",
    "queue",
    "flavor",
    "cores",
    "ram",
    "comment",
)  # what helps to choose


class Names:
    """Names by kind, each with a description. Has a connection of its own: the session's is for commands."""

    def __init__(self, client: Client) -> None:
        self._sessions = client
        self._portal = client.session.portal
        self._client = Client(self._portal.url, self._portal.token)
        self._one_at_a_time = threading.Lock()
        self._found: dict[str, Found] = {}
        self._read_at: dict[str, float] = {}
        self._readers: dict[str, threading.Thread] = {}

    def of(self, kind: str) -> Found:
        """What is known by now; older knowledge is renewed behind it, the first is waited for a moment.

        Of a noun that the client can list: one completes as soon as it has that method.
        """
        if _lister(self._client, kind) is None:
            return []
        reader = self._readers.get(kind)
        if time.monotonic() - self._read_at.get(kind, -FRESH) >= FRESH and not (reader and reader.is_alive()):
            reader = self._readers[kind] = threading.Thread(target=self._read, args=(kind,), daemon=True)
            reader.start()
        if reader and kind not in self._found:
            reader.join(PATIENCE)
        return self._found.get(kind, [])

    def forget(self) -> None:
        """A command may have changed what is there, or which portal is talked to."""
        self._read_at.clear()
        try:
            portal = self._sessions.session.portal
        except CloudmeshError:
            return  # signed out; the next command says so
        if portal != self._portal:
            self._portal, self._client, self._found = portal, Client(portal.url, portal.token), {}

    def _read(self, kind: str) -> None:
        lister = _lister(self._client, kind)
        with self._one_at_a_time:
            try:
                rows = [*itertools.islice(lister(**OWN.get(kind, {})), MOST)] if lister else []
            except CloudmeshError:
                rows = []  # the next command says what is wrong
            called = CALLS.get(kind, "name")
            named = ((row.get(called) or row.get("address"), row) for row in rows)
            self._found[kind] = [(str(name), _describe(row, called)) for name, row in named if name]
            self._read_at[kind] = time.monotonic()


def _lister(client: Client, kind: str) -> "Callable[..., Iterator[Json]] | None":
    found = getattr(client, CALLED.get(kind, f"{kind}s"), None)
    return found if callable(found) else None


def _describe(row: "Json", called: str) -> str:
    return "  ".join(str(row[key]) for key in ABOUT if key != called and row.get(key) not in (None, ""))
