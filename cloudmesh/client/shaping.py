"""What servers are besides running: their labels, their size, images of them."""

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import ID, Asking, batches, given
from cloudmesh.client.http import quote

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Shaping(Asking):
    """The methods of `Client` that change what a server is; each answers `{operation, servers}`."""

    def label(self, servers: "Iterable[Json]", labels: Mapping[str, str], remove: Iterable[str] = ()) -> "Json":
        """Wish that servers have these labels and not those keys; the rest stays."""
        ids = [server["id"] for server in servers]
        return self._send("POST", "servers/labels/", {"servers": ids, "labels": dict(labels), "remove": list(remove)})

    def resize(self, servers: "Iterable[Json]", flavor: str) -> "Json":
        """Wish that servers of one cloud have another flavor; they restart."""
        return self._send("POST", "servers/resize/", {"servers": [each["id"] for each in servers], "flavor": flavor})

    def snapshot(self, server: "Json", name: str = "") -> "Json":
        """Wish for an image of a server, which goes on running."""
        return self._send("POST", f"servers/{quote(server['id'])}/snapshot/", {"name": name} if name else {})

    def read_anew(self, server: "Json") -> "Json":
        """Wish that a server is read from its cloud now."""
        return self._send("POST", f"servers/{quote(server['id'])}/refresh/")

    def select_images(self, *hostlists: str, **filters: Any) -> "list[Json]":
        """The images that hostlists and globs name, by any of cloud, own, state. Raises NotFound, Ambiguous."""
        from cloudmesh.client.selection import pick

        ids = [name for name in hostlists if ID.fullmatch(name)]
        asked = (self._list("images/", given({**filters, "name": names})) for names in batches({*hostlists} - {*ids}))
        found = [*(self._get(f"images/{id}/") for id in ids), *itertools.chain.from_iterable(asked)]
        known = (image["name"] for image in self._list("images/", given({**filters, "fields": "name"})))
        return pick(hostlists, found, lambda: known, "image")

    def delete_images(self, images: "Iterable[Json]") -> "Json":
        """Wish that images of one's own are deleted; answers `{operation}`."""
        return self._send("POST", "images/bulk/", {"action": "delete", "images": [each["id"] for each in images]})
