"""Live: what happened, on its way to browsers, `cm` and programs.

`hub` hears every event once for the whole process; a `listener` is one connection, by WebSocket (`live`) or as an
event stream (`stream`); `entry` knows who may come in and hear what. Design: docs/decisions/0001-gap-free-events.md.
"""

from collections.abc import Mapping
from typing import Any

from portal.consumers.hub import Hub
from portal.consumers.live import Live
from portal.consumers.stream import Stream


def routes() -> Mapping[tuple[str, str], Any]:
    """The ASGI applications under `/ws/`, by protocol and path; all hear from one hub."""
    hub = Hub()
    return {("websocket", "/ws/live"): Live.as_asgi(hub=hub), ("http", "/ws/stream"): Stream.as_asgi(hub=hub)}
