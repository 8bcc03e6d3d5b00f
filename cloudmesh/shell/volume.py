"""`cm volume`: disks of their own, which servers come and go from."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.errors import Invalid
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_cloud, in_project, listing, names, pass_client, preview, sure, waiting

if TYPE_CHECKING:
    from cloudmesh.types import Json

brief = listing("name", "state", "size", "server", "device", "cloud")


@click.group()
def volume() -> None:
    """Volumes: list, show, create, attach, detach, delete.

    NAMES are names, hostlists such as data[1-3], or globs such as "data*". Sizes are in GiB.
    """


@volume.command("list")
@click.argument("names", nargs=-1, metavar="[NAMES]")
@in_cloud
@in_project
@click.option("--state", help="Only in this state, such as available or in-use.")
@click.option("--server", help="Only at this server.")
@listing("name", "state", "size", "server", "device", "cloud", "project", "owner", "age:age_seconds")
@pass_client
def list_(client: Client, /, show: Show, names: tuple[str, ...], **filters: str | None) -> None:
    """List volumes; filters narrow each other.

    \b
    cm volume list --cloud india --state available
    cm volume list --server gregor_1
    """
    named = ",".join(names) or None
    show(client.volumes(name=named, **filters), empty="No volumes. Make one with: cm volume create data --size 10")


@volume.command("show")
@click.argument("name")
@listing(
    *("id", "name", "state", "reason:state_reason", "size", "server", "device", "ends_with_server:is_bound", "cloud"),
    *("project", "owner", "provider_id", "created:created_at", "age:age_seconds", "operation"),
)
@pass_client
def show_(client: Client, show: Show, name: str) -> None:
    """Show one volume; --format json has what the cloud says of it, too."""
    show.one(client.volume(name))


@volume.command()
@click.argument("name")
@click.option("--size", type=int, required=True, help="GiB.")
@click.option("--count", type=int, help="How many, numbered below NAME; one for each name if not said.")
@click.option("--cloud", help="Where; on your default cloud if not said.")
@click.option("--project", help="For which project.")
@click.option("--server", help="For this server: made where it is, and attached to it.")
@waiting
@brief
@pass_client
def create(client: Client, /, show: Show, name: str, size: int, wait: bool, **wanted: str | None) -> None:
    """Make a volume called NAME, or several by a hostlist.

    \b
    cm volume create data --size 10
    cm volume create "data[1-3]" --size 100 --cloud india
    cm volume create scratch --size 50 --server gregor_1
    """
    wish = client.create_volume(name, size, **wanted)
    _finish(client, show, wish["operation"], wish["volumes"], wait=wait)


@volume.command()
@click.argument("volume")
@click.argument("server")
@click.option("--device", help="What it shall be called there, such as /dev/vdb; the cloud chooses if not said.")
@in_cloud
@waiting
@brief
@pass_client
def attach(
    client: Client, show: Show, volume: str, server: str, device: str | None, cloud: str | None, wait: bool
) -> None:
    """Give SERVER the VOLUME.

    Example: cm volume attach data gregor_1
    """
    disk = _one("volume", client.select_volumes(volume, cloud=cloud))
    holder = _one("server", client.select(server, cloud=disk["cloud"]))
    _finish(client, show, client.attach_volume(disk, holder, device)["operation"], [disk], wait=wait)


@volume.command()
@names
@in_cloud
@in_project
@waiting
@brief
@pass_client
def detach(client: Client, /, show: Show, names: tuple[str, ...], wait: bool, **filters: str | None) -> None:
    """Take volumes from their servers; what is on them stays. Unmount them there first.

    Example: cm volume detach "data[1-3]"
    """
    volumes = client.select_volumes(*names, **filters)
    _finish(client, show, client.detach_volumes(volumes)["operation"], volumes, wait=wait)


@volume.command()
@names
@in_cloud
@in_project
@sure
@waiting
@pass_client
def delete(client: Client, /, names: tuple[str, ...], yes: bool, wait: bool, **filters: str | None) -> None:
    """Delete volumes that no server has, after showing which; what is on them is lost.

    \b
    cm volume delete data
    cm volume delete "data[1-3]" --cloud india --yes
    """
    volumes = client.select_volumes(*names, **filters)
    if not yes:
        preview(volumes, "name", "state", "size", "server", "cloud", "owner")
        these = "this volume" if len(volumes) == 1 else f"these {len(volumes)} volumes"
        talk.confirm(f"Delete {these}, and what is on {'it' if len(volumes) == 1 else 'them'}?")
    operation = client.delete_volumes(volumes)["operation"]
    if wait:
        check(client, follow(client, operation))


def _one(kind: str, found: "list[Json]") -> "Json":
    if len(found) != 1:
        raise Invalid(f"One volume is attached to one server; {len(found)} {kind}s are named.")
    return found[0]


def _finish(client: Client, show: Show, operation: "Json", volumes: "list[Json]", *, wait: bool) -> None:
    """Follow the operation, show what became of the volumes, and fail if it failed."""
    if not wait:
        show(volumes)
        talk.say(f"Follow it with: cm operation wait {operation['id']}")
        return
    ended = follow(client, operation)
    show(client.reread_volumes(volumes))
    check(client, ended)
