"""What servers are besides running: their labels."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cloudmesh.client.asking import Asking

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Shaping(Asking):
    """The methods of `Client` that change what a server is; each answers `{operation, servers}`."""

    def label(self, servers: "Iterable[Json]", labels: Mapping[str, str], remove: Iterable[str] = ()) -> "Json":
        """Wish that servers have these labels and not those keys; the rest stays."""
        ids = [server["id"] for server in servers]
        return self._send("POST", "servers/labels/", {"servers": ids, "labels": dict(labels), "remove": list(remove)})
