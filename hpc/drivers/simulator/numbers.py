"""The numbers of an array: `1-10`, `1,3,7-9`, `0-20:5`, and how many at once: `1-10%2`."""

import re
from collections.abc import Sequence

from cloudmesh.errors import Rejected

MOST = 1000  # tasks of one array
PART = re.compile(r"(\d{1,6})(?:-(\d{1,6})(?::(\d{1,6}))?)?")


def parse(text: str) -> tuple[list[int], int]:
    """The numbers, and how many may run at once (0: all); raises Rejected."""
    body, _, slots = text.partition("%")
    parts = [PART.fullmatch(part) for part in body.split(",")]
    if not all(parts) or ("%" in text and not re.fullmatch(r"[1-9]\d{0,5}", slots)):
        raise Rejected(f"Invalid array {text[:40]!r}: write it like 1-10, 1,3,7-9 or 1-100%5.")
    found: set[int] = set()
    for part in filter(None, parts):
        first, last, step = (int(each or 0) for each in part.groups())
        found |= set(range(first, max(last, first) + 1, max(step, 1))[: MOST + 1])
    if len(found) > MOST:
        raise Rejected(f"Invalid array: it has more than {MOST} tasks.")
    return sorted(found), int(slots or 0)


def text(numbers: Sequence[int], slots: int = 0) -> str:
    """Numbers as people write them: the inverse of `parse`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    written = ",".join("-".join(map(str, part)) for part in parts)
    return f"{written}%{slots}" if slots else written
