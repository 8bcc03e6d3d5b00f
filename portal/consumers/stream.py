"""The news as an event stream (`text/event-stream`), for `cm` and programs.

`GET /ws/stream?topics=project:ID,user:ID&since=NUMBER`; without topics all that one may hear. A client that comes
back gives the last `id` as `since` or, as browsers do, in `Last-Event-ID`.
"""

import urllib.parse
from typing import Any

import orjson
from channels.exceptions import StopConsumer

from portal.consumers import entry
from portal.consumers.listener import AGAIN, FORBIDDEN, Goodbye, Listener, Wish
from portal.consumers.news import Message, News

METHOD = 4405
PROBLEMS = {
    400: ("invalid", "Invalid input"),
    401: ("not-authenticated", "Not signed in"),
    403: ("not-allowed", "Not allowed"),
    405: ("method-not-allowed", "Method not allowed"),
    503: ("unavailable", "Not available"),
}
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx passes it on at once
]


class Stream(Listener):
    heartbeat = {"type": "http.response.body", "body": b": hi\n\n", "more_body": True}
    _is_open = False

    async def http_request(self, message: Message) -> None:
        if self._is_open:
            return  # more of a body that nobody asked for
        if self.scope["method"] != "GET":
            raise Goodbye(METHOD, "Use GET.")
        wish = _parse(self.scope)
        await self.enter()
        may_hear = await self.may_hear()
        if wish.topics and not wish.topics & may_hear:
            raise Goodbye(FORBIDDEN, "There is nothing by these names, or nothing that is yours to follow.")
        self._is_open = True
        self.hears_all = not wish.topics
        await self.send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        self.wish(wish if wish.topics else Wish(may_hear, wish.since))

    async def http_disconnect(self, message: Message) -> None:
        raise StopConsumer

    async def part(self, goodbye: Goodbye) -> None:
        if self._is_open:
            await self.send({"type": "http.response.body"})
            return
        status = 503 if goodbye.code == AGAIN else goodbye.code - 4000
        kind, title = PROBLEMS[status]
        body = {"type": f"/docs/errors/{kind}", "title": title, "status": status, "detail": goodbye.reason}
        headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
        if status == 401:
            headers.append((b"www-authenticate", b'Bearer realm="cloudmesh"'))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": orjson.dumps(body)})

    def told(self, news: News) -> Message:
        return news.chunk

    def ready(self, last: int, since: int | None) -> Message:
        """Its id must not pass what is still to come: a client that is cut off here comes back with it."""
        return _event("ready", {"seq": last}, seq=last if since is None else since)

    def reset(self, last: int) -> Message:
        return _event("reset", {"seq": last}, seq=last)

    def refused(self, topic: str, reason: str) -> Message:
        return _event("refused", {"refused": topic, "reason": reason})


def _event(name: str, content: dict[str, Any], seq: int | None = None) -> Message:
    identity = b"" if seq is None else b"id: %d\n" % seq
    body = b"%bevent: %b\ndata: %b\n\n" % (identity, name.encode(), orjson.dumps(content))
    return {"type": "http.response.body", "body": body, "more_body": True}


def _parse(scope: entry.Scope) -> Wish:
    """Raises Goodbye with what is wrong."""
    query = urllib.parse.parse_qs(scope["query_string"].decode("latin-1"))
    topics = frozenset(topic for some in query.get("topics", []) for topic in some.split(",") if topic)
    since = entry.header(scope, "last-event-id") or query.get("since", [""])[-1]
    is_number = since.isascii() and since.isdigit() and len(since) < 20
    return Wish.of_client(topics, int(since) if is_number else -1 if since else None)
