"""Groups of servers."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import Asking, given

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Groups(Asking):
    """The methods of `Client` about servers that belong together."""

    def groups(self, **where: Any) -> "Iterator[Json]":
        """The groups with how many servers each has; of one project, or of all that one sees."""
        return self.session.pages("groups/", given(where))

    def group(self, servers: "Iterable[Json]", name: str) -> "Json":
        """Have servers in this group and no other, in none for an empty name; answers `{operation, servers}`.

        The operation tells their clouds; it is None where there is nothing to tell.
        """
        ids = [server["id"] for server in servers]
        return self._send("POST", "servers/group/", {"servers": ids, "group": name})
