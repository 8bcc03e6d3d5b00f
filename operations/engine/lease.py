"""Leases on what this process has in hand: one thread renews them all.

When the process dies nobody renews, and another takes the work over when the lease has run out. Time is the
database's: clocks of several machines differ.
"""

import contextlib
import dataclasses
import datetime
import logging
import threading
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False)
class Lease:
    """`rows` has one row while it is ours; `field` says until when, and is empty once we are done with it."""

    rows: QuerySet[Any]
    field: str

    def renew(self) -> None:
        self.rows.filter(**{f"{self.field}__isnull": False}).update(**{self.field: Now() + length()})


class Heart:
    """Renews what is held, three times in the length of a lease; rests while nothing is."""

    def __init__(self) -> None:
        self._held: set[Lease] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, lease: Lease) -> None:
        with self._lock:
            self._held.add(lease)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat, name="leases", daemon=True)
                self._thread.start()

    def release(self, lease: Lease) -> None:
        with self._lock:
            self._held.remove(lease)

    def _beat(self) -> None:
        pause = length().total_seconds() / 3
        try:
            while not self._wake.wait(pause):
                with self._lock:
                    held = list(self._held)
                    if not held:
                        self._thread = None
                        return
                self._renew(held)
        finally:
            connection.close()

    def _renew(self, held: list[Lease]) -> None:
        try:
            for lease in held:
                lease.renew()
        except DatabaseError as error:
            log.warning("Leases not renewed, trying again: %s", error)
            connection.close()


_heart = Heart()


def length() -> datetime.timedelta:
    """How long a worker may be silent before another takes its work over."""
    return datetime.timedelta(seconds=settings.OPERATION_LEASE)


@contextlib.contextmanager
def held(rows: QuerySet[Any], field: str) -> Iterator[None]:
    """Keep the lease of a claimed row while the block runs."""
    lease = Lease(rows, field)
    _heart.hold(lease)
    try:
        yield
    finally:
        _heart.release(lease)
