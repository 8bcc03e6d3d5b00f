"""Logs that do not grow without end."""

import datetime
import shutil
from pathlib import Path

LARGEST = 10_000_000  # bytes
KEPT = 3


def rotate(log: Path) -> None:
    """Keep a log that has become large as `.1`, the one before as `.2`, and so on.

    It is copied and emptied, since the process that writes it has it open for appending.
    """
    if not log.exists() or log.stat().st_size < LARGEST:
        return
    for number in range(KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate()


def note(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M:%S} {text}\n")


def end(log: Path, lines: int = 8) -> str:
    """What a log says last."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
