"""The process's one ear: a single Redis subscription, whose news it hands to its own sets of listeners.

The message on Redis is a doorbell that carries hints. What follows the last number is handed on directly; after a
gap, a lost connection or some seconds of silence the hub reads the table, so losing Redis loses nothing.
"""

import asyncio
import itertools
import logging
import random
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Protocol

import orjson
import redis.asyncio
from django.conf import settings
from django.db import Error as DatabaseError
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from activity import events
from activity.events import Hint
from clouds import services as clouds
from hpc import services as hpc
from portal.consumers.news import News
from portal.consumers.threads import Threads

LOOK = 5  # seconds between looks at the table; 1 without a doorbell
SHORTEST, LONGEST = 0.1, 2.0  # seconds before Redis is tried again
QUIET, ANSWER = 15.0, 5.0  # seconds of silence before Redis is asked whether it lives, and for its answer
WATCH = 20  # seconds between telling `clouds` who is watched
SLICE = 5000  # deliveries before the event loop serves others
MOST = 100  # hints before it does, far less than a listener's backlog
PREFIX = "project:"

log = logging.getLogger(__name__)


class Hearer(Protocol):
    """A connection, as the hub sees it; none of this waits."""

    owner: str  # the topic of the user behind it

    @property
    def topics(self) -> Collection[str]:
        """What it may hear and does."""

    def hear(self, news: News) -> None: ...

    def doubt(self) -> None:
        """Ask again what it may hear before it hears anything more."""

    def tick(self, now: float) -> None: ...

    def drop(self, reason: str) -> None:
        """End the connection; its client comes back and asks for what it missed."""


class Hub:
    def __init__(self) -> None:
        self._listeners: set[Hearer] = set()
        self._by_topic: defaultdict[str, set[Hearer]] = defaultdict(set)
        self._by_owner: defaultdict[str, set[Hearer]] = defaultdict(set)
        self._last = -1  # the newest number handed on; -1 before the first listener came
        self._order = asyncio.Lock()  # one at a time hands on, in order
        self._told = 0  # deliveries since the event loop last served others
        self._threads = Threads(1, "hub")
        self._running: asyncio.Task[None] | None = None
        self._is_deaf = True

    async def enter(self, listener: Hearer) -> None:
        """Have `listener` doubt what it may hear from now on, whenever its user is told something."""
        async with self._order:
            if self._last < 0:
                self._last = await self._threads.run(events.last)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
            self._running.add_done_callback(_report)
        self._listeners.add(listener)
        self._by_owner[listener.owner].add(listener)

    @property
    def last(self) -> int:
        """The number of the newest event handed on."""
        return self._last

    def follow(self, listener: Hearer, topics: Iterable[str]) -> None:
        for topic in topics:
            self._by_topic[topic].add(listener)

    def unfollow(self, listener: Hearer, topics: Iterable[str]) -> None:
        for topic in topics:
            _remove(self._by_topic, topic, listener)

    def leave(self, listener: Hearer, topics: Collection[str]) -> None:
        self.unfollow(listener, topics)
        self._listeners.discard(listener)
        _remove(self._by_owner, listener.owner, listener)

    async def _run(self) -> None:
        """Should any of it fail in a way not foreseen, all listeners come back, and the first starts it anew."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self._listen, self._look, self._tend, self._watch):
                    tasks.create_task(work())
        finally:
            self._last = -1
            self._drop_all("The portal lost its way and starts again.")

    # --- hearing ---------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Stay subscribed for ever."""
        pause = SHORTEST
        while True:
            try:
                async with _client() as client, client.pubsub() as bell:
                    await bell.subscribe(events.channel())
                    while True:
                        await self._attend(await _next(bell))
                        pause = SHORTEST
            except (redis.RedisError, OSError) as error:
                if not self._is_deaf or pause == SHORTEST:
                    log.warning("No doorbell, looking for events every second meanwhile: %s", error)
                self._is_deaf = True
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            pause = min(2 * pause, LONGEST)

    async def _attend(self, message: dict[str, Any]) -> None:
        if message["type"] == "message":
            await self._hear(orjson.loads(message["data"]))
        elif message["type"] == "subscribe":
            self._is_deaf = False
            await self._catch_up()

    async def _hear(self, hints: list[Hint]) -> None:
        """Hand on what comes next; after a gap, all that the table has."""
        async with self._order:
            follows = hints[0]["seq"] <= self._last + 1
            if follows:
                await self._tell(hint for hint in hints if hint["seq"] > self._last)
        if not follows:
            await self._catch_up()

    async def _look(self) -> None:
        """Number what a dead process left, and read what no doorbell told."""
        for second in itertools.count():
            if self._is_deaf or second % LOOK == 0:
                try:
                    await self._threads.run(events.announce)
                except DatabaseError as error:
                    log.warning("The database does not answer: %s", error)
                else:
                    await self._catch_up()
            await asyncio.sleep(1)

    async def _catch_up(self) -> None:
        async with self._order:
            try:
                if await self._threads.run(events.last) < self._last:
                    await self._forget()
                while hints := await self._threads.run(events.since, self._last):
                    await self._tell(hints)
            except DatabaseError as error:
                log.warning("The database does not answer, events come later: %s", error)

    async def _forget(self) -> None:
        """The database is another one than before: restored from a copy. Its numbers tell another story."""
        self._last = await self._threads.run(events.last)
        self._drop_all("The portal's database was restored.")

    # --- telling ---------------------------------------------------------------------------------------------------

    async def _tell(self, hints: Iterable[Hint]) -> None:
        for hint in hints:
            for listener in self._by_owner.get(hint["topic"], ()):
                listener.doubt()  # a membership, a role, a token: what is told to somebody may be about what they see
            room = self._room(hint["topic"])
            if room:
                news = News(hint)
                for listener in room:
                    listener.hear(news)
                self._told += max(len(room), SLICE // MOST)
            self._last = hint["seq"]
            if self._told >= SLICE:
                self._told = 0
                await asyncio.sleep(0)

    def _room(self, topic: str) -> Collection[Hearer]:
        """Who follows a topic, or all of its kind; who follows both is there once."""
        some, more = self._by_topic.get(topic), self._by_topic.get(events.crowd(topic))
        return some | more if some and more else some or more or ()

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(1)
            now = asyncio.get_running_loop().time()
            for listener in self._listeners:
                listener.tick(now)

    def _drop_all(self, reason: str) -> None:
        for listener in self._listeners:
            listener.drop(reason)

    async def _watch(self) -> None:
        """What somebody looks at is read from its cloud more often, at once when they begin to look."""
        threads, known = Threads(1, "watch"), frozenset[str]()
        for second in itertools.count():
            seen = frozenset(topic for listener in self._listeners for topic in listener.topics)
            fresh = seen if second % WATCH == 0 else seen - known
            projects = sorted(topic.removeprefix(PREFIX) for topic in fresh if topic.startswith(PREFIX))
            known = seen
            try:
                if projects:
                    await threads.run(clouds.watch, project_ids=projects)
                    await threads.run(hpc.watch, project_ids=projects)
            except (redis.RedisError, DatabaseError) as error:
                log.warning("Cannot tell which of %d projects are watched: %s", len(projects), error)
            await asyncio.sleep(1)


def _remove(sets: defaultdict[str, set[Hearer]], key: str, listener: Hearer) -> None:
    sets[key].discard(listener)
    if not sets[key]:
        del sets[key]


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        log.error("The hub failed; all come back, and the first starts it anew.", exc_info=task.exception())


def _client() -> redis.asyncio.Redis:
    """Without redis-py's own patience: it takes silence for an error after 5 s, and reconnects without a word."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, protocol=2, socket_timeout=None, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0)
    )


async def _next(bell: PubSub) -> dict[str, Any]:
    """The next message; raises TimeoutError when Redis is gone without having said so."""
    message = await bell.get_message(timeout=QUIET)
    if message is None:
        await bell.ping()
        message = await bell.get_message(timeout=ANSWER)
    if message is None:
        raise redis.TimeoutError(f"Redis did not answer for {ANSWER:g} s.")
    return dict(message)
