"""Which servers, volumes or jobs hostlists and globs mean, and what to say where they mean none or too many."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cloudmesh.errors import Ambiguous, NotFound, near
from cloudmesh.types import expand_names, is_glob

if TYPE_CHECKING:
    from cloudmesh.types import Json

#: What is listed by other words than `KIND list`.
LISTS = {
    "server": "vm list",
    "security group": "secgroup list",
    "address": "ip list",
    "job": "hpc jobs",
    "cluster": "hpc cluster list",
}


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
            hint = f"{near(name, known())} All are listed by: cm {LISTS.get(kind, f'{kind} list')}"
            raise NotFound(f"No {kind} is named {name}.{hint}", name=name)
        if len(records) > 1 and not is_glob(name):
            raise Ambiguous(_several(name, records, kind), name=name)
        picked |= {record["id"]: record for record in records}
    return list(picked.values())


def pick_jobs(
    hostlists: Iterable[str],
    by_ids: "Callable[[list[str]], Iterable[Json]]",
    by_names: "Callable[[list[str]], Iterable[Json]]",
) -> "list[Json]":
    """The jobs that the hostlists name, in that order, each once: by the portal's or the scheduler's id, or by name.

    `by_ids` and `by_names` ask for those that have one of several. Of an id that a scheduler gave again the newest is
    meant. Raises NotFound, Ambiguous.
    """
    names = expand_names(*hostlists)
    known: dict[str, Json] = {}
    for job in by_ids([name for name in names if not is_glob(name)]):  # the newest comes first
        other = known.setdefault(job["provider_id"], job)
        if other["scheduler"] != job["scheduler"]:
            raise Ambiguous(_several(job["provider_id"], [other, job], "job"), name=job["provider_id"])
        known[job["id"]] = job
    others = [name for name in names if name not in known]
    called = list(by_names(others)) if others else []
    found = ([known[name]] if name in known else pick([name], called, tuple, "job") for name in names)
    return list({job["id"]: job for jobs in found for job in jobs}.values())


def _matching(name: str, by_name: "dict[str, list[Json]]") -> "list[Json]":
    if not is_glob(name):
        return by_name.get(name, [])
    return [record for known in by_name if fnmatchcase(known, name) for record in by_name[known]]


def _several(name: str, records: "list[Json]", kind: str) -> str:
    where = next(word for word in ("cloud", "cluster", "project") if word in records[0])
    places = ", ".join(sorted({str(record[where]) for record in records}))
    return f"{len(records)} {kind}s are named {name} ({places}). Say which one with --{where}, or by its id."
