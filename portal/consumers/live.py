"""The news by WebSocket, for pages: JSON frames, one hint each.

The client says `{"subscribe": [topic, …], "since": number}`, as often as it likes; `since` is optional. It is answered
`{"ready": number}`, then with what it missed, then with what happens: `{"seq", "topic", "kind", "id", "verb",
"version"}`. `{"refused": topic, "reason": …}` tells what it may not hear, `{"reset": true}` that it must read
everything again.
"""

import asyncio
import collections
from typing import Any

import orjson
from channels.exceptions import StopConsumer

from portal.consumers.hub import Hub
from portal.consumers.listener import BAD, FORBIDDEN, TOO_MUCH, Goodbye, Listener, Wish
from portal.consumers.news import Message, News

LONGEST = 32_768  # characters in a message
MESSAGES, MINUTE = 30, 60.0
TEXT_ONLY, TOO_BIG = 1003, 1009  # close codes of RFC 6455
REASON = 123  # bytes, says the same RFC


class Live(Listener):
    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._times: collections.deque[float] = collections.deque(maxlen=MESSAGES)
        self._is_open = False

    async def websocket_connect(self, message: Message) -> None:
        await self.enter()
        await self._open()

    async def websocket_receive(self, message: Message) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._times) == MESSAGES and now - self._times[0] < MINUTE:
            raise Goodbye(TOO_MUCH, f"More than {MESSAGES} messages in a minute. Subscribe to many topics in one.")
        self._times.append(now)
        if message.get("text") is None:
            raise Goodbye(TEXT_ONLY, "Send JSON as text.")
        self.wish(_parse(message["text"]))

    async def websocket_disconnect(self, message: Message) -> None:
        raise StopConsumer

    async def part(self, goodbye: Goodbye) -> None:
        if not self._is_open and goodbye.code != FORBIDDEN:
            await self._open()  # a refused handshake has no code that a page can read
        reason = goodbye.reason.encode()[:REASON].decode(errors="ignore")
        await self.send({"type": "websocket.close", "code": goodbye.code, "reason": reason})

    async def _open(self) -> None:
        self._is_open = True
        await self.send({"type": "websocket.accept"})

    def told(self, news: News) -> Message:
        return news.frame

    def ready(self, last: int, since: int | None) -> Message:
        return _frame({"ready": last})

    def reset(self, last: int) -> Message:
        return _frame({"reset": True})

    def refused(self, topic: str, reason: str) -> Message:
        return _frame({"refused": topic, "reason": reason})


def _frame(content: dict[str, Any]) -> Message:
    return {"type": "websocket.send", "text": orjson.dumps(content).decode()}


def _parse(text: str) -> Wish:
    """Raises Goodbye with what is wrong."""
    if len(text) > LONGEST:
        raise Goodbye(TOO_BIG, f"A message has at most {LONGEST} characters.")
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Goodbye(BAD, f"This is no JSON: {error}") from error
    match content:
        case {"subscribe": [*topics]} if all(isinstance(topic, str) for topic in topics):
            return Wish.of_client(frozenset(topics), content.get("since"))
    raise Goodbye(BAD, 'Send {"subscribe": ["project:ID", …], "since": number}.')
