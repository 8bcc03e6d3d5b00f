"""What is taken where nothing is said, and how the next name looks."""

from typing import TYPE_CHECKING, Any

from cloudmesh.client.asking import Asking, given

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Choosing(Asking):
    """The methods of `Client` about defaults, which the web shares."""

    def defaults(self, **where: Any) -> "list[Json]":
        """All of them with their sources; by any of project, and scope: own, project or portal."""
        return list(self.session.pages("defaults/", given(where)))

    def set_defaults(self, **values: Any) -> "list[Json]":
        """Set any of cloud, key, group, prefix, … and images, flavors, … by cloud; empty removes. Answers all.

        With project=NAME there; with for_project=True or for_portal=True for everybody there.
        """
        changed: list[Json] = self._send("PATCH", "defaults/", given(values))["results"]
        return changed

    def next_name(self, project: str | None = None) -> "Json":
        """The name that the next boot gives, and the prefix, width, schema and number that it is made of."""
        return self._get("next-name/", given({"project": project}))

    def set_naming(self, **wanted: Any) -> "Json":
        """Set any of prefix, width and schema, empty removes; count on from number. Answers as `next_name`."""
        return self._send("PATCH", "next-name/", given(wanted))
