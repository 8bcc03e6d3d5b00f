"""`cm ip`: public addresses that servers come and go from."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.errors import NotFound
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_cloud, in_project, listing, names, pass_client, preview, waiting

if TYPE_CHECKING:
    from cloudmesh.types import Json

rows = listing("address", "server:used_by", "cloud", "id:provider_id", "owner", "project")


@click.group()
def ip() -> None:
    """Public addresses: list, create, release, assign, unassign."""


@ip.command("list")
@click.argument("names", nargs=-1, metavar="[ADDRESSES]")
@in_cloud
@in_project
@click.option("--owner", help="Only what this person, or me, reserved.")
@click.option("--used/--unused", default=None, help="Only those that servers have, or only the others.")
@rows
@pass_client
def list_(client: Client, /, show: Show, names: tuple[str, ...], used: bool | None, **filters: str | None) -> None:
    """List public addresses and which servers have them.

    Example: cm ip list --unused --owner me
    """
    told = None if used is None else str(used).lower()
    found = client.addresses(name=",".join(names) or None, used=told, **filters)
    show(map(_told, found), empty="No public addresses. Reserve one with: cm ip create")


@ip.command()
@click.option("--count", type=int, help="How many; one if not said.")
@click.option("--cloud", help="Where; on your default cloud if not said.")
@click.option("--project", help="For which project.")
@waiting
@rows
@pass_client
def create(client: Client, /, show: Show, wait: bool, **wanted: str | int | None) -> None:
    """Reserve public addresses, to be given to servers later.

    \b
    cm ip create
    cm ip create --count 3 --cloud india
    """
    operation = client.reserve_addresses(**wanted)["operation"]
    if not _follow(client, operation, wait=wait):
        return
    show(map(_told, client.addresses(name=",".join(_reserved(client, operation)))))


@ip.command()
@names
@in_cloud
@click.option("--force", is_flag=True, help="Also those that servers have; these lose them.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@waiting
@pass_client
def release(client: Client, names: tuple[str, ...], cloud: str | None, force: bool, yes: bool, wait: bool) -> None:
    """Give public addresses back to their cloud, after showing which.

    NAMES are addresses, or globs, which mean only unused ones that you reserved yourself.

    \b
    cm ip release 198.51.100.7
    cm ip release "198.51.100.*" --cloud india
    """
    addresses = _meant(client, names, cloud)
    if not yes:
        preview(map(_told, addresses), "address", "server:used_by", "cloud", "owner")
        these = "this address" if len(addresses) == 1 else f"these {len(addresses)} addresses"
        talk.confirm(f"Give {these} back? Others may get {'it' if len(addresses) == 1 else 'them'} then.")
    operation = client.release_addresses(addresses, is_used=force)["operation"]
    _follow(client, operation, wait=wait)


@ip.command()
@click.argument("server")
@click.argument("address", required=False)
@waiting
@listing("name", "public:public_addresses", "addresses", "cloud")
@pass_client
def assign(client: Client, show: Show, server: str, address: str | None, wait: bool) -> None:
    """Give SERVER a public ADDRESS; where none is said an unused one that is nobody's, or a new one.

    \b
    cm ip assign gregor_1
    cm ip assign gregor_1 198.51.100.7
    """
    whom = client.server(server)
    if _follow(client, client.assign_ip(whom, address)["operation"], wait=wait):
        show.one(client.server(whom["id"]))


@ip.command()
@click.argument("server")
@waiting
@listing("name", "public:public_addresses", "addresses", "cloud")
@pass_client
def unassign(client: Client, show: Show, server: str, wait: bool) -> None:
    """Take the public address of SERVER off it; the project keeps the address.

    To give it back as well: cm vm ip release SERVER
    """
    whom = client.server(server)
    if _follow(client, client.unassign_ip(whom)["operation"], wait=wait):
        show.one(client.server(whom["id"]))


def _meant(client: Client, names: tuple[str, ...], cloud: str | None) -> "list[Json]":
    """What is named outright, and of what globs match the unused ones that are one's own: never a colleague's."""
    from cloudmesh.types import is_glob

    plain = [name for name in names if not is_glob(name)]
    globs = [name for name in names if is_glob(name)]
    found = client.select_addresses(*plain, cloud=cloud) if plain else []
    mine = client.addresses(name=",".join(globs), cloud=cloud, owner="me", used="false") if globs else ()
    found = list({each["id"]: each for each in (*found, *mine)}.values())
    if not found:
        raise NotFound(f"No unused address that you reserved matches {', '.join(globs)}. See: cm ip list --owner me")
    return found


def _reserved(client: Client, operation: "Json") -> "list[str]":
    """The addresses that came of a wish."""
    parts = client.operations(parent=operation["id"]) if operation["is_batch"] else iter([operation])
    return [client.operation(part["id"])["result"]["address"] for part in parts]


def _follow(client: Client, operation: "Json", *, wait: bool) -> bool:
    """Whether it has come to its end; fails if it failed."""
    if wait:
        check(client, follow(client, operation))
    else:
        talk.say(f"Follow it with: cm operation wait {operation['id']}")
    return wait


def _told(address: "Json") -> "Json":
    return {**address, "used_by": address["server"] or ("a server" if address["is_used"] else "unused")}
