"""Reaching a back-end: its credential opened once, and a circuit breaker for each."""

import contextlib
import datetime
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from django.utils import timezone

from accounts import secrets
from activity import lifecycle
from cloudmesh.errors import Busy, Refused, Unreachable
from operations.models import Backend, Bearer, CredentialState, Health

TRIP = 3  # failures in a row that open the circuit
PAUSE = (5, 300)  # seconds the circuit stays open: first and longest
SLOW = 5.0  # seconds for one visit, after which a back-end is called slow

Driver = TypeVar("Driver")

_kept = threading.local()
_opened: dict[tuple[uuid.UUID, int], Mapping[str, str]] = {}


@contextlib.contextmanager
def visiting(backend: Backend, bearer: Bearer) -> Iterator[None]:
    """A block that asks a back-end with a credential of `bearer`; what it raises is remembered for the breaker.

    Raises Unreachable at once while the circuit is open, Refused when there is no working credential.
    """
    if backend.is_open_circuit:
        raise Unreachable(_down(backend))
    if not bearer.credential or bearer.state == CredentialState.REFUSED:
        raise Refused(f"The {backend.CALLED} {backend} has no credential that works. Give a new one.")
    began = time.monotonic()
    try:
        yield
    except Refused as error:
        if bearer.state == CredentialState.ACTIVE:
            lifecycle.transition(bearer, CredentialState.REFUSED, reason=error.message)
        raise
    except Busy as error:
        _failed(backend, error)
        raise
    else:
        _answered(backend, time.monotonic() - began)


def kept(bearer: Bearer, make: Callable[[], Driver], *, name: str = "") -> Driver:
    """This thread's driver for a credential, made once for each version of it, so that logins are reused.

    `name` tells apart those who share the credential.
    """
    drivers: dict[tuple[uuid.UUID, str], tuple[int, Any]] = _kept.__dict__.setdefault("drivers", {})
    version, driver = drivers.get((bearer.pk, name), (-1, None))
    if driver is None or version != bearer.credential_version:
        driver = make()
        drivers[bearer.pk, name] = (bearer.credential_version, driver)
    found: Driver = driver
    return found


def opened(bearer: Bearer) -> Mapping[str, str]:
    """The secrets of a credential, decrypted once in a process, which is noted."""
    key = (bearer.pk, bearer.credential_version)
    if key not in _opened:
        _opened[key] = secrets.unseal(secrets.ring(), bearer.credential, **bearer.place)
        lifecycle.note(
            kind="credential",
            verb="decrypted",
            topic=bearer.topic,
            object_id=bearer.pk,
            name=str(bearer),
            project_id=bearer.event_project,
        )
    return _opened[key]


def _answered(backend: Backend, seconds: float) -> None:
    health = Health.SLOW if seconds > SLOW else Health.OK
    if backend.failures or backend.health != health:
        reason = f"It took {seconds:.0f} s to answer." if health == Health.SLOW else ""
        lifecycle.change(backend, verb="health", health=health, health_reason=reason, failures=0, retry_at=None)


def _failed(backend: Backend, error: Busy) -> None:
    """Count a failure; from the third on the back-end is left alone for a while, longer each time."""
    failures, now = backend.failures + 1, timezone.now()
    if failures < TRIP:
        type(backend)._default_manager.filter(pk=backend.pk).update(failures=failures)
        backend.failures = failures
        return
    first, longest = PAUSE
    pause = datetime.timedelta(seconds=min(longest, first * 2 ** (failures - TRIP)))
    lifecycle.change(
        backend, verb="health", health=Health.DOWN, health_reason=error.message, failures=failures, retry_at=now + pause
    )


def _down(backend: Backend) -> str:
    read = backend.last_read()
    age = f"its data are {_minutes(timezone.now() - read)} old" if read else "it has not answered yet"
    wait = max(0, round((backend.retry_at - timezone.now()).total_seconds())) if backend.retry_at else 0
    return f"The {backend.CALLED} {backend} does not answer ({backend.health_reason}); {age}. Next try in {wait} s."


def _minutes(age: datetime.timedelta) -> str:
    seconds = round(age.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
