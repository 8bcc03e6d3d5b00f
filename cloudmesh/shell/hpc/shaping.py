"""Jobs and queues with what people read of them: times as squeue writes them, hosts as a hostlist."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudmesh.types import Json

#: States in the letters of squeue.
LETTERS = {
    **dict.fromkeys(("requested", "held", "queued"), "PD"),
    "starting": "CF",
    "running": "R",
    "suspended": "S",
    "ending": "CG",
    "completed": "CD",
    "failed": "F",
    "cancelled": "CA",
    "timeout": "TO",
    "lost": "NF",
}
UNLIMITED = "infinite"
NUMBERED = re.compile(r"(.*?)(\d+)")


def shaped(job: "Json") -> "Json":
    """A job with st, user, time, limit and nodelist beside what the portal says."""
    hosts = folded(job["hosts"])
    return {
        **job,
        "st": LETTERS.get(job["state"], "??"),
        "user": job["owner"] or job["login"],
        "time": clock(job["elapsed_seconds"]),
        "limit": clock(job["walltime"]),
        "nodelist": hosts or (f"({job['reason']})" if job["reason"] else ""),
    }


def clock(seconds: float | None, unknown: str = "") -> str:
    """As squeue writes it: 1:30:00, 1-12:00:00.

    >>> clock(5400), clock(129600.4), clock(None), clock(61)
    ('1:30:00', '1-12:00:00', '', '0:01:01')
    """
    if seconds is None:
        return unknown
    days, rest = divmod(int(seconds), 86_400)
    hours = f"{rest // 3600:02}" if days else f"{rest // 3600}"
    return f"{days}-" * bool(days) + f"{hours}:{rest % 3600 // 60:02}:{rest % 60:02}"


def folded(names: Iterable[str]) -> str:
    """Many names in few letters.

    >>> folded(["i001", "i002", "i003", "i007", "login"]), folded(["n9", "n10"])
    ('i[001-003,007],login', 'n[9-10]')
    """
    runs: dict[tuple[str, int], list[int]] = {}
    plain = []
    for name in sorted(set(names), key=_natural):
        found = NUMBERED.fullmatch(name)
        if found is None:
            plain.append(name)
            continue
        digits = len(found[2]) if found[2].startswith("0") else 0
        key = next((key for key in runs if key[0] == found[1] and len(found[2]) == key[1]), (found[1], digits))
        runs.setdefault(key, []).append(int(found[2]))
    return ",".join([*(_hostlist(prefix, width, numbers) for (prefix, width), numbers in runs.items()), *plain])


def _hostlist(prefix: str, width: int, numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"{prefix}{numbers[0]:0{width}}"
    return f"{prefix}[{','.join(_ranges(numbers, width))}]"


def _ranges(numbers: list[int], width: int) -> Iterator[str]:
    first = last = numbers[0]
    for number in [*numbers[1:], None]:
        if number == last + 1:
            last += 1
            continue
        yield f"{first:0{width}}" if first == last else f"{first:0{width}}-{last:0{width}}"
        first = last = number or 0


def _natural(name: str) -> tuple[str, int, str]:
    found = NUMBERED.fullmatch(name)
    return (found[1], int(found[2]), name) if found else (name, -1, name)
