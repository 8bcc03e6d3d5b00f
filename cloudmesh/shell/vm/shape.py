"""`cm vm resize`, `snapshot` and `info`: what servers are besides running."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_cloud, in_project, listing, pass_client, waiting
from cloudmesh.shell.vm.choice import chosen, chosen_one
from cloudmesh.shell.vm.ending import finish

if TYPE_CHECKING:
    from cloudmesh.types import Json

ASIDE = ("actions", "events", "operations")  # lists of their own; --format json has them


@click.command()
@click.argument("words", nargs=-1, metavar="[NAMES] FLAVOR")
@click.option("--size", help="The flavor, where all that is named are servers.")
@in_cloud
@in_project
@waiting
@listing("name", "flavor", "cores", "ram", "state", "cloud")
@pass_client
def resize(client: Client, /, show: Show, words: tuple[str, ...], size: str | None, wait: bool, **filters: str) -> None:
    """Give servers of one cloud another FLAVOR. They restart; what they grow by counts against quotas.

    \b
    cm vm resize gregor_1 m1.large
    cm vm resize "web[1-3]" --size m1.medium
    """
    if not size and not words:
        raise click.UsageError("Say which flavor: cm vm resize gregor_1 m1.large. All are listed by: cm flavor list")
    named, flavor = (words, size) if size else (words[:-1], words[-1])
    servers = chosen(client, named, **filters)
    finish(client, show, client.resize(servers, flavor)["operation"], servers, wait=wait)


@click.command()
@click.argument("name")
@click.argument("image", default="", metavar="[IMAGE_NAME]")
@waiting
@listing("name", "state", "cloud", "login", "disk:min_disk", "ram:min_ram", "provider_id")
@pass_client
def snapshot(client: Client, /, show: Show, name: str, image: str, wait: bool) -> None:
    """Make an image of the server NAME, which goes on running; others boot from it.

    \b
    cm vm snapshot gregor_1 golden
    cm vm boot --image golden
    """
    server = client.server(name)
    operation = client.snapshot(server, image)["operation"]
    if not wait:
        talk.say(f"Follow it with: cm operation wait {operation['id']}")
        return
    ended = follow(client, operation)
    check(client, ended)
    made = client.operation(ended["id"])["result"]
    named = client.images(name=made["image"], cloud=server["cloud"])
    show(each for each in named if each["provider_id"] == made["image_id"])


@click.command()
@click.argument("name", required=False)
@listing("attribute", "value")
@pass_client
def info(client: Client, /, show: Show, name: str | None) -> None:
    """Read one server from its cloud now and show all that is known of it; `cm vm show` tells what the portal knows.

    Example: cm vm info gregor_1 --format yaml
    """
    server = chosen_one(client, name)
    check(client, follow(client, client.read_anew(server)["operation"]))
    whole = client.server(server["id"])
    if show.form in ("json", "yaml"):
        show.one(whole)
        return
    told = {key: value for key, value in whole.items() if key not in ASIDE}
    show({"attribute": path, "value": value} for path, value in _flat(told))


def _flat(value: Any, path: str = "") -> "Iterator[tuple[str, Any]]":
    """Each value with the way to it, as `native.flavor.vcpus` or `native.ports.0.mac`."""
    parts: Json = {}
    if isinstance(value, Mapping):
        parts = dict(value)
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        parts = {str(place): item for place, item in enumerate(value)}
    if not parts:
        yield path, "" if value == {} else value
    for key, item in parts.items():
        yield from _flat(item, f"{path}.{key}" if path else key)
