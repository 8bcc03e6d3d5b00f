"""What servers are besides running: their labels, their size, images of them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cloudmesh.client.asking import Asking
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

    def reread_now(self, server: "Json") -> "Json":
        """Wish that a server is read from its cloud now."""
        return self._send("POST", f"servers/{quote(server['id'])}/refresh/")

    def delete_images(self, images: "Iterable[Json]") -> "Json":
        """Wish that images of one's own are deleted; answers `{operation}`."""
        return self._send("POST", "images/bulk/", {"action": "delete", "images": [each["id"] for each in images]})
