"""The values in answers of PBS: durations, times, sizes, counts and lists."""

import datetime
import itertools
import re
from typing import Any

UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
SIZE = re.compile(r"(\d+)([kmgtp]?)([bw]?)", re.IGNORECASE)
CTIME = re.compile(r"\w{3} (\w{3}) +(\d+) (\d+):(\d+):(\d+) (\d{4})")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
VARIABLE = re.compile(r"(?:^|(?<!\\),)([A-Za-z_][A-Za-z0-9_]*)=")


def number(value: Any) -> int | None:
    """A count, which is text in most answers."""
    text = str(value).strip()
    return int(text) if text.lstrip("-").isdecimal() else None


def moment(value: Any) -> datetime.datetime | None:
    """A time as seconds since 1970, or as ctime(3) writes it where TZ is UTC."""
    seconds = number(value)
    if seconds is not None:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC) if seconds > 0 else None
    found = CTIME.fullmatch(str(value).strip())
    if not found:
        return None
    day, hour, minute, second, year = map(int, found.groups()[1:])
    try:
        return datetime.datetime(year, MONTHS.index(found[1]) + 1, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        return None


def seconds(value: Any) -> int | None:
    """Of `[[[DAYS:]HOURS:]MINUTES:]SECONDS[.FRACTION]`."""
    parts = str(value).strip().partition(".")[0].split(":")
    if not all(part.isdecimal() for part in parts) or len(parts) > 4:
        return None
    days, hours, minutes, rest = [0] * (4 - len(parts)) + [int(part) for part in parts]
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def clock(duration: int) -> str:
    """Seconds as `HOURS:MINUTES:SECONDS`."""
    return f"{duration // 3600:02}:{duration // 60 % 60:02}:{duration % 60:02}"


def mebibytes(value: Any) -> int:
    """MiB of `4gb`, `17592kb`, `512mw` (words of 8 bytes) or bytes; 0 where it says nothing."""
    found = SIZE.fullmatch(str(value).strip())
    if not found:
        return 0
    size = int(found[1]) << UNITS[found[2].lower()]
    return round(size * (8 if found[3].lower() == "w" else 1) / 2**20)


def table(value: Any) -> dict[str, Any]:
    """What is a table in an answer; nothing where it is not there."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> tuple[str, ...]:
    """A list that is written as one, or separated by commas."""
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return tuple(text for part in parts if (text := str(part).strip()))


def variables(value: Any) -> dict[str, str]:
    """The variables of a job: a table, or `NAME=VALUE,NAME=VALUE` where commas in values may be escaped, or not."""
    if isinstance(value, dict):
        return {name: str(each) for name, each in value.items()}
    text = str(value or "")
    found = list(VARIABLE.finditer(text))
    return {
        each[1]: text[each.end() : following.start() if following else None].replace("\\,", ",")
        for each, following in itertools.zip_longest(found, found[1:])
    }


def is_true(value: Any) -> bool:
    return str(value).lower() in ("true", "1", "t", "y")


def ranges(numbers: list[int]) -> str:
    """`1-3,7` of 1, 2, 3 and 7."""
    parts: list[list[int]] = []
    for each in sorted(numbers):
        if parts and each == parts[-1][1] + 1:
            parts[-1][1] = each
        else:
            parts.append([each, each])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)
