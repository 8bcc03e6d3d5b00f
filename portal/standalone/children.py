"""One child process: started through `launch`, its output in a log, ended by the signals it understands."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from portal.standalone.identity import Account

LAUNCH = Path(__file__).with_name("launch.py")
TICK = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """How a child is started and ended. `stop` asks, `abort` insists; after both comes SIGKILL."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cwd: Path = Path("/")
    account: Account | None = None
    stop: signal.Signals = signal.SIGTERM
    abort: signal.Signals = signal.SIGKILL
    patience: float = 20.0  # seconds for each signal before the next, harder one
    listening: tuple[int, ...] = ()  # file descriptors of sockets it takes over


class Child:
    """A started `Command`; it lives at most as long as the thread that started it."""

    def __init__(self, command: Command, log: Path) -> None:
        self.command = command
        self.log = log
        self.started = time.monotonic()
        self._is_asked = False
        self._process = self._spawn()

    def _spawn(self) -> subprocess.Popen[bytes]:
        owner = self.command.account
        prefix = (
            *(sys.executable, "-I", "-S", str(LAUNCH)),
            *(str(os.getpid()), str(int(self.command.stop)), f"{owner.uid}:{owner.gid}" if owner else "-"),
        )
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [*prefix, *self.command.argv],
                env=dict(self.command.env),
                cwd=self.command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=self.command.listening,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def end(self) -> str:
        """How it ended, in words."""
        code = self._process.poll()
        if code is None:
            return "still runs"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def wait(self, seconds: float | None = None) -> int:
        return self._process.wait(seconds)

    def ask_to_stop(self) -> None:
        """Once: to ask again means to insist for some programs."""
        if not self._is_asked:
            self._is_asked = True
            self._process.send_signal(self.command.stop)

    def stop(self) -> bool:
        """Ask, insist, kill; returns when it is gone, with whether asking was enough."""
        self.ask_to_stop()
        if self._ends():
            return True
        self._process.send_signal(self.command.abort)
        if not self._ends():
            self._process.kill()
            self._process.wait()
        return False

    def _ends(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.command.patience)
        return not self.is_alive

    def last_words(self, count: int = 5) -> str:
        """The end of its log, for an error message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def wait_until(ready: Callable[[], bool], *, seconds: float, every: float = TICK) -> bool:
    """Whether `ready` became true in time."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
