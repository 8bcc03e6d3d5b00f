"""How commands that change servers end: followed, or left to themselves."""

from typing import TYPE_CHECKING

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, listing

if TYPE_CHECKING:
    from cloudmesh.types import Json

brief = listing("name", "addresses", "state", "cloud")


def finish(client: Client, show: Show, operation: "Json", servers: "list[Json]", *, wait: bool) -> None:
    """Follow the operation, show what became of the servers, and fail if it failed."""
    if not wait:
        show(servers)
        talk.say(f"Follow it with: cm operation wait {operation['id']}")
        return
    ended = follow(client, operation)
    show(client.reread(servers))
    check(client, ended)
