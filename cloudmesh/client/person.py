"""Who one is, and what one's portal knows of clouds: `cloudmesh.load()`."""

from typing import TYPE_CHECKING

from cloudmesh.client.mesh import Mesh

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Person:
    """The one whose token it is; asked anew each time."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def username(self) -> str:
        return str(self._mesh.client.me()["username"])

    def facts(self) -> "Json":
        """All that the portal says of you: username, email, name, project, projects."""
        return self._mesh.client.me()

    def clouds(self) -> "dict[str, Json]":
        return self._mesh.clouds()

    def cloudnames(self) -> list[str]:
        return list(self.clouds())

    def cloud(self, name: str) -> "Json":
        """A cloud with what it can do and where it is. Raises NotFound."""
        return self._mesh.client.cloud(name)

    def active(self) -> list[str]:
        """The names of the clouds that are switched on."""
        return [cloud["name"] for cloud in self._mesh.activate()]

    def default(self, cloud: str = "") -> dict[str, str]:
        """What the next boot takes on a cloud, by kind."""
        known: dict[str, str] = self._mesh.default(cloud)
        return known
