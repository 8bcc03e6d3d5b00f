"""From when to when a policy holds: `+3d2h`, `+1w`, or a date."""

import datetime
import re

from cloudmesh.errors import Invalid

UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
DURATION = re.compile(r"\+(?:\d{1,5}[wdhm])+")
PART = re.compile(r"(\d+)([wdhm])")
MOST = datetime.timedelta(days=36_500)


def moment(text: str, *, field: str, now: datetime.datetime) -> datetime.datetime | None:
    """What a person means by `+3d2h` (from `now`), `2026-12-24` or `2026-12-24T18:00`; UTC unless it says otherwise.

    None for an empty text. Raises Invalid.
    """
    text = text.strip()
    if not text:
        return None
    if text.startswith("+"):
        return now + _duration(text, field)
    try:
        when = datetime.datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        raise _unclear(text, field) from None
    return when if when.tzinfo else when.replace(tzinfo=datetime.UTC)


def window(
    starts: str, ends: str, *, now: datetime.datetime
) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Both ends; a duration as the end counts from the start. Raises Invalid."""
    starts_at = moment(starts, field="starts", now=now)
    ends_at = moment(ends, field="ends", now=starts_at or now)
    if ends_at and ends_at <= (starts_at or now):
        what = f"begins, {starts_at:%Y-%m-%d %H:%M}" if starts_at else "is written"
        raise Invalid(f"The policy would end {ends_at:%Y-%m-%d %H:%M} UTC, before it {what}.", field="ends")
    return starts_at, ends_at


def _duration(text: str, field: str) -> datetime.timedelta:
    if not DURATION.fullmatch(text):
        raise _unclear(text, field)
    length = sum((datetime.timedelta(**{UNITS[unit]: int(n)}) for n, unit in PART.findall(text)), datetime.timedelta())
    if length > MOST:
        raise Invalid(f"{text[:40]} is more than a hundred years; leave it empty for no end.", field=field)
    return length


def _unclear(text: str, field: str) -> Invalid:
    return Invalid(
        f"{text[:40]!r} is no time: write +3d2h or +1w (w, d, h, m), 2026-12-24 or 2026-12-24T18:00.", field=field
    )
