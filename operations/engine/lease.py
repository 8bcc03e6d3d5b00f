"""Leases of the wishes that this process has in hand: one thread renews them all.

When the process dies nobody renews, and another worker takes the wishes over when the lease has run out.
"""

import contextlib
import datetime
import logging
import threading
import uuid
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from operations.models import Operation

log = logging.getLogger(__name__)


class Heart:
    """Renews what is held, three times in the length of a lease; rests while nothing is."""

    def __init__(self) -> None:
        self.held: dict[uuid.UUID, uuid.UUID | None] = {}
        self.lock = threading.Lock()
        self.wake = threading.Event()
        self.thread: threading.Thread | None = None

    def hold(self, operation: Operation) -> None:
        with self.lock:
            self.held[operation.pk] = operation.claim
            if self.thread is None or not self.thread.is_alive():
                self.wake.clear()
                self.thread = threading.Thread(target=self._beat, name="leases", daemon=True)
                self.thread.start()

    def release(self, operation: Operation) -> None:
        with self.lock:
            self.held.pop(operation.pk, None)

    def _beat(self) -> None:
        pause = length().total_seconds() / 3
        try:
            while not self.wake.wait(pause):
                with self.lock:
                    held = dict(self.held)
                    if not held:
                        self.thread = None
                        return
                self._renew(held)
        finally:
            connection.close()

    def _renew(self, held: dict[uuid.UUID, uuid.UUID | None]) -> None:
        mine = Operation.objects.filter(pk__in=held, claim__in=held.values())
        try:
            mine.update(lease_until=timezone.now() + length())
        except DatabaseError as error:
            log.warning("Leases not renewed, trying again: %s", error)
            connection.close()


_heart = Heart()


def length() -> datetime.timedelta:
    """How long a worker may be silent before another takes its wishes over."""
    return datetime.timedelta(seconds=settings.OPERATION_LEASE)


@contextlib.contextmanager
def held(operation: Operation) -> Iterator[None]:
    """Keep the lease of a claimed operation while the block runs."""
    _heart.hold(operation)
    try:
        yield
    finally:
        _heart.release(operation)
