"""A running portal seen and stopped from elsewhere."""

import os
import signal
from collections.abc import Callable

from portal.standalone import processes
from portal.standalone.children import wait_until
from portal.standalone.identity import CannotRun
from portal.standalone.presence import Details, Presence, end_leftovers

NOTHING = "No portal runs here."
NOT_RUNNING = 3  # as LSB has it
STOPPING = 120.0  # seconds
WRITING = 5.0  # seconds from the lock to the details

Say = Callable[..., None]


def show(presence: Presence, *, say: Say) -> int:
    """What runs where; the exit code of `--status`."""
    if not presence.is_taken():
        say(f"{NOTHING} Start it with: make run")
        return NOT_RUNNING
    details = _details(presence)
    say(f"The portal is {details.state} at {details.url} (process {details.pid})")
    for name, where in details.where.items():
        pid, _ = details.children.get(name, (None, ""))
        say(f"  {name:<9} {f'process {pid}' if pid else 'not running':<16} {where}")
    return 0


def stop(presence: Presence, *, say: Say) -> int:
    """End it cleanly and wait; also what a killed one left behind. Raises CannotRun."""
    if presence.is_first:
        say(NOTHING)
        return 0
    if presence.take():
        details = presence.read()
        left = end_leftovers(details) if details else []
        presence.leave()
        say(NOTHING + (f" Ended what a killed one left: {', '.join(left)}" if left else ""))
        return 0
    details = _details(presence)
    os.kill(details.pid, signal.SIGTERM)
    if not wait_until(lambda: not presence.is_taken(), seconds=STOPPING):
        raise CannotRun(f"The portal (process {details.pid}) did not end in {STOPPING:.0f} s. See its logs in var/log.")
    say(f"Stopped the portal at {details.url}")
    return 0


def _details(presence: Presence) -> Details:
    """Of the one who holds the lock, once it has written them."""
    found: list[Details] = []

    def is_written() -> bool:
        details = presence.read()
        found[:] = [details] if details and processes.born(details.pid) == details.birth else []
        return bool(found)

    if not wait_until(is_written, seconds=WRITING):
        raise CannotRun("Something holds var/lock but is no portal that says who it is. Look with: fuser var/lock")
    return found[0]
