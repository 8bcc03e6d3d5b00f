"""Hostlists: many names in few letters, wherever names are taken."""

import itertools
import math
import re
from collections.abc import Sequence

from cloudmesh.errors import Invalid

MAX_NAMES = 10_000

_BETWEEN_COMMAS = re.compile(r"(?:\[[^\]]*\]?|[^,\[])+")
_WELL_FORMED = re.compile(r"[^\[\]]*(?:\[[^\[\]]+\][^\[\]]*)*")
_NUMBERS = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_Choice = tuple[Sequence[int | str], str]  # values and the format of each


def expand_names(*hostlists: str, limit: int = MAX_NAMES) -> list[str]:
    """The names that `sample[1-3,18]`, `node[08-11]` or `a,b` stand for: in order, each once, globs left as they are.

    Raises Invalid for a hostlist that does not parse or stands for more than `limit` names.
    """
    found = (part.strip() for text in hostlists for part in _BETWEEN_COMMAS.findall(text))
    parts = [_parse_part(part) for part in found if part]
    count = sum(math.prod(sum(len(values) for values, _ in choices) for choices in part) for part in parts)
    if count > limit:
        raise Invalid(f"{_short(*hostlists)} stands for {count:,} names; at most {limit:,} can be meant at once.")
    return list(dict.fromkeys("".join(name) for part in parts for name in itertools.product(*map(_spell, part))))


def is_glob(name: str) -> bool:
    """Whether a name stands for all that match it, as `gregor_*` or `web?` do."""
    return "*" in name or "?" in name


def _parse_part(part: str) -> list[list[_Choice]]:
    """`a[1-3]b` as what each of its places can be."""
    if not _WELL_FORMED.fullmatch(part):
        raise Invalid(f"The brackets of {_short(part)} do not match. Write hostlists as sample[1-3,18].")
    return [_parse_place(place, part) for place in re.findall(r"\[[^\]]*\]|[^\[]+", part)]


def _parse_place(place: str, part: str) -> list[_Choice]:
    if not place.startswith("["):
        return [((place,), "")]
    return [_parse_item(item.strip(), part) for item in place.strip("[]").split(",")]


def _parse_item(item: str, part: str) -> _Choice:
    if not item:
        raise Invalid(f"The brackets of {_short(part)} have an empty place. Write hostlists as sample[1-3,18].")
    numbers = _NUMBERS.fullmatch(item)
    if not numbers:
        return (item,), ""
    first, last = numbers.groups()
    if int(last) < int(first):
        raise Invalid(f"{_short(part)} counts down from {first} to {last}. Write the smaller number first.")
    return range(int(first), int(last) + 1), f"0{len(first)}d" if first.startswith("0") else "d"


def _spell(choices: list[_Choice]) -> list[str]:
    return [format(value, form) for values, form in choices for value in values]


def _short(*texts: str) -> str:
    text = ",".join(texts)
    return repr(text if len(text) <= 60 else text[:57] + "…")
