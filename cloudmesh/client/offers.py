"""Images, flavors, keys and clouds by name: what clouds offer, and what opens servers there."""

from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import ID, Asking, given
from cloudmesh.client.http import quote

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Offers(Asking):
    """The methods of `Client` that find what names mean; one alone is answered whole, with its cloud's own document."""

    def image(self, name: str, cloud: str | None = None) -> "Json":
        """An image by name or id. Raises NotFound, and Ambiguous where several clouds have it."""
        return self._offer("image", name, cloud)

    def flavor(self, name: str, cloud: str | None = None) -> "Json":
        """A flavor by name or id. Raises NotFound, and Ambiguous where several clouds have it."""
        return self._offer("flavor", name, cloud)

    def key(self, name: str) -> "Json":
        """One of one's own keys, by name or id. Raises NotFound."""
        return self._get(f"keys/{quote(name)}/")

    def select_clouds(self, *hostlists: str, **filters: Any) -> "list[Json]":
        """The clouds that hostlists and globs name. Raises NotFound, and Ambiguous where several projects have it."""
        from cloudmesh.client.selection import pick

        known = list(self._list("clouds/", given(filters)))
        return pick(hostlists, known, lambda: (cloud["name"] for cloud in known), "cloud")

    def select_keys(self, *hostlists: str) -> "list[Json]":
        """The keys that hostlists and globs name. Raises NotFound."""
        from cloudmesh.client.selection import pick

        mine = list(self._list("keys/", {}))
        return pick(hostlists, mine, lambda: (key["name"] for key in mine), "key")

    def _offer(self, kind: str, name: str, cloud: str | None) -> "Json":
        from cloudmesh.client.selection import pick

        if ID.fullmatch(name):
            return self._get(f"{kind}s/{name}/")
        found = list(self._list(f"{kind}s/", given({"name": name, "cloud": cloud})))
        known = (each["name"] for each in self._list(f"{kind}s/", given({"cloud": cloud, "fields": "name"})))
        return self._get(f"{kind}s/{pick([name], found, lambda: known, kind)[0]['id']}/")
