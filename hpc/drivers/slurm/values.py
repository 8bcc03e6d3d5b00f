"""The values in Slurm's answers, whichever version gave them: numbers, times, sizes and states.

Slurm 21.08 and 22.05 write plain numbers and null, from 23.02 on numbers are `{"set", "infinite", "number"}`; commands
without JSON write text. What is not set, or has no limit, is None.
"""

import datetime
import functools
from collections.abc import Mapping
from typing import Any

UNSET = 0xFFFFFFF0  # NO_VAL, INFINITE and their kin of 32 and 64 bits lie above (slurm.h)
UNITS = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2, "P": 1024**3}


def number(value: Any) -> int | None:
    """A count; a text such as `12` or `N/A` is read too."""
    if type(value) is int:  # most are
        return value if 0 <= value < UNSET else None
    if isinstance(value, dict):
        value = value["number"] if value.get("set") and not value.get("infinite") else None
    if isinstance(value, str):
        value = int(value) if value.isdecimal() else None
    return value if value is not None and 0 <= value < UNSET else None


def moment(value: Any) -> datetime.datetime | None:
    """A time from its seconds since 1970; 0 is none."""
    seconds = number(value)
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC) if seconds else None


def limit(value: Any) -> int | None:
    """Seconds of a limit, which is minutes, or text such as `1-12:00:00` and `UNLIMITED`."""
    if isinstance(value, str) and ":" in value:
        return seconds(value)
    minutes = number(value)
    return None if minutes is None else minutes * 60


def seconds(text: str) -> int | None:
    """Whole seconds of `[DAYS-][HOURS:]MINUTES:SECONDS[.FRACTION]`, as scontrol and sacct write durations."""
    days, _, clock = text.rpartition("-")
    parts = clock.partition(".")[0].split(":")
    if not all(part.isdecimal() for part in [days or "0", *parts]):
        return None
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    return int(days or 0) * 86400 + total


def mebibytes(value: Any) -> int:
    """MiB of a size, which has a unit (`99G`, `2000M`) or is MiB already; 0 where it says nothing."""
    if not isinstance(value, str):
        return number(value) or 0
    digits, unit = (value[:-1], value[-1:]) if value[-1:] in UNITS else (value, "M")
    try:
        return round(float(digits) * UNITS[unit])
    except ValueError:
        return 0


@functools.lru_cache(4096)  # many jobs ask for the same
def tres(text: str | None) -> Mapping[str, str]:
    """`cpu=8,mem=2000M,gres/gpu=2` as a table."""
    return dict(part.split("=", 1) for part in (text or "").split(",") if "=" in part)


@functools.lru_cache(4096)
def gpus(counts: str | None) -> int:
    """The GPUs in any of `gres/gpu=2`, `gres/gpu:a100=2`, `gres:gpu:a100:2(S:0-1)`, `gpu:2(IDX:0-1)`, `gpu`.

    With a kind and without may stand side by side in what is counted by `=`; the one without is then the sum.
    """
    if not counts or "gpu" not in counts:
        return 0
    kinds, whole = 0, None
    for part in counts.replace("gres/", "").replace("gres:", "").split(","):
        name, equals, count = part.partition("(")[0].replace("=", ":=").partition(":=")
        if not equals:
            name, _, count = name.rpartition(":") if name.rpartition(":")[2].isdecimal() else (name, "", "1")
        if name == "gpu":
            whole = int(count)
        elif name.startswith("gpu:"):
            kinds += int(count)
    return kinds if whole is None else max(whole, kinds)


def names(value: Any) -> list[str]:
    """A state or flags in capitals: one name, several joined by `+`, or a list of them."""
    words = value.split("+") if isinstance(value, str) else value or ()
    return [word.upper() for word in words]


def listed(value: Any) -> tuple[str, ...]:
    """A list that is written as one, or separated by commas, or `(null)` for nothing."""
    if isinstance(value, str):
        value = [] if value in ("(null)", "N/A") else value.split(",")
    return tuple(filter(None, value or ()))


def text(value: Any) -> str:
    """A text, where commands write `(null)` for none."""
    return "" if value in (None, "(null)", "N/A") else str(value)
