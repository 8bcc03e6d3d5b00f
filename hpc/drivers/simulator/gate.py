"""The door of a world: every request passes here, is written down, meets its fault, and shows who it is."""

import contextlib
import dataclasses
from collections.abc import Iterator

from cloudmesh.errors import DriverError, Refused
from hpc.drivers.simulator import faults, schedule
from hpc.drivers.simulator.world import Desk, World, matches

KEPT = 100_000  # requests that a world remembers


class Gate:
    """One person at a world, with a password that is checked once for each time it was set."""

    def __init__(self, world: World, login: str, password: str, *, timeout: float) -> None:
        self._world, self._login, self._password, self._timeout = world, login, password, timeout
        self._proven = ""  # the stored secret that this password was found to match

    @contextlib.contextmanager
    def request(self, kind: str, *, token: str = "") -> Iterator[Desk]:
        """One request; its work and the note that it is done are one commit."""
        with self._world.work() as desk:
            number, fault = _arrive(desk, kind, self._login, token)
        try:
            fault.before(self._timeout)
            with self._world.work() as desk:
                self._enter(desk)
                schedule.settle(desk)
                yield dataclasses.replace(desk, login=self._login)
                _note(desk, number, fault.effect or "ok")
            fault.after(kind)
        except DriverError as error:
            with self._world.work() as desk:
                _note(desk, number, fault.effect or type(error).__name__)
            raise

    def _enter(self, desk: Desk) -> None:
        """A password that was changed since the last request counts no more."""
        secret = desk.value("SELECT secret FROM person WHERE login = ?", self._login)
        if secret is None or (secret != self._proven and not matches(secret, self._password)):
            raise Refused(f"The user name or password for {desk.world} is not accepted: sign in as one of its persons.")
        self._proven = secret


def _arrive(desk: Desk, kind: str, login: str, token: str) -> tuple[int, faults.Fault]:
    made = desk.db.execute(
        "INSERT INTO request (at, kind, login, token, outcome) VALUES (?, ?, ?, ?, 'begun')",
        (desk.now, kind, login, token),
    )
    number = int(made.lastrowid or 0)
    desk.db.execute("DELETE FROM request WHERE id <= ?", (number - KEPT,))
    return number, faults.draw(desk, kind)


def _note(desk: Desk, number: int, outcome: str) -> None:
    desk.db.execute("UPDATE request SET outcome = ? WHERE id = ?", (outcome, number))
