"""Which servers hostlists and globs mean, and what to say where they mean none or too many."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cloudmesh.errors import Ambiguous, NotFound, near
from cloudmesh.types import expand_names, is_glob

if TYPE_CHECKING:
    from cloudmesh.types import Json


def pick(hostlists: Iterable[str], found: "list[Json]") -> "list[Json]":
    """The servers among `found` that the hostlists name, in that order, each once."""
    by_name: dict[str, list[Json]] = {}
    for server in found:
        by_name.setdefault(server["name"], []).append(server)
        by_name.setdefault(server["id"], []).append(server)
    picked = {server["id"]: server for name in expand_names(*hostlists) for server in _named(name, by_name)}
    return list(picked.values())


def _named(name: str, by_name: "dict[str, list[Json]]") -> "list[Json]":
    if is_glob(name):
        servers = [server for known in by_name if fnmatchcase(known, name) for server in by_name[known]]
    else:
        servers = by_name.get(name, [])
    if not servers:
        raise NotFound(f"No server is named {name}.{near(name, by_name)} All are listed by: cm vm list", name=name)
    if len(servers) > 1 and not is_glob(name):
        clouds = ", ".join(sorted({str(server["cloud"]) for server in servers}))
        raise Ambiguous(f"{len(servers)} servers are named {name} ({clouds}). Use --cloud or the id.", name=name)
    return servers
