"""When each account is read: seconds apart while something changes or somebody looks, minutes at rest."""

import contextlib
import datetime
import random
import time
import uuid
from collections.abc import Mapping

import kombu.exceptions
import redis
from celery import current_app
from django.core.cache import cache
from django.db import IntegrityError, connection
from django.db.models import Case, Q, Value, When
from django.utils import timezone

from cloudmesh.errors import Busy, DriverError
from clouds.models import AccountState, CloudAccount, Sync
from clouds.sync import catalogue, connect, servers, volumes
from operations.engine import lease

#: Seconds between readings: while something changes, while somebody looks, and at rest.
SERVERS = (2, 4, 60)
SERVERS_IN_FULL = (5, 15, 120)  # where the cloud cannot tell what changed
VOLUMES = (3, 20, 300)
OTHERS: Mapping[str, float] = {
    Sync.Kind.IMAGES: 900,
    Sync.Kind.FLAVORS: 900,
    Sync.Kind.NETWORKS: 900,
    Sync.Kind.LIMITS: 300,
    Sync.Kind.FLOATING_IPS: 300,
    Sync.Kind.SECURITY_GROUPS: 300,
}
LIMITS_AFTER = 10  # seconds after a change
FULL_EVERY = datetime.timedelta(minutes=10)
OVERLAP = datetime.timedelta(seconds=30)  # clocks differ, and clouds are not consistent at once
BUSY, FAILED = 5.0, 60.0  # seconds after a cloud that was busy, and one that refused
WATCHED = 45  # seconds a look is remembered


def due() -> list[int]:
    """The ids of the readings that should begin now."""
    now = timezone.now()
    ready = Sync.objects.filter(due_at__lte=now, account__state=AccountState.ACTIVE, account__is_enabled=True)
    free = ready.exclude(running_until__gt=now).exclude(account__retry_at__gt=now)
    return list(free.order_by("due_at").values_list("pk", flat=True)[:200])


def hurry(account: CloudAccount, kind: str = Sync.Kind.SERVERS) -> None:
    """Read again at the next occasion; what is being read just now may be older than what is wanted."""
    now = timezone.now()
    waits = Q(due_at__gt=now) | Q(running_until__gt=now)
    Sync.objects.filter(waits, account=account, kind=kind).update(due_at=now)


def ring(account: CloudAccount) -> None:
    """Begin the due readings of an account without waiting for the next look at what is due."""
    with contextlib.suppress(kombu.exceptions.OperationalError, OSError):
        for sync_id in account.syncs.values_list("pk", flat=True):
            current_app.send_task("clouds.tasks.sync", args=[sync_id], expires=60)


def plan(account: CloudAccount) -> None:
    """Have every kind of an account read from now on, flavors first: servers refer to them."""
    Sync.objects.bulk_create([Sync(account=account, kind=kind) for kind in Sync.Kind.values], ignore_conflicts=True)
    Sync.objects.filter(account=account).update(due_at=timezone.now())


def watch(project_id: uuid.UUID | str) -> None:
    """Somebody looks at a project's servers: read its clouds more often for a while."""
    if not _is_watched(project_id):
        soon = timezone.now() + datetime.timedelta(seconds=SERVERS[1])
        kinds = (Sync.Kind.SERVERS, Sync.Kind.VOLUMES)
        Sync.objects.filter(account__project_id=project_id, kind__in=kinds, due_at__gt=soon).update(
            due_at=timezone.now()
        )
    with contextlib.suppress(redis.RedisError):
        cache.set(f"watched:{project_id}", True, WATCHED)


def run(sync_id: int) -> None:
    """One reading, unless somebody else has it in hand or it is not due any more."""
    sync = _claim(sync_id)
    if sync is None:
        return
    pause = FAILED
    try:
        with lease.held(Sync.objects.filter(pk=sync.pk), "running_until"):
            pause = _read_once(sync)
    except Busy:
        pause = BUSY
    except IntegrityError:  # an operation stored what was just being read
        pause = float(SERVERS[0])
    except DriverError:
        pass
    finally:
        _release(sync, pause=pause)


def _read_once(sync: Sync) -> float:
    """Read and note what was found; answers the seconds until the next time."""
    began, clock = timezone.now(), time.monotonic()
    count, changed, full = _read(sync, began)
    sync.count, sync.seconds, sync.done_at = count, time.monotonic() - clock, timezone.now()
    if full:
        sync.full_at = began
    if changed:
        sync.changed_at = sync.done_at
        _hasten_limits(sync)
    sync.since = began - OVERLAP
    return _interval(sync, changed)


def _read(sync: Sync, began: datetime.datetime) -> tuple[int, int, bool]:
    """How many things were seen, how many had changed, and whether everything was read."""
    with connect.reaching(sync.account) as driver:
        if sync.kind == Sync.Kind.VOLUMES:
            return *volumes.read(sync.account, driver, began), True
        if sync.kind != Sync.Kind.SERVERS:
            return *catalogue.read(sync.account, driver, sync.kind, began), True
        full = not driver.abilities["changes"] or sync.full_at is None or began - sync.full_at > FULL_EVERY
        seen = list(driver.servers(None if full else sync.since))
    if not seen and not full:
        return sync.count, 0, False
    tally = servers.merge(sync.account, seen, full=full, began=began)
    return (tally.seen if full else sync.count), tally.changed, full


def _hasten_limits(sync: Sync) -> None:
    """What is used changes with what is there: have the limits read again, once all that goes on has settled a bit."""
    if sync.kind in (Sync.Kind.SERVERS, Sync.Kind.VOLUMES):
        soon = timezone.now() + datetime.timedelta(seconds=LIMITS_AFTER)
        limits = Sync.objects.filter(account=sync.account_id, kind=Sync.Kind.LIMITS)
        limits.filter(due_at__gt=soon).update(due_at=soon)


def _claim(sync_id: int) -> Sync | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE clouds_sync SET running_until = statement_timestamp() + make_interval(secs => %s)
            WHERE id = %s AND due_at <= statement_timestamp()
              AND (running_until IS NULL OR running_until < statement_timestamp()) RETURNING id
            """,
            [lease.length().total_seconds(), sync_id],
        )
        if cursor.fetchone() is None:
            return None
    return Sync.objects.select_related("account__cloud").get(pk=sync_id)


def _release(sync: Sync, *, pause: float) -> None:
    """Whoever hurried it meanwhile moved `due_at`: then the next reading comes soon."""
    now = timezone.now()
    soon = now + datetime.timedelta(seconds=min(pause, SERVERS[0]))
    usual = now + datetime.timedelta(seconds=pause * random.uniform(0.9, 1.1))  # noqa: S311
    hurried = When(due_at__gt=sync.due_at, then=Value(soon))
    sync.due_at, sync.running_until = Case(hurried, default=Value(usual)), None
    sync.save(
        update_fields=["due_at", "running_until", "count", "seconds", "done_at", "full_at", "changed_at", "since"]
    )


def _interval(sync: Sync, changed: int) -> float:
    if sync.kind not in (Sync.Kind.SERVERS, Sync.Kind.VOLUMES):
        return OTHERS[sync.kind]
    moving, watched, rest = _pace(sync)
    reading = volumes if sync.kind == Sync.Kind.VOLUMES else servers
    if changed or reading.unsettled(sync.account):
        return moving
    return watched if _is_watched(sync.account.project_id) else rest


def _pace(sync: Sync) -> tuple[int, int, int]:
    if sync.kind == Sync.Kind.VOLUMES:
        return VOLUMES
    can_tell = connect.driver_named(sync.account.cloud.driver).abilities["changes"]
    return SERVERS if can_tell else SERVERS_IN_FULL


def _is_watched(project_id: uuid.UUID | str) -> bool:
    """Whether somebody looks; without Redis that cannot be told."""
    with contextlib.suppress(redis.RedisError):
        return cache.get(f"watched:{project_id}") is not None
    return False
