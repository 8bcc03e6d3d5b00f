"""How long and how much, as people write it for jobs: 2h, 1-12:00:00, 4G."""

import re

from cloudmesh.errors import Invalid

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "min": 60, "s": 1}
WORDS = re.compile(r"(\d+)\s*(w|d|h|min|m|s)")
CLOCK = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d{1,2}))?(?::(\d{1,2}))?\Z")
SIZES = {"": 1, "m": 1, "g": 1024, "t": 1024**2}
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([mgt]?)(?:i?b)?\Z")


def parse_walltime(text: str) -> int | None:
    """Seconds, of `2h`, `1d12h`, `30m`, or as Slurm and PBS write it: `1-12:00:00`, `12:00:00`; None of no text.

    A number alone is refused: it means minutes to Slurm and seconds to PBS. Raises Invalid.

    >>> parse_walltime("1-12:00:00"), parse_walltime("1d12h"), parse_walltime("90:00"), parse_walltime("1-6")
    (129600, 129600, 5400, 108000)
    """
    wanted = text.strip().lower()
    if not wanted:
        return None
    if WORDS.findall(wanted) and not WORDS.sub("", wanted).strip():
        return sum(int(number) * UNITS[unit] for number, unit in WORDS.findall(wanted))
    found = CLOCK.match(wanted)
    if found is None or wanted.isdecimal():
        raise Invalid(f"{text[:40]!r} is no time: write 2h, 30m, 1d12h or 1-12:00:00.", field="walltime")
    days, *clock = found.groups()
    parts = [int(part) for part in clock if part is not None]
    if days is None and len(parts) == 2:
        return parts[0] * 60 + parts[1]
    hours, minutes, seconds = (*parts, 0, 0)[:3]
    return int(days or 0) * 86_400 + hours * 3_600 + minutes * 60 + seconds


def walltime(seconds: int) -> str:
    """As `squeue` writes it.

    >>> walltime(5400), walltime(129600)
    ('1:30:00', '1-12:00:00')
    """
    days, rest = divmod(seconds, 86_400)
    clock = f"{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days}-{clock.zfill(8)}" if days else clock


def parse_memory(text: str) -> int | None:
    """MiB, of `500M`, `4G`, `1.5 GiB` or a number of MiB; None of no text. Raises Invalid.

    >>> parse_memory("4G"), parse_memory("512"), parse_memory("1.5 GiB")
    (4096, 512, 1536)
    """
    if not text.strip():
        return None
    found = SIZE.match(text.strip().lower())
    if found is None:
        raise Invalid(f"{text[:40]!r} is no amount of memory: write 500M or 4G.", field="memory")
    return round(float(found[1]) * SIZES[found[2]])
