"""Ways to servers: their addresses and screens, who logs in, and which of them was the last."""

from typing import TYPE_CHECKING

from cloudmesh.client.asking import Asking
from cloudmesh.client.http import quote

if TYPE_CHECKING:
    from cloudmesh.types import Json


class Reach(Asking):
    """The methods of `Client` for whoever wants to get at a server."""

    def assign_ip(self, server: "Json", address: str | None = None) -> "Json":
        """Wish for a public address of a server, this one or any; answers `{operation}`, as all wishes here do."""
        return self._wish(server, "ip-assign", {"address": address} if address else None)

    def unassign_ip(self, server: "Json") -> "Json":
        """Wish that a server has its public address no more; the project keeps it."""
        return self._wish(server, "ip-unassign")

    def release_ip(self, server: "Json") -> "Json":
        """Wish that a server's public address is given back."""
        return self._wish(server, "ip-release")

    def console(self, server: "Json") -> "Json":
        """Wish for the `url` where a server's screen can be seen; it is in the result of `wait`."""
        return self._wish(server, "console")

    def console_log(self, server: "Json", lines: int = 100) -> "Json":
        """Wish for the last lines of a server's console, the `text` in the result of `wait`."""
        return self._wish(server, "console-log", {"lines": lines})

    def last_server(self, project: str | None = None) -> str:
        """The name of the server that was booted or used last; empty where there is none."""
        return next((row["value"] for row in self._defaults(project) if row["key"] == "last_server"), "")

    def login_names(self, project: str | None = None) -> dict[str, str]:
        """The user name that somebody chose to log in with, by cloud."""
        chosen = (row for row in self._defaults(project) if row["key"] == "login" and row["source"] != "first")
        return {row["cloud"]: row["value"] for row in chosen if row["value"]}

    def _defaults(self, project: str | None) -> "list[Json]":
        return list(self.session.pages("defaults/", {"project": project}))

    def _wish(self, server: "Json", what: str, body: "Json | None" = None) -> "Json":
        return self._send("POST", f"servers/{quote(server['id'])}/{what}/", body)
