"""Which servers or volumes hostlists and globs mean, and what to say where they mean none or too many."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cloudmesh.errors import Ambiguous, NotFound, near
from cloudmesh.types import expand_names, is_glob

if TYPE_CHECKING:
    from cloudmesh.types import Json

NOUNS = {"server": "vm", "security group": "secgroup", "address": "ip"}  # what is listed by a noun of another name


def pick(
    hostlists: Iterable[str], found: "list[Json]", known: Callable[[], Iterable[str]], kind: str = "server"
) -> "list[Json]":
    """The records among `found` that the hostlists name, in that order, each once.

    `known` is asked for all names there are, for a hint where one is mistyped.
    """
    by_name: dict[str, list[Json]] = {}
    for record in found:
        by_name.setdefault(record["name"], []).append(record)
        by_name.setdefault(record["id"], []).append(record)
    picked: dict[str, Json] = {}
    for name in expand_names(*hostlists):
        records = _matching(name, by_name)
        if not records:
            hint = f"{near(name, known())} All are listed by: cm {NOUNS.get(kind, kind)} list"
            raise NotFound(f"No {kind} is named {name}.{hint}", name=name)
        if len(records) > 1 and not is_glob(name):
            raise Ambiguous(_several(name, records, kind), name=name)
        picked |= {record["id"]: record for record in records}
    return list(picked.values())


def _matching(name: str, by_name: "dict[str, list[Json]]") -> "list[Json]":
    if not is_glob(name):
        return by_name.get(name, [])
    return [record for known in by_name if fnmatchcase(known, name) for record in by_name[known]]


def _several(name: str, records: "list[Json]", kind: str) -> str:
    where = "cloud" if "cloud" in records[0] else "project"
    places = ", ".join(sorted({str(record[where]) for record in records}))
    return f"{len(records)} {kind}s are named {name} ({places}). Say which one with --{where}, or by its id."
