"""The children of one supervisor, by name: started, watched, started again when they die, stopped."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from portal.standalone import logs, processes
from portal.standalone.children import Child, Command

SHORTEST, LONGEST = 0.5, 30.0  # seconds before a child is started again; doubled each time it dies young
YOUNG = 60.0  # seconds
HOPELESS = 3  # deaths
LOOK_AT_LOGS = 60.0  # seconds


@dataclasses.dataclass
class Member:
    command: Command
    log: Path
    child: Child
    deaths: int = 0  # one soon after the other
    due: float | None = None  # when to start it again; None while it runs


class Crew:
    def __init__(self, log: Path, *, say: Callable[[str], None], changed: Callable[[], None] = lambda: None) -> None:
        self._log = log
        self._say = say
        self._changed = changed
        self._members: dict[str, Member] = {}
        self._rotated = time.monotonic()

    def start(self, command: Command) -> Child:
        log = self._log / f"{command.name}.log"
        logs.rotate(log)
        child = Child(command, log)
        self._members[command.name] = Member(command, log, child)
        self._changed()
        return child

    def pids(self) -> dict[str, tuple[int, str]]:
        """Each live child with its birth."""
        found = {name: (member.child.pid, processes.born(member.child.pid)) for name, member in self._members.items()}
        return {name: (pid, birth) for name, (pid, birth) in found.items() if birth}

    def is_alive(self, name: str) -> bool:
        return self._members[name].child.is_alive

    def has_failed(self, name: str) -> bool:
        """Whether it dies again and again."""
        return self._members[name].deaths >= HOPELESS

    def tend(self) -> None:
        """Start again who died and waited long enough; to be called many times a second."""
        now = time.monotonic()
        for name, member in self._members.items():
            if member.due is None and not member.child.is_alive:
                self._mourn(name, member, now)
            elif member.due is not None and now >= member.due:
                self._revive(name, member)
        if now - self._rotated > LOOK_AT_LOGS:
            self._rotated = now
            for member in self._members.values():
                with contextlib.suppress(OSError):
                    logs.rotate(member.log)

    def _revive(self, name: str, member: Member) -> None:
        member.due = None
        try:
            member.child = Child(member.command, member.log)
        except OSError as error:  # no memory, no process numbers: the dead one is mourned again, for longer
            self._say(f"{name} cannot be started: {error.strerror}")
        self._changed()

    def _mourn(self, name: str, member: Member, now: float) -> None:
        lived = now - member.child.started
        member.deaths = 1 if lived > YOUNG else member.deaths + 1
        pause = min(SHORTEST * 2 ** (member.deaths - 1), LONGEST)
        member.due = now + pause
        self._say(f"{name} {member.child.end}; starting it again in {pause:g} s (log: {member.log})")
        self._changed()

    def stop(self, names: Iterable[str]) -> None:
        """Ask all of `names` at once, then wait for each."""
        leaving = [self._members.pop(name) for name in names if name in self._members]
        for member in leaving:
            member.child.ask_to_stop()
        for member in leaving:
            if not member.child.stop():
                self._say(f"{member.command.name} did not stop when asked; it {member.child.end}")
        self._changed()
