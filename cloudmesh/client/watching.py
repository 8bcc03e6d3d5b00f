"""What happens, as it happens: events, operations and servers on the live stream."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import Asking
from cloudmesh.errors import CloudmeshError, NotFound

if TYPE_CHECKING:
    from cloudmesh.client.session import Session
    from cloudmesh.client.stream import Message
    from cloudmesh.types import Json

BATCH = 50  # ids in one address


class Watching(Asking):
    """The methods of `Client` that go on by themselves; a lost connection is taken up where it broke."""

    def watch(self, since: int | None = None, **filters: Any) -> "Iterator[Json]":
        """Events as they come, those after the number `since` first; by any of project, object."""
        from cloudmesh.client.stream import watch

        seen = next((event["seq"] for event in self._list("events/", {"page_size": 1})), 0) if since is None else since

        def news(message: "Message") -> "list[Json] | None":
            if message.event == "message" and message.data["seq"] <= seen:
                return None
            return list(self._list("events/", {"since": seen, "ordering": "seq", **filters}))

        for events in watch(self.session, news):
            for event in events:
                seen = event["seq"]
                yield event

    def follow(self, id: str) -> "Iterator[Json]":
        """The operation as it is and each time that it changes, until it has ended; see `cloudmesh.client.stream`."""
        from cloudmesh.client.stream import follow

        return follow(self.session, id)

    def watch_servers(self, **filters: Any) -> "Iterator[list[Json]]":
        """The servers that `servers` lists: as they are, and again whenever one of them may be another."""
        return watch_list(self.session, "server", lambda: list(self._list("servers/", filters)))

    def wait_for(
        self, servers: "Iterable[Json]", state: str = "active", timeout: float | None = None
    ) -> "Iterator[Json]":
        """Each server as it is and whenever it changes, until all are in `state`; one that is gone is deleted.

        Raises NotFound where one is deleted meanwhile, CloudmeshError where one fails or the time is over.
        """
        left = {server["id"]: server for server in servers}
        for server in self._changes(left, timeout) if left else ():
            if server["state"] == state:
                left.pop(server["id"], None)
            else:
                _require_hope(server)
                left[server["id"]] = server
            yield server
            if not left:
                return
        if left:
            names = ", ".join(f"{server['name']} ({server['state']})" for server in left.values())
            raise CloudmeshError(f"Not {state} after {timeout:g} seconds: {names}.", servers=[*left])

    def by_ids(self, servers: "Iterable[Json]") -> "Iterator[Json]":
        """The same servers as they are now; one that is gone as deleted."""
        known = {server["id"]: server for server in servers}
        for batch in _batches(list(known)):
            now = {server["id"]: server for server in self._list("servers/", {"id": ",".join(batch)})}
            for id in batch:
                yield now.get(id) or {**known[id], "state": "deleted", "operation": None}

    def _changes(self, known: "dict[str, Json]", timeout: float | None) -> "Iterator[Json]":
        """Those of `known`, which may shrink, as they are and whenever they changed; for `timeout` seconds."""
        import threading

        from cloudmesh.client.call import BrokenOff, Call
        from cloudmesh.client.stream import watch

        versions: dict[str, int] = {}

        def read(message: "Message") -> "list[Json] | None":
            id = message.data.get("id") or ""
            if (id and id not in known) or not _is_news(message, versions):
                return None
            return self._reread([known[id]] if id else list(known.values()), versions)

        call = Call(self.session)
        alarm = threading.Timer(timeout or 0, call.break_off)
        if timeout is not None:
            alarm.start()
        try:
            yield from self._reread(list(known.values()), versions)
            for changed in watch(call, read):
                yield from changed
        except BrokenOff:
            return
        finally:
            alarm.cancel()

    def _reread(self, servers: "list[Json]", versions: dict[str, int]) -> "list[Json]":
        """Those that changed since they were read, or were not read yet."""
        now = list(self.by_ids(servers))
        changed = [each for each in now if versions.get(each["id"]) != each["version"] or each["state"] == "deleted"]
        versions |= {server["id"]: server["version"] for server in now}
        return changed


def watch_list(session: "Session", kind: str, ask: "Callable[[], list[Json]]") -> "Iterator[list[Json]]":
    """What `ask` answers, and again whenever one record of that kind may be another."""
    from cloudmesh.client.stream import watch

    versions: dict[str, int] = {}

    def read(message: "Message") -> "list[Json] | None":
        if not _is_news(message, versions, kind):
            return None
        found = ask()
        if id := message.data.get("id"):
            versions[id] = message.data["version"] or 0  # though it may not be among them
        versions.update((record["id"], record["version"]) for record in found)
        return found

    return watch(session, read)


def _is_news(message: "Message", versions: dict[str, int], kind: str = "server") -> bool:
    """Whether records of that kind may be others than in the `versions` that were read."""
    if message.event != "message":
        return message.event in ("ready", "reset")
    if message.data["kind"] != kind:
        return False
    id: str = message.data["id"]
    return not id or (message.data["version"] or 0) > versions.get(id, -1)


def _require_hope(server: "Json") -> None:
    """Raises what stands against waiting any longer."""
    if server["state"] == "deleted":
        raise NotFound(f"{server['name']} was deleted.", server=server["id"])
    if server["state"] == "error":
        why = server["state_reason"] or "its cloud does not say why"
        raise CloudmeshError(f"{server['name']} is in error: {why}", server=server["id"])


def _batches(ids: list[str]) -> Iterator[list[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
