"""Processes that are not our children: what `/proc` tells everybody, whoever owns them."""

import os
import signal
from pathlib import Path

from portal.standalone.children import wait_until


def born(pid: int) -> str | None:
    """When a live process began, to tell it from a later one with its number; None for the dead and for zombies."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if state in "ZX" else fields[18]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def end(pid: int, birth: str, numbers: tuple[signal.Signals, ...], *, patience: float) -> None:
    """End a process left by a supervisor that was killed, unless its number is another's by now."""
    for number in (*numbers, signal.SIGKILL):
        if born(pid) != birth:
            return
        os.kill(pid, number)
        wait_until(lambda: born(pid) != birth, seconds=patience)
