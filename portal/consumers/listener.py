"""One connection: what it asked to hear, what it may hear, and what waits to be sent.

One task writes, so that all goes out in order: the answer to a wish, what was missed, what happens.
"""

import abc
import asyncio
import collections
import contextlib
import dataclasses
import logging
import math
from collections.abc import Collection, Iterable
from typing import Any

from channels.consumer import AsyncConsumer
from django.db import Error as DatabaseError

from activity import events
from activity.events import Hint
from portal.consumers import entry
from portal.consumers.hub import Hub
from portal.consumers.news import Message, News
from portal.consumers.threads import Threads

BACKLOG = 1000  # news that may wait; who reads more slowly is dropped and may come back for what it missed
DOUBT = 60.0  # seconds after which a connection is asked again whether it may hear all this
HEARTBEAT = 15.0  # seconds
TOPICS, LONGEST_TOPIC = 500, 64  # in one wish; characters
PARTING = 1.0  # seconds to say goodbye to somebody who may not be reading

#: Close codes of WebSockets. Of our own, 4000 less is the HTTP status that says the same.
AGAIN, BAD, SIGN_IN, FORBIDDEN, TOO_MUCH = 1013, 4400, 4401, 4403, 4429
AWAY = "The portal's database does not answer. Try again in a moment."
SLOW = "This connection was read too slowly. Come back with the last number you saw."
SIGNED_OUT = "You are not signed in, or not any more. Sign in, or use an API token that is valid."

log = logging.getLogger(__name__)
threads = Threads(4, "listener")


class Goodbye(Exception):
    """The portal ends the connection, with a close code and a sentence."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Wish:
    """To hear of `topics` from now on, and before that what was missed after number `since`."""

    topics: frozenset[str]
    since: int | None = None

    def __post_init__(self) -> None:
        """Raises Goodbye with what is wrong."""
        if any(len(topic) > LONGEST_TOPIC or not topic.isprintable() for topic in self.topics):
            raise Goodbye(BAD, "A topic is project:ID, user:ID or portal; projects and users stand for all.")
        if self.since is not None and (type(self.since) is not int or self.since < 0):
            raise Goodbye(BAD, "`since` is the number of the last event you saw: 0 or more.")

    @classmethod
    def of_client(cls, topics: Collection[str], since: Any) -> "Wish":
        """Raises Goodbye with what is wrong; whoever may hear more topics than this asks for all, or for `projects`."""
        if len(topics) > TOPICS:
            raise Goodbye(BAD, f"At most {TOPICS} topics at once.")
        return cls(frozenset(topics), since)


@dataclasses.dataclass(frozen=True)
class Answer:
    granted: frozenset[str]
    last: int
    missed: list[Hint] | None  # None: too much, or unknown


class Listener(AsyncConsumer, abc.ABC):
    """The half that all protocols share; the other is how each says it."""

    hears_all = False  # that its user may hear, also what they may hear later
    heartbeat: Message | None = None

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.owner = ""
        self.credential = entry.Credential()
        self._followed: set[str] = set()
        self._heard: dict[str, int] = {}  # topic that it may hear → the number up to which it was told when it came
        self._news: collections.deque[News] = collections.deque()
        self._wishes: collections.deque[Wish] = collections.deque()
        self._awake = asyncio.Event()
        self._doubts = False
        self._beats = False
        self._sure_at = self._wrote_at = math.inf
        self._dropped: Goodbye | None = None

    @abc.abstractmethod
    def told(self, news: News) -> Message: ...

    @abc.abstractmethod
    def ready(self, last: int, since: int | None) -> Message: ...

    @abc.abstractmethod
    def reset(self, last: int) -> Message: ...

    @abc.abstractmethod
    def refused(self, topic: str, reason: str) -> Message: ...

    @abc.abstractmethod
    async def part(self, goodbye: Goodbye) -> None:
        """Say goodbye and end the connection, if it has begun at all."""

    # --- coming and going ------------------------------------------------------------------------------------------

    async def __call__(self, scope: entry.Scope, receive: Any, send: Any) -> None:
        """Read and write side by side until either ends."""
        self._writing = asyncio.create_task(self._write())
        reading = asyncio.create_task(super().__call__(scope, receive, send))
        try:
            await asyncio.wait({reading, self._writing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.hub.leave(self, self._followed)
            reading.cancel()
            self._writing.cancel()
            ends = await asyncio.gather(reading, self._writing, return_exceptions=True)
        await self._end([self._dropped, *ends])

    async def _end(self, ends: Iterable[BaseException | None]) -> None:
        """Say why, unless it was the client who went; what was not foreseen is for the server's log."""
        for end in ends:
            if end is None or isinstance(end, OSError | asyncio.CancelledError):
                continue
            if isinstance(end, DatabaseError):
                log.warning("A connection ends, since the database does not answer: %s", end)
            goodbye = Goodbye(AGAIN, AWAY) if isinstance(end, DatabaseError) else end
            if not isinstance(goodbye, Goodbye):
                raise goodbye
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(PARTING):
                    await self.part(goodbye)
            return

    async def enter(self) -> None:
        """Come in. Raises Goodbye."""
        if not entry.is_from_here(self.scope):
            raise Goodbye(FORBIDDEN, "This page is not one of the portal's.")
        self.credential = entry.credential(self.scope)
        user = await threads.run(entry.user_of, self.credential)
        if user is None:
            raise Goodbye(SIGN_IN, SIGNED_OUT)
        self.owner = user.topic
        self._sure_at = self._wrote_at = asyncio.get_running_loop().time()
        await self.hub.enter(self)

    async def may_hear(self) -> frozenset[str]:
        """The topics it may hear at this moment. Raises Goodbye."""
        return await threads.run(_may_hear, self.credential)

    def wish(self, wish: Wish) -> None:
        self._wishes.append(wish)
        self._awake.set()

    # --- what the hub calls ----------------------------------------------------------------------------------------

    @property
    def topics(self) -> Collection[str]:
        return self._heard.keys()

    def hear(self, news: News) -> None:
        self._news.append(news)
        self._awake.set()
        if len(self._news) > BACKLOG:
            self.drop(SLOW)

    def doubt(self) -> None:
        self._doubts = True
        self._awake.set()

    def tick(self, now: float) -> None:
        if now - self._sure_at > DOUBT:
            self.doubt()
        if now - self._wrote_at > HEARTBEAT:
            self._beats = True
            self._awake.set()

    def drop(self, reason: str) -> None:
        self._dropped = Goodbye(AGAIN, reason)
        self._writing.cancel()

    async def send(self, message: Message) -> None:
        try:
            await self.base_send(message)
        except RuntimeError as error:  # so uvicorn calls a connection that it gave up itself
            raise ConnectionResetError from error

    # --- the task that writes --------------------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            while self._doubts:
                await self._check()
            while self._wishes:
                await self._follow(self._wishes.popleft())
            await self._tell()
            if self._beats and self.heartbeat:
                await self.send(self.heartbeat)
            self._beats = False
            self._wrote_at = asyncio.get_running_loop().time()

    async def _tell(self) -> None:
        while self._news and not self._doubts:
            news = self._news.popleft()
            if news.seq > min(self._heard.get(news.topic, math.inf), self._heard.get(news.crowd, math.inf)):
                await self.send(self.told(news))

    async def _follow(self, wish: Wish) -> None:
        """Follow first and read then: so nothing falls between what was missed and what happens from now on."""
        self._join(wish.topics)
        answer = await threads.run(_answer, self.credential, wish)
        await self._refuse(wish.topics - answer.granted)
        for topic in answer.granted:
            if wish.since is not None or topic not in self._heard:
                self._heard[topic] = answer.last
        await self.send(self.ready(answer.last, wish.since))
        if answer.missed is None:
            await self.send(self.reset(answer.last))
        for hint in answer.missed or ():
            if hint["topic"] in answer.granted or events.crowd(hint["topic"]) in answer.granted:
                await self.send(self.told(News(hint)))

    async def _check(self) -> None:
        """Ask again what may be heard: as often as something hints that it changed, and now and then."""
        self._doubts = False
        may_hear = await self.may_hear()
        self._sure_at = asyncio.get_running_loop().time()
        await self._refuse(self._heard.keys() - may_hear)
        gained = may_hear - self._heard.keys()
        if self.hears_all and gained:
            self._join(gained)
            self._heard |= dict.fromkeys(gained, -1)
            await self.send(self.reset(self.hub.last))

    def _join(self, topics: Iterable[str]) -> None:
        self._followed.update(topics)
        self.hub.follow(self, topics)

    async def _refuse(self, topics: Iterable[str]) -> None:
        """In the same words whether there is such a project or not."""
        lost = sorted(topics)
        self.hub.unfollow(self, lost)
        self._followed.difference_update(lost)
        for topic in lost:
            self._heard.pop(topic, None)
        for topic in lost:
            await self.send(self.refused(topic, f"There is no {topic}, or it is not yours to follow."))


def _answer(credential: entry.Credential, wish: Wish) -> Answer:
    """Read first and ask then: whoever may hear it afterwards might hear what was read."""
    last = events.last()
    missed = [] if wish.since is None else events.missed(wish.since, wish.topics, upto=last)
    return Answer(wish.topics & _may_hear(credential), last, missed)


def _may_hear(credential: entry.Credential) -> frozenset[str]:
    topics = entry.topics_of(credential)
    if topics is None:
        raise Goodbye(SIGN_IN, SIGNED_OUT)
    return topics
