"""When each account is read: seconds apart while something changes or somebody looks, minutes at rest."""

import datetime
import time
import uuid
from collections.abc import Mapping

from django.utils import timezone

from clouds.models import CloudAccount, Sync
from clouds.sync import catalogue, connect, servers, volumes
from operations.engine import pace

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


def due() -> list[int]:
    """The ids of the readings that should begin now."""
    return pace.due(Sync.objects.all(), backend="account")


def hurry(account: CloudAccount, kind: str = Sync.Kind.SERVERS) -> None:
    """Read again at the next occasion; what is being read just now may be older than what is wanted."""
    pace.hurry(Sync.objects.filter(account=account, kind=kind))


def ring(account: CloudAccount) -> None:
    """Begin the due readings of an account without waiting for the next look at what is due."""
    pace.ring("clouds.tasks.sync", account.syncs.values_list("pk", flat=True))


def plan(account: CloudAccount) -> None:
    """Have every kind of an account read from now on, flavors first: servers refer to them."""
    Sync.objects.bulk_create([Sync(account=account, kind=kind) for kind in Sync.Kind.values], ignore_conflicts=True)
    Sync.objects.filter(account=account).update(due_at=timezone.now())


def watch(project_id: uuid.UUID | str) -> None:
    """Somebody looks at a project's servers: read its clouds more often for a while."""
    if not pace.is_watched(project_id):
        soon = timezone.now() + datetime.timedelta(seconds=SERVERS[1])
        kinds = (Sync.Kind.SERVERS, Sync.Kind.VOLUMES)
        Sync.objects.filter(account__project_id=project_id, kind__in=kinds, due_at__gt=soon).update(
            due_at=timezone.now()
        )
    pace.watch(project_id)


def run(sync_id: int) -> None:
    """One reading, unless somebody else has it in hand or it is not due any more."""
    sync = pace.claim(Sync.objects.select_related("account__cloud"), sync_id)
    if sync is not None:
        pace.run(sync, _read_once)


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


def _interval(sync: Sync, changed: int) -> float:
    if sync.kind not in (Sync.Kind.SERVERS, Sync.Kind.VOLUMES):
        return OTHERS[sync.kind]
    moving, watched, rest = _pace(sync)
    reading = volumes if sync.kind == Sync.Kind.VOLUMES else servers
    if changed or reading.unsettled(sync.account):
        return moving
    return watched if pace.is_watched(sync.account.project_id) else rest


def _pace(sync: Sync) -> tuple[int, int, int]:
    if sync.kind == Sync.Kind.VOLUMES:
        return VOLUMES
    can_tell = connect.drivers.named(sync.account.cloud.driver).abilities["changes"]
    return SERVERS if can_tell else SERVERS_IN_FULL
