"""The `cm` command as a process of its own, with pipes or on a terminal of a chosen width."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

SILENCE = 60.0  # seconds
CM = Path(__file__).resolve().parents[3] / "cm"
QUIET = {
    "CLOUDMESH_URL": "",
    "CLOUDMESH_TOKEN": "",
    "CLOUDMESH_HOME": "/nonexistent",
    "XDG_CONFIG_HOME": "/dev/null/none",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",  # nobody's own
}


def environment(**more: str) -> dict[str, str]:
    """What the process sees: no portal but the one a test names."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLOUDMESH_", "COLUMNS"))}
    return {**kept, **{name: value for name, value in QUIET.items() if value}, **more}


def cm(*arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CM, *arguments], input=stdin, capture_output=True, text=True, timeout=60, env=environment(**env)
    )


class Terminal:
    """`cm` on a terminal; what it writes there is kept in `seen`."""

    def __init__(self, *arguments: str, columns: int = 80, **env: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.seen = ""
        self.process = subprocess.Popen(
            [CM, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(TERM="xterm", **env),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)

    def until(self, text: str) -> None:
        while text not in self.seen:
            self.seen += self._read()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> int:
        with contextlib.suppress(OSError):  # the other side was closed
            while part := self._read():
                self.seen += part
        return self.process.wait(60)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def receive(self) -> bytes:
        """What was written since; raises OSError when the other side is closed, TimeoutError when it is silent."""
        if not select.select([self._ours], [], [], SILENCE)[0]:
            raise TimeoutError("nothing more was written")
        return os.read(self._ours, 65_536)

    def _read(self) -> str:
        return self.receive().decode().replace("\r\n", "\n")


@contextlib.contextmanager
def terminal(*arguments: str, columns: int = 80, **env: str) -> Iterator[Terminal]:
    opened = Terminal(*arguments, columns=columns, **env)
    try:
        yield opened
    finally:
        opened.close()
