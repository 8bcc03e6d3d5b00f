"""One hint on its way to many: encoded once, whoever hears it."""

import functools
from typing import Any

import orjson

from activity import events

Message = dict[str, Any]  # of ASGI


class News:
    def __init__(self, hint: dict[str, Any]) -> None:
        self.seq: int = hint["seq"]
        self.topic: str = hint["topic"]
        self.crowd = events.crowd(self.topic)
        self._text = orjson.dumps(hint)

    @functools.cached_property
    def frame(self) -> Message:
        """For a WebSocket."""
        return {"type": "websocket.send", "text": self._text.decode()}

    @functools.cached_property
    def chunk(self) -> Message:
        """For an event stream."""
        return {
            "type": "http.response.body",
            "body": b"id: %d\ndata: %b\n\n" % (self.seq, self._text),
            "more_body": True,
        }
