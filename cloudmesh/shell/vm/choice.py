"""Which servers a command is about: those that are named, or else the last one, which is then said."""

from typing import TYPE_CHECKING, Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import NotFound, near
from cloudmesh.shell import talk
from cloudmesh.shell.options import Command, in_cloud, in_project

if TYPE_CHECKING:
    from cloudmesh.types import Json


in_group = click.option("--group", help="Only of this group; without NAMES all of it.")


def some(command: Command) -> Command:
    """Gives a command NAMES and what narrows them, for `chosen`."""
    named = click.argument("names", nargs=-1, metavar="[NAMES]")
    return named(in_cloud(in_project(in_group(command))))


def chosen(client: Client, names: tuple[str, ...], **filters: Any) -> "list[Json]":
    """The servers of these names, all of a group, or the last one. Raises NotFound, Ambiguous."""
    require_names(names)
    if filters.get("group") and not names:
        return _members(client, **filters)
    return client.select(*(names or (last(client, filters.get("project")),)), **filters)


def _members(client: Client, **filters: Any) -> "list[Json]":
    """The servers of a group. Raises NotFound with near names."""
    servers = list(client.servers(**filters))
    if not servers:
        known = {each["name"] for each in client.groups(project=filters.get("project"))}
        where = f" on {filters['cloud']}" if filters.get("cloud") else ""
        raise NotFound(f"No server is in the group {filters['group']}{where}.{near(filters['group'], known)}")
    return servers


def require_names(names: tuple[str, ...]) -> None:
    """Raises UsageError for an empty name: a variable that is not set shall mean neither all nor the last."""
    if not all(name.strip(" ,") for name in names):
        raise click.UsageError("A name is empty. Leave it out, or say which server you mean.")


def chosen_one(client: Client, name: str | None = None) -> "Json":
    """The server of this name with all that is known of it, or the last one. Raises NotFound, Ambiguous."""
    require_names((name,) if name is not None else ())
    return client.server(name or last(client))


def last(client: Client, project: str | None = None) -> str:
    """The name of the server that was booted or used last. Raises NotFound."""
    name = client.last_server(project)
    if not name:
        raise NotFound("There is no last server here. Say which one you mean; all are listed by: cm vm list")
    talk.say(f"the last server: {name}")
    return name
