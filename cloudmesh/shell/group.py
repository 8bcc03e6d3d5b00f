"""`cm group`: servers that belong together."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.errors import Conflict, NotFound, near
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_cloud, in_project, listing, pass_client, preview, sure, waiting

if TYPE_CHECKING:
    from cloudmesh.types import Json

vms = click.argument("vm", nargs=-1, required=True, metavar="NAMES")  # that is what completion offers
members = listing("name", "state", "addresses", "cloud", "owner", "group")
named = click.argument("name")


@click.group()
def group() -> None:
    """Servers that belong together: list, show, add, remove, rename, merge, delete.

    A server is in one group, or in none; a boot puts it into your default one, or into that of --group. With
    --group all verbs of `cm vm` take a whole group.
    """


@group.command("list")
@in_project
@listing("name", "servers", "owners", "clouds", "project")
@pass_client
def list_(client: Client, /, show: Show, project: str | None) -> None:
    """List the groups. Example: cm group list"""
    show(client.groups(project=project), empty="No groups. Make one with: cm group add NAME SERVERS")


@group.command("show")
@named
@in_project
@members
@pass_client
def show_(client: Client, show: Show, name: str, project: str | None) -> None:
    """Show the servers of a group. Example: cm group show web"""
    show(_members(client, name, project))


@group.command()
@named
@vms
@in_cloud
@in_project
@waiting
@members
@pass_client
def add(client: Client, /, show: Show, name: str, vm: tuple[str, ...], wait: bool, **filters: str) -> None:
    """Put servers into a group, and out of the one that they were in.

    Example: cm group add web "gregor_[1-3]"
    """
    _move(client, show, client.select(*vm, **filters), name, wait=wait)


@group.command()
@vms
@in_cloud
@in_project
@waiting
@members
@pass_client
def remove(client: Client, /, show: Show, vm: tuple[str, ...], wait: bool, **filters: str) -> None:
    """Take servers out of the group that they are in. Example: cm group remove gregor_2"""
    _move(client, show, client.select(*vm, **filters), "", wait=wait)


@group.command()
@named
@click.argument("new")
@in_project
@waiting
@members
@pass_client
def rename(client: Client, show: Show, name: str, new: str, project: str | None, wait: bool) -> None:
    """Give a group another name. Example: cm group rename web www"""
    servers = _members(client, name, project)
    if any(each["name"] == new for each in client.groups(project=project)):
        raise Conflict(f"There is a group {new} already. Put both together with: cm group merge {name} {new}")
    _move(client, show, servers, new, wait=wait)


@group.command()
@named
@click.argument("into")
@in_project
@waiting
@members
@pass_client
def merge(client: Client, show: Show, name: str, into: str, project: str | None, wait: bool) -> None:
    """Put all servers of the group NAME into the group INTO. Example: cm group merge test web"""
    _move(client, show, _members(client, name, project), into, wait=wait)


@group.command()
@named
@click.option("--servers", "whole", is_flag=True, help="Delete its servers, too.")
@in_project
@sure
@waiting
@pass_client
def delete(client: Client, name: str, whole: bool, project: str | None, yes: bool, wait: bool) -> None:
    """Dissolve a group: its servers stay, in no group. With --servers they are deleted.

    \b
    cm group delete test
    cm group delete test --servers
    """
    servers = _members(client, name, project)
    if not yes:
        preview(servers, "name", "state", "addresses", "cloud", "owner")
        count = "this server" if len(servers) == 1 else f"these {len(servers)} servers"
        talk.confirm(f"Delete the group {name} and {count}?" if whole else f"Dissolve the group {name} of {count}?")
    operation = (client.act("delete", servers) if whole else client.group(servers, ""))["operation"]
    if wait and operation:
        check(client, follow(client, operation))


def _members(client: Client, name: str, project: str | None) -> "list[Json]":
    """The servers of a group. Raises NotFound with near names."""
    servers = list(client.servers(group=name, project=project))
    if not servers:
        known = {each["name"] for each in client.groups(project=project)}
        raise NotFound(f"There is no group named {name}.{near(name, known)} All are listed by: cm group list")
    return servers


def _move(client: Client, show: Show, servers: "list[Json]", name: str, *, wait: bool) -> None:
    operation = client.group(servers, name)["operation"]
    if wait and operation:
        check(client, follow(client, operation))
    show(client.reread(servers))
