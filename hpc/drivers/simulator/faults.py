"""Faults that strike requests: kept in the world, so that every process meets them.

Before the work: away (no connection), timeout, busy, refused (the login), error (an answer that says so), slow (it is
answered, but late). After it: lost-answer (all is done, nobody hears of it).
"""

import dataclasses
import random
import time
from collections.abc import Iterator
from typing import Any

from cloudmesh.errors import Busy, DriverError, Refused, Rejected, Unreachable
from hpc.drivers.simulator.world import Desk

EFFECTS = ("away", "timeout", "busy", "refused", "error", "slow", "lost-answer")
OUTAGE = 0  # the id of the fault that keeps everything away
CHANCE = random.SystemRandom()
ANSWERS: dict[str, tuple[type[DriverError], str]] = {
    "away": (Unreachable, "The simulated scheduler is away: connection refused."),
    "timeout": (Busy, "The simulated scheduler did not answer in time."),
    "busy": (Busy, "The simulated scheduler is busy: too many requests. Try again."),
    "refused": (Refused, "The simulated scheduler does not accept this login now."),
    "error": (
        Rejected,
        "The simulated scheduler answered with an error: slurm_load_jobs: Unexpected message received.",
    ),
}


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault as it strikes one request."""

    effect: str = ""
    delay: float = 0.0
    text: str = ""

    def before(self, timeout: float) -> None:
        """What it does to a request before any work; `timeout` is the client's patience."""
        time.sleep(min(self.delay or (timeout if self.effect == "timeout" else 0.0), timeout))
        if self.effect in ANSWERS:
            error, words = ANSWERS[self.effect]
            raise error(self.text or words)

    def after(self, kind: str) -> None:
        if self.effect == "lost-answer":
            raise Busy(self.text or f"The connection broke before the answer to {kind} came.")


def inject(
    desk: Desk,
    kind: str,
    effect: str,
    *,
    times: int | None = None,
    fraction: float = 1.0,
    delay: float = 0.0,
    text: str = "",
) -> int:
    """Let `effect` strike requests of `kind` (a glob): all or the next `times`, each with a chance of `fraction`."""
    if effect not in EFFECTS:
        raise Rejected(f"There is no fault {effect!r}; there are {', '.join(EFFECTS)}.")
    if not 0 < fraction <= 1 or delay < 0 or (times is not None and times < 1):
        raise Rejected("A fault needs a fraction over 0 and up to 1, times of at least 1 and no negative delay.")
    made = desk.db.execute(
        "INSERT INTO fault (kind, effect, remaining, fraction, delay, text) VALUES (?, ?, ?, ?, ?, ?)",
        (kind, effect, times, fraction, delay, text),
    )
    return int(made.lastrowid or 0)


def draw(desk: Desk, kind: str) -> Fault:
    """The fault that strikes this request, if any; one that strikes `times` is used up by it."""
    rows = desk.rows("SELECT * FROM fault WHERE ? GLOB kind AND (remaining IS NULL OR remaining > 0) ORDER BY id", kind)
    for row in rows:
        if CHANCE.random() < row["fraction"]:
            desk.db.execute("UPDATE fault SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
            return Fault(row["effect"], row["delay"], row["text"])
    return Fault()


def clear(desk: Desk, fault: int | None = None) -> None:
    """Take away one fault, or all with an outage."""
    desk.db.execute("DELETE FROM fault WHERE ? IS NULL OR id = ?", (fault, fault))


def outage(desk: Desk, *, on: bool) -> None:
    clear(desk, OUTAGE)
    if on:
        desk.db.execute("INSERT INTO fault VALUES (?, '*', 'away', NULL, 1, 0, '')", (OUTAGE,))


def known(desk: Desk) -> Iterator[dict[str, Any]]:
    """The faults that may still strike."""
    yield from desk.rows("SELECT * FROM fault WHERE remaining IS NULL OR remaining > 0 ORDER BY id")
