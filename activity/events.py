"""Writing events, numbering them in the order in which they became visible, and ringing for them.

A sequence column alone would skip: a row with a lower number may be committed later. Here a row is numbered
only after its commit, under one lock, so numbers are contiguous and in order of visibility. The message on
Redis is only a doorbell that carries the hints along; whoever misses one reads the table.
"""

import functools
import json
import logging
from collections.abc import Iterable
from typing import Any

import redis
from django.conf import settings
from django.db import connection, transaction

from activity.models import Event

CHANNEL = "cloudmesh:events"
LOCK = 0x636D_0001  # one numbering at a time in one database
HINT = ("seq", "topic", "kind", "object_id", "verb", "version")

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
        publish(hints)


def number() -> list[dict[str, Any]]:
    """Give the next numbers to all committed events that have none; answers their hints in order."""
    with transaction.atomic(), connection.cursor() as cursor:
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


def since(seq: int, *, limit: int = 1000) -> list[dict[str, Any]]:
    """The hints after `seq`, oldest first, at most `limit`."""
    rows = Event.objects.filter(seq__gt=seq).order_by("seq").values_list(*HINT)[:limit]
    return [_hint(row) for row in rows]


def last() -> int:
    """The number of the newest numbered event, 0 when there is none."""
    return Event.objects.exclude(seq=None).order_by("-seq").values_list("seq", flat=True).first() or 0


def publish(hints: list[dict[str, Any]]) -> None:
    try:
        doorbell().publish(CHANNEL, json.dumps(hints))
    except redis.RedisError as error:
        log.warning("No doorbell for %d events, readers will find them: %s", len(hints), error)


@functools.cache
def doorbell() -> redis.Redis:
    """The process's connection pool to Redis; short time-outs, since nobody may wait for a doorbell."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1)


def _hint(row: tuple[Any, ...]) -> dict[str, Any]:
    seq, topic, kind, object_id, verb, version = row
    return {"seq": seq, "topic": topic, "kind": kind, "id": str(object_id or ""), "verb": verb, "version": version}
