"""When readings are due, and whose they are: one at a time, sooner while somebody looks."""

import contextlib
import datetime
import random
import uuid
from collections.abc import Callable, Iterable
from typing import TypeVar

import kombu.exceptions
import redis
from celery import current_app
from django.core.cache import cache
from django.db import IntegrityError, connection
from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone

from cloudmesh.errors import Busy, DriverError
from operations.engine import lease
from operations.models import CredentialState, Reading

BUSY, FAILED, CROSSED = 5.0, 60.0, 2.0  # seconds after one that was busy, refused, or met an operation's writing
SOON = 2.0  # seconds until one is read that was hurried while it was being read
WATCHED = 45  # seconds a look is remembered
MOST = 200  # readings begun at once
COLUMNS = ["due_at", "running_until", "count", "seconds", "done_at", "full_at", "changed_at", "since"]

Read = TypeVar("Read", bound=Reading)


def due(readings: QuerySet[Read], *, backend: str) -> list[int]:
    """The ids of those that should begin now; `backend` is the field that leads to theirs."""
    now = timezone.now()
    usable = {f"{backend}__state": CredentialState.ACTIVE, f"{backend}__is_enabled": True}
    ready = readings.filter(due_at__lte=now, **usable).exclude(running_until__gt=now)
    free = ready.exclude(**{f"{backend}__retry_at__gt": now})
    return list(free.order_by("due_at").values_list("pk", flat=True)[:MOST])


def hurry(readings: QuerySet[Read]) -> None:
    """Read again at the next occasion; what is being read just now may be older than what is wanted."""
    now = timezone.now()
    readings.filter(Q(due_at__gt=now) | Q(running_until__gt=now)).update(due_at=now)


def ring(task: str, ids: Iterable[int]) -> None:
    """Begin readings without waiting for the next look at what is due."""
    with contextlib.suppress(kombu.exceptions.OperationalError, OSError):
        for pk in ids:
            current_app.send_task(task, args=[pk], expires=60)


def run(reading: Read, read: Callable[[Read], float]) -> None:
    """One reading that was claimed; `read` answers the seconds until the next."""
    pause = FAILED
    try:
        with lease.held(type(reading)._default_manager.filter(pk=reading.pk), "running_until"):
            pause = read(reading)
    except Busy:
        pause = BUSY
    except IntegrityError:  # an operation stored what was just being read
        pause = CROSSED
    except DriverError:
        pass
    finally:
        _release(reading, pause=pause)


def claim(readings: QuerySet[Read], pk: int) -> Read | None:
    """The reading, unless somebody else has it in hand or it is not due any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {readings.model._meta.db_table}
            SET running_until = statement_timestamp() + make_interval(secs => %s)
            WHERE id = %s AND due_at <= statement_timestamp()
              AND (running_until IS NULL OR running_until < statement_timestamp()) RETURNING id
            """,  # noqa: S608 - the model's own name
            [lease.length().total_seconds(), pk],
        )
        if cursor.fetchone() is None:
            return None
    return readings.get(pk=pk)


def watch(place: uuid.UUID | str) -> None:
    """Somebody looks at this place: remember it for a while."""
    with contextlib.suppress(redis.RedisError):
        cache.set(f"watched:{place}", True, WATCHED)


def is_watched(place: uuid.UUID | str) -> bool:
    """Whether somebody looks; without Redis that cannot be told."""
    with contextlib.suppress(redis.RedisError):
        return cache.get(f"watched:{place}") is not None
    return False


def _release(reading: Reading, *, pause: float) -> None:
    """Whoever hurried it meanwhile moved `due_at`: then the next reading comes soon."""
    now = timezone.now()
    soon = now + datetime.timedelta(seconds=min(pause, SOON))
    usual = now + datetime.timedelta(seconds=pause * random.uniform(0.9, 1.1))  # noqa: S311
    hurried = When(due_at__gt=reading.due_at, then=Value(soon))
    reading.due_at, reading.running_until = Case(hurried, default=Value(usual)), None
    reading.save(update_fields=COLUMNS)
