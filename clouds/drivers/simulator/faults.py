"""Faults that strike requests: kept in the world, so that every process meets them.

Before the work: 500, 429, timeout, garbage, refused (the connection), slow (it is answered, but late).
After it: late-answer (all is done, it is told late), lost-answer (all is done, nobody hears of it).
In it: build-error (a server or volume that ends in ERROR).
"""

import dataclasses
import time
from collections.abc import Iterator

from cloudmesh.types import Json
from clouds.drivers.simulator.world import CHANCE, CloudError, Desk

EFFECTS = ("500", "429", "timeout", "garbage", "refused", "slow", "lost-answer", "late-answer", "build-error")
BUILDS = ("create_server", "create_volume")
OUTAGE = 0  # the id of the fault that refuses everything
NO_HOST = "No valid host was found. There are not enough hosts available."


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault as it strikes one request."""

    effect: str = ""
    delay: float = 0.0
    text: str = ""

    def before(self, kind: str, timeout: float) -> None:
        """Do what this fault does to a request before any work; `timeout` is the client's patience."""
        if self.effect != "late-answer":
            time.sleep(min(self.delay or (timeout if self.effect == "timeout" else 0), timeout))
        answers = {
            "500": (500, "The server has either erred or is incapable of performing the requested operation."),
            "429": (429, f"Too many requests: {kind} is limited. Retry after 1 second."),
            "timeout": (504, f"The request {kind} timed out."),
            "garbage": (502, "The answer is not JSON: '<html><h1>It works!</h1></html>'."),
            "refused": (0, "Connection refused."),
        }
        if self.effect in answers:
            status, words = answers[self.effect]
            raise CloudError(status, self.text or words)

    def after(self, kind: str, timeout: float) -> None:
        """Do what this fault does to a request whose work is done."""
        if self.effect == "late-answer":
            time.sleep(min(self.delay, timeout))
        if self.effect == "lost-answer":
            raise CloudError(504, f"The connection broke before the answer to {kind} came.")

    @property
    def is_failure(self) -> bool:
        return self.effect not in ("", "slow", "late-answer", "build-error")

    @property
    def build_error(self) -> str:
        return (self.text or NO_HOST) if self.effect == "build-error" else ""


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
        raise CloudError(400, f"There is no fault {effect!r}; there are {', '.join(EFFECTS)}.")
    if not 0 < fraction <= 1 or delay < 0 or (times is not None and times < 1):
        raise CloudError(400, "A fault needs a fraction over 0 and up to 1, times of at least 1 and no negative delay.")
    made = desk.db.execute(
        "INSERT INTO fault (kind, effect, remaining, fraction, delay, text) VALUES (?, ?, ?, ?, ?, ?)",
        (kind, effect, times, fraction, delay, text),
    )
    return int(made.lastrowid or 0)


def draw(desk: Desk, kind: str) -> Fault:
    """The fault that strikes this request, if any; one that strikes `times` is used up by it."""
    rows = desk.db.execute(
        "SELECT * FROM fault WHERE ? GLOB kind AND (remaining IS NULL OR remaining > 0) ORDER BY id", (kind,)
    )
    for row in rows.fetchall():
        if row["effect"] == "build-error" and kind not in BUILDS:
            continue
        if CHANCE.random() < row["fraction"]:
            desk.db.execute("UPDATE fault SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
            return Fault(row["effect"], row["delay"], row["text"])
    return Fault()


def clear(desk: Desk, fault: int | None = None) -> None:
    """Take away one fault, or all with an outage."""
    desk.db.execute("DELETE FROM fault WHERE ? IS NULL OR id = ?", (fault, fault))


def outage(desk: Desk, *, on: bool) -> None:
    """Refuse every connection, until it is over."""
    clear(desk, OUTAGE)
    if on:
        desk.db.execute("INSERT INTO fault VALUES (?, '*', 'refused', NULL, 1, 0, '')", (OUTAGE,))


def known(desk: Desk) -> Iterator[Json]:
    """The faults that may still strike."""
    yield from desk.db.execute("SELECT * FROM fault WHERE remaining IS NULL OR remaining > 0 ORDER BY id")
