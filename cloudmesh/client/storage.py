"""Volumes, and how much of everything the clouds allow."""

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import ID, Asking, batches, given
from cloudmesh.client.http import quote

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Storage(Asking):
    """The methods of `Client` about volumes and limits; each change answers `{operation, volumes}`."""

    def volumes(self, **filters: Any) -> "Iterator[Json]":
        """Volumes, by any of name (a hostlist or globs), cloud, state, project, server, search."""
        return self._list("volumes/", given(filters))

    def volume(self, name: str) -> "Json":
        return self._get(f"volumes/{quote(name)}/")

    def select_volumes(self, *hostlists: str, **filters: Any) -> "list[Json]":
        """The volumes that hostlists and globs name. Raises NotFound, Ambiguous, as `select` does."""
        from cloudmesh.client.selection import pick

        ids = [name for name in hostlists if ID.fullmatch(name)]
        found = [*map(self.volume, ids), *self._named(set(hostlists).difference(ids), **filters)]
        known = (volume["name"] for volume in self.volumes(fields="name", **filters))
        return pick(hostlists, found, lambda: known, "volume")

    def create_volume(self, name: str, size: int, **wanted: Any) -> "Json":
        """Wish for volumes of `size` GiB; `name` may be a hostlist. Any of count, cloud, project, server."""
        return self._send("POST", "volumes/", {"name": name, "size": size, **given(wanted)})

    def attach_volume(self, volume: "Json", server: "Json", device: str | None = None) -> "Json":
        """Wish that a server has a volume."""
        wanted = given({"server": server["id"], "device": device})
        return self._send("POST", f"volumes/{quote(volume['id'])}/attach/", wanted)

    def detach_volumes(self, volumes: "Iterable[Json]") -> "Json":
        """Wish that no server has these volumes; what is on them stays."""
        return self._bulk("detach", volumes)

    def delete_volumes(self, volumes: "Iterable[Json]") -> "Json":
        """Wish that these volumes, which no server has, are no more."""
        return self._bulk("delete", volumes)

    def reread_volumes(self, volumes: "Iterable[Json]") -> "list[Json]":
        """The same volumes as they are now, without those that are gone."""
        known = {volume["id"]: volume["name"] for volume in volumes}
        now = {volume["id"]: volume for volume in self._named(known.values())}
        return [now[id] for id in known if id in now]

    def limits(self, **filters: Any) -> "Iterator[Json]":
        """What each cloud allows and what is used there, by any of cloud, project, resource."""
        return self._list("limits/", given(filters))

    def _named(self, names: Iterable[str], **filters: Any) -> "Iterator[Json]":
        return itertools.chain.from_iterable(self.volumes(name=part, **filters) for part in batches(names))

    def _bulk(self, deed: str, volumes: "Iterable[Json]") -> "Json":
        return self._send("POST", "volumes/bulk/", {"action": deed, "volumes": [each["id"] for each in volumes]})
