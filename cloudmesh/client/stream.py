"""The live stream: woken by hints, resumed after a lost connection, never polling."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudmesh.client.session import Session
from cloudmesh.errors import Unreachable

if TYPE_CHECKING:
    from cloudmesh.types import Json

FINAL = frozenset({"succeeded", "failed", "cancelled", "rejected"})
SILENCE = 45.0  # seconds: three heartbeats missed
PAUSES = (0.2, 0.5, 1.0, 2.0, *[5.0] * 24)  # two minutes: a portal that restarts is back by then


class Message(NamedTuple):
    """One message of a text/event-stream."""

    event: str
    id: str
    data: "Json"

    def concerns(self, record: str) -> bool:
        """Whether `record` may have changed: it is named, or what happened meanwhile is unknown."""
        return self.event in ("ready", "reset") or record == self.data.get("id")


def follow(session: Session, operation: str) -> "Iterator[Json]":
    """The operation as it is, and each time that it changed, until it has ended."""
    seen: Json = {}

    def read(message: Message) -> "Json | None":
        return session.get(f"operations/{operation}/") if message.concerns(operation) else None

    for now in watch(session, read):
        if now != seen:
            yield now
        if now["state"] in FINAL:
            return
        seen = now


def watch(session: Session, read: "Callable[[Message], Any]") -> Iterator[Any]:
    """What `read` makes of each message, but None, endlessly.

    Raises Unreachable where the portal stays away for two minutes.
    """
    since, pauses = "", iter(PAUSES)
    while True:
        try:
            for message in messages(session.stream("/ws/stream", {"since": since}, SILENCE)):
                since, pauses = message.id or since, iter(PAUSES)
                if (made := read(message)) is not None:
                    yield made
        except Unreachable:
            pause = next(pauses, None)
            if pause is None:
                raise
            session.pause(pause)


def messages(lines: Iterator[bytes]) -> Iterator[Message]:
    """The messages of a text/event-stream; comments, which keep it alive, are no messages."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode(errors="replace").partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif not line and "data" in fields:
            yield Message(fields.get("event", "message"), fields.get("id", ""), json.loads(fields["data"]))
            fields = {}
