"""The values in answers of Grid Engine: times, durations, sizes and the numbers of tasks."""

import datetime
import re
from typing import Any

UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
SMALL = {"k": 10**3, "m": 10**6, "g": 10**9}  # sge_types(1): small letters count by thousands
SIZE = re.compile(r"([0-9.]+(?:e[+-]?[0-9]+)?)([KMGTkmg]?)B?")
TIMES = ("%Y-%m-%dT%H:%M:%S", "%a %b %d %H:%M:%S %Y", "%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S")
ENDLESS = ("INFINITY", "infinity", "NONE", "")


def number(value: Any) -> int | None:
    """A whole number, perhaps with zeros behind its point."""
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return None


def fraction(value: Any) -> float | None:
    try:
        return float(str(value).rstrip("s"))
    except ValueError:
        return None


def moment(value: Any) -> datetime.datetime | None:
    """A time in seconds since 1970, or as commands write it where TZ is UTC; `-/-` is none."""
    text = str(value or "").strip()
    if text.isdecimal():
        return datetime.datetime.fromtimestamp(int(text), datetime.UTC) if int(text) else None
    for layout in TIMES:
        try:
            return datetime.datetime.strptime(text, layout).replace(tzinfo=datetime.UTC)
        except ValueError:
            continue
    return None


def seconds(value: Any) -> int | None:
    """Of `HOURS:MINUTES:SECONDS` or seconds; of a list by hosts, `24:0:0,[a=1:0:0]`, what holds for all."""
    text = str(value or "").partition(",")[0].strip()
    parts = text.split(":")
    if text in ENDLESS or len(parts) > 3 or not all(part.isdecimal() or not part for part in parts):
        return None
    total = 0
    for part in parts:
        total = total * 60 + int(part or 0)
    return total


def mebibytes(value: Any) -> int:
    """MiB of `23.5G`, `100M`, `4.426KB` or bytes; 0 where it says nothing."""
    found = SIZE.fullmatch(str(value or "").strip())
    if not found:
        return 0
    amount = fraction(found[1]) or 0.0
    scale = SMALL.get(found[2]) or 2 ** UNITS[found[2]]
    return round(amount * scale / 2**20)


def ranges(parts: list[str]) -> str:
    """`3-5` and `7,9-13:2` of what qstat calls `3-5:1`, `7` and `9-13:2`."""
    return ",".join(part.removesuffix(":1") for part in parts)
