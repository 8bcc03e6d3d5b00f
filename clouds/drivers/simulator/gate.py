"""The door of a world: every request passes here, is written down, meets its fault, and shows who it is."""

import contextlib
import time
from collections.abc import Iterator

from clouds.drivers.simulator import faults
from clouds.drivers.simulator.world import CloudError, Desk, Row, World, matches

KEPT = 100_000  # requests that a world remembers


class Gate:
    """One client of a world, with its username and password; logs in once."""

    def __init__(self, world: World, username: str, password: str, *, timeout: float) -> None:
        self._world, self._username, self._password, self._timeout = world, username, password, timeout
        self._proven = ""  # the stored secret that this password was found to match

    @contextlib.contextmanager
    def request(self, kind: str, *, server: str = "", token: str = "") -> Iterator[tuple[Desk, faults.Fault]]:
        """One request of `kind`; its work and the note that it is done are one commit."""
        request_id, fault, latency = self._arrive(kind, server, token)
        time.sleep(min(latency, self._timeout))
        try:
            fault.before(kind, self._timeout)
            with self._world.work() as desk:
                yield Desk(desk.world, desk.db, desk.now, self._login(desk)), fault
                _note(desk, request_id, fault.effect or "ok")
            fault.after(kind, self._timeout)
        except CloudError as error:
            with self._world.work() as desk:
                _note(desk, request_id, fault.effect if fault.is_failure else str(error.status))
            raise

    def _arrive(self, kind: str, server: str, token: str) -> tuple[int, faults.Fault, float]:
        with self._world.work() as desk:
            made = desk.db.execute(
                "INSERT INTO request (at, kind, username, server, token, outcome) VALUES (?, ?, ?, ?, ?, 'begun')",
                (desk.now, kind, self._username, server, token),
            )
            request_id = int(made.lastrowid or 0)
            desk.db.execute("DELETE FROM request WHERE id <= ?", (request_id - KEPT,))
            return request_id, faults.draw(desk, kind), desk.latency("request")

    def _login(self, desk: Desk) -> str:
        """The project of the account; a password that was changed since the last request counts no more."""
        account = desk.db.execute("SELECT * FROM account WHERE username = ?", (self._username,)).fetchone()
        if account is None or not self._is_proven(account):
            raise CloudError(
                401, f"The username or password for {desk.world} is not accepted: sign in as one of its accounts."
            )
        return str(account["project"])

    def _is_proven(self, account: Row) -> bool:
        if account["secret"] != self._proven and matches(account["secret"], self._password):
            self._proven = account["secret"]
        return bool(account["secret"] == self._proven)


def _note(desk: Desk, request_id: int, outcome: str) -> None:
    desk.db.execute("UPDATE request SET outcome = ? WHERE id = ?", (outcome, request_id))
