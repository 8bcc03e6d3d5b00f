"""`cm vm ip`: the addresses of servers."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, listing, pass_client, waiting
from cloudmesh.shell.vm.choice import chosen, some

if TYPE_CHECKING:
    from cloudmesh.types import Json

addresses = listing("name", "private:private_addresses", "public:public_addresses", "cloud")


@click.group()
def ip() -> None:
    """Addresses of servers: show, assign, release."""


@ip.command("show")
@some
@addresses
@pass_client
def show_(client: Client, /, show: Show, names: tuple[str, ...], **filters: str) -> None:
    """Show the private and public addresses of servers.

    Example: cm vm ip show "web[1-3]"
    """
    show(map(_told_apart, chosen(client, names, **filters)))


def _change(verb: str, purpose: str) -> None:
    @ip.command(verb, help=f"{purpose}\n\nExample: cm vm ip {verb} web1")
    @some
    @waiting
    @addresses
    @pass_client
    def change(client: Client, /, show: Show, names: tuple[str, ...], wait: bool, **filters: str) -> None:
        servers = chosen(client, names, **filters)
        wish = client.assign_ip if verb == "assign" else client.release_ip
        operations = [wish(server)["operation"] for server in servers]
        if not wait:
            for operation in operations:
                talk.say(f"Follow it with: cm operation wait {operation['id']}")
        ended = [follow(client, operation) for operation in operations if wait]
        show(map(_told_apart, client.by_ids(servers)))
        for operation in ended:
            check(client, operation)


_change("assign", "Give servers a public address.")
_change("release", "Give the public addresses of servers back.")


def _told_apart(server: "Json") -> "Json":
    public = server["public_addresses"]
    return {**server, "private_addresses": [each for each in server["addresses"] if each not in public]}
