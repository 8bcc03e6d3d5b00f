"""Reaching a cloud: drivers by entry point, credentials opened once, and a circuit breaker for each account."""

import contextlib
import datetime
import functools
import importlib.metadata
import logging
import threading
import time
import uuid
from collections.abc import Iterator, Mapping

from django.conf import settings
from django.utils import timezone

from accounts import secrets
from activity import lifecycle
from cloudmesh.errors import Busy, Invalid, Refused, Unreachable
from cloudmesh.wire import public_only
from clouds.drivers import CloudDriver, Site
from clouds.models import AccountState, CloudAccount, Health

Driver = type[CloudDriver]

GROUP = "cloudmesh.clouds"
TRIP = 3  # failures in a row that open the circuit
PAUSE = (5, 300)  # seconds the circuit stays open: first and longest
SLOW = 5.0  # seconds for one visit, after which a cloud is called slow

log = logging.getLogger(__name__)

_drivers = threading.local()
_opened: dict[tuple[uuid.UUID, int], Mapping[str, str]] = {}


@functools.cache
def drivers() -> dict[str, Driver]:
    """The drivers that can be used, by name, from the entry points of this and other packages."""
    found = {}
    for name in _points():
        try:
            found[name] = driver_named(name)
        except ImportError as error:
            log.warning("The cloud driver %s is left out: %s", name, error)
    return found


@functools.cache
def driver_named(name: str) -> Driver:
    """One driver; only its own module is imported. Raises Invalid."""
    try:
        point = _points()[name]
    except KeyError:
        known = ", ".join(_points())
        raise Invalid(f"There is no cloud driver {name[:40]!r}; there are: {known}.", field="driver") from None
    driver: Driver = point.load()
    return driver


@functools.cache
def _points() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in sorted(importlib.metadata.entry_points(group=GROUP))}


@contextlib.contextmanager
def reaching(account: CloudAccount) -> Iterator[CloudDriver]:
    """The driver of an account; what the block raises is remembered for the circuit breaker.

    Raises Unreachable at once while the circuit is open, Refused when the account has no working credential.
    """
    if account.is_open_circuit:
        raise Unreachable(_down(account))
    if not account.credential or account.state == AccountState.REFUSED:
        raise Refused(f"The cloud {account} has no credential that works. Give a new one under Clouds.")
    began = time.monotonic()
    try:
        yield _driver(account)
    except Refused as error:
        _refused(account, error)
        raise
    except Busy as error:
        _failed(account, error)
        raise
    else:
        _answered(account, time.monotonic() - began)


def try_pending(account: CloudAccount, facts: Mapping[str, str]) -> str:
    """Log in with the credential that waits to be verified; answers as whom. Raises DriverError."""
    plain = secrets.unseal(secrets.ring(), account.pending, **place(account))
    return driver_named(account.cloud.driver)({**facts, **plain}, site(account)).check()


def place(account: CloudAccount) -> dict[str, str]:
    """What a sealed credential of this account is bound to."""
    return {"tenant": str(account.project_id), "record": f"cloud_account:{account.pk}"}


def site(account: CloudAccount) -> Site:
    return Site(
        state_dir=settings.STATE_DIR,
        guard=_anywhere if account.may_go_private else public_only,
        timeout=settings.PROVIDER_TIMEOUT,
    )


def _anywhere(address: str) -> None:
    """Administrators may register clouds on private addresses."""


def _driver(account: CloudAccount) -> CloudDriver:
    """This thread's driver for the account, kept as long as its credential, so that logins are reused."""
    kept: dict[uuid.UUID, tuple[int, CloudDriver]] = _drivers.__dict__.setdefault("kept", {})
    version, driver = kept.get(account.pk, (-1, None))
    if driver is None or version != account.credential_version:
        driver = driver_named(account.cloud.driver)({**account.facts, **_open(account)}, site(account))
        kept[account.pk] = (account.credential_version, driver)
    return driver


def _open(account: CloudAccount) -> Mapping[str, str]:
    """The account's secrets, decrypted once in a process, which is noted."""
    key = (account.pk, account.credential_version)
    if key not in _opened:
        plain = secrets.unseal(secrets.ring(), account.credential, **place(account))
        _opened[key] = plain
        lifecycle.note(
            kind="credential",
            verb="decrypted",
            topic=account.topic,
            object_id=account.pk,
            name=str(account),
            project_id=account.project_id,
        )
    return _opened[key]


def _answered(account: CloudAccount, seconds: float) -> None:
    health = Health.SLOW if seconds > SLOW else Health.OK
    if account.failures or account.health != health:
        reason = f"It took {seconds:.0f} s to answer." if health == Health.SLOW else ""
        lifecycle.change(account, verb="health", health=health, health_reason=reason, failures=0, retry_at=None)


def _failed(account: CloudAccount, error: Busy) -> None:
    """Count a failure; from the third on the account is left alone for a while, longer each time."""
    failures, now = account.failures + 1, timezone.now()
    if failures < TRIP:
        CloudAccount.objects.filter(pk=account.pk).update(failures=failures)
        account.failures = failures
        return
    first, longest = PAUSE
    pause = datetime.timedelta(seconds=min(longest, first * 2 ** (failures - TRIP)))
    lifecycle.change(
        account, verb="health", health=Health.DOWN, health_reason=error.message, failures=failures, retry_at=now + pause
    )


def _refused(account: CloudAccount, error: Refused) -> None:
    if account.state == AccountState.ACTIVE:
        lifecycle.transition(account, AccountState.REFUSED, reason=error.message)


def _down(account: CloudAccount) -> str:
    last = account.syncs.exclude(done_at=None).order_by("-done_at").values_list("done_at", flat=True).first()
    age = f"its data are {_minutes(timezone.now() - last)} old" if last else "it has not answered yet"
    wait = max(0, round((account.retry_at - timezone.now()).total_seconds())) if account.retry_at else 0
    return f"The cloud {account} does not answer ({account.health_reason}); {age}. Next try in {wait} s."


def _minutes(age: datetime.timedelta) -> str:
    seconds = round(age.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
