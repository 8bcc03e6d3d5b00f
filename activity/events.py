"""Writing events, numbering them in the order in which they became visible, and ringing for them.

A sequence column alone would skip: a row with a lower number may be committed later. Here a row is numbered
only after its commit, under one lock, so numbers are contiguous and in order of visibility. The message on
Redis is only a doorbell that carries the hints along; whoever misses one reads the table.
"""

import functools
import json
import logging
import time
from collections.abc import Collection, Iterable
from typing import Any

import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac
from redis.backoff import NoBackoff
from redis.retry import Retry

from activity.models import Event

Hint = dict[str, Any]

LOCK = 0x636D_0001  # one numbering at a time in one database
HINT = ("seq", "topic", "kind", "object_id", "verb", "version")
CROWDS = {"project": "projects", "user": "users"}  # kind of topic → the one that stands for all of them
PORTION = 500  # hints in one message
REPLAY = 5000  # hints; who missed more reads everything again
SILENCE = 0.5  # seconds without a doorbell after Redis did not answer, or twice as long as that took

log = logging.getLogger(__name__)


def write(events: Iterable[Event]) -> list[Event]:
    """Store events in the running transaction; they are numbered and published once it is committed."""
    stored = Event.objects.bulk_create(list(events), batch_size=1000)
    pending = any(callback is announce for _, callback, *_ in connection.run_on_commit)
    if stored and not pending:
        transaction.on_commit(announce, robust=True)
    return stored


def announce() -> None:
    """Number whatever is committed and not numbered, also what a dead process left, and publish it."""
    hints = number()
    if hints:
        doorbell().ring(hints)


def number() -> list[Hint]:
    """Give the next numbers to all committed events that have none; answers their hints in order.

    In a transaction of its own: the lock must not outlive it, and what it waited for must be visible to it.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(
            """
            WITH last AS (SELECT coalesce(max(seq), 0) AS seq FROM activity_event),
                 fresh AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM activity_event WHERE seq IS NULL)
            UPDATE activity_event AS event SET seq = last.seq + fresh.n FROM fresh, last WHERE event.id = fresh.id
            RETURNING event.seq, event.topic, event.kind, event.object_id, event.verb, event.version
            """
        )
        return sorted((_hint(row) for row in cursor.fetchall()), key=lambda hint: hint["seq"])


def since(seq: int, *, limit: int = 1000) -> list[Hint]:
    """The hints after `seq`, oldest first, at most `limit`."""
    rows = Event.objects.filter(seq__gt=seq).order_by("seq").values_list(*HINT)[:limit]
    return [_hint(row) for row in rows]


def crowd(topic: str) -> str:
    """The topic that stands for all of its kind: `projects` for `project:ID`; empty where there is none."""
    return CROWDS.get(topic.partition(":")[0], "")


def missed(seq: int, topics: Collection[str], *, upto: int) -> list[Hint] | None:
    """The hints on `topics` after `seq` up to `upto`, oldest first; None when they cannot be told.

    That is so when there are too many, when older events were deleted, and when `seq` is of another database. A topic
    may stand for all of its kind.
    """
    numbered = Event.objects.exclude(seq=None).order_by("seq")
    oldest = numbered.values_list("seq", flat=True).first() or 0
    if not oldest - 1 <= seq <= upto:
        return None
    wanted = Q(topic__in=topics)
    for kind in [kind for kind, many in CROWDS.items() if many in topics]:
        wanted |= Q(topic__startswith=f"{kind}:")
    rows = numbered.filter(wanted, seq__gt=seq, seq__lte=upto).values_list(*HINT)[: REPLAY + 1]
    hints = [_hint(row) for row in rows]
    return hints if len(hints) <= REPLAY else None


def last() -> int:
    """The number of the newest numbered event, 0 when there is none."""
    return Event.objects.exclude(seq=None).order_by("-seq").values_list("seq", flat=True).first() or 0


def channel() -> str:
    """Where this portal's doorbell rings: Redis may be shared with others, whose numbers mean something else."""
    return f"cloudmesh:events:{salted_hmac('activity.events', connection.settings_dict['NAME']).hexdigest()[:16]}"


class Doorbell:
    """Publishing on Redis. Nobody may wait for it: one that does not answer is left alone for a moment."""

    def __init__(self, url: str) -> None:
        # A connection that Redis closed long ago is opened again once, at once.
        retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        self._redis = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=retry)
        self._silent_until = 0.0

    def ring(self, hints: list[Hint]) -> None:
        began = time.monotonic()
        if began < self._silent_until:
            return
        try:
            for start in range(0, len(hints), PORTION):
                self._redis.publish(channel(), json.dumps(hints[start : start + PORTION]))
        except redis.RedisError as error:
            now = time.monotonic()
            self._silent_until = now + max(SILENCE, 2 * (now - began))
            log.warning("No doorbell for %d events, readers will find them: %s", len(hints), error)


@functools.cache
def doorbell() -> Doorbell:
    """The process's own."""
    return Doorbell(settings.REDIS_URL)


def _hint(row: tuple[Any, ...]) -> Hint:
    seq, topic, kind, object_id, verb, version = row
    return {"seq": seq, "topic": topic, "kind": kind, "id": str(object_id or ""), "verb": verb, "version": version}
