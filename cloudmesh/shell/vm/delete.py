"""`cm vm delete`: servers that are no longer needed."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import pass_client, preview, sure, waiting
from cloudmesh.shell.verbs import alias
from cloudmesh.shell.vm.choice import chosen, some

if TYPE_CHECKING:
    from cloudmesh.types import Json


@click.command()
@some
@sure
@waiting
@pass_client
def delete(client: Client, /, names: tuple[str, ...], yes: bool, wait: bool, **filters: str) -> None:
    """Delete servers, after showing which.

    \b
    cm vm delete gregor_1
    cm vm delete "sample[1-3,18]" --cloud india --yes
    """
    servers = chosen(client, names, **filters)
    if not yes:
        preview(servers, "name", "state", "addresses", "cloud", "owner")
        _tell_of_volumes(client, servers)
        talk.confirm(f"Delete {'this server' if len(servers) == 1 else f'these {len(servers)} servers'}?")
    operation = client.act("delete", servers)["operation"]
    if wait:
        check(client, follow(client, operation))


terminate = alias(delete, "terminate")


def _tell_of_volumes(client: Client, servers: "list[Json]") -> None:
    """What becomes of the volumes that the servers have: none is lost unseen."""
    ids = {server["provider_id"] for server in servers} - {""}
    held = [volume for volume in client.volumes(state="in-use") if volume["server_provider_id"] in ids]
    for bound, fate in ((True, "deleted with them"), (False, "detached, and stay")):
        if names := sorted(volume["name"] for volume in held if volume["is_bound"] is bound):
            talk.say(f"Volumes that are {fate}: {', '.join(names)}.")
