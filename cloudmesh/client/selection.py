"""Which servers hostlists and globs mean, and what to say where they mean none or too many."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cloudmesh.errors import Ambiguous, NotFound, near
from cloudmesh.types import expand_names, is_glob

if TYPE_CHECKING:
    from cloudmesh.types import Json


def pick(hostlists: Iterable[str], found: "list[Json]", known: Callable[[], Iterable[str]]) -> "list[Json]":
    """The servers among `found` that the hostlists name, in that order, each once.

    `known` is asked for all names there are, for a hint where one is mistyped.
    """
    by_name: dict[str, list[Json]] = {}
    for server in found:
        by_name.setdefault(server["name"], []).append(server)
        by_name.setdefault(server["id"], []).append(server)
    picked: dict[str, Json] = {}
    for name in expand_names(*hostlists):
        servers = _matching(name, by_name)
        if not servers:
            raise NotFound(f"No server is named {name}.{near(name, known())} All are listed by: cm vm list", name=name)
        if len(servers) > 1 and not is_glob(name):
            raise Ambiguous(_several(name, servers), name=name)
        picked |= {server["id"]: server for server in servers}
    return list(picked.values())


def _matching(name: str, by_name: "dict[str, list[Json]]") -> "list[Json]":
    if not is_glob(name):
        return by_name.get(name, [])
    return [server for known in by_name if fnmatchcase(known, name) for server in by_name[known]]


def _several(name: str, servers: "list[Json]") -> str:
    clouds = ", ".join(sorted({str(server["cloud"]) for server in servers}))
    return f"{len(servers)} servers are named {name} ({clouds}). Say which one with --cloud, or by its id."
