"""`cm vm delete`: servers that are no longer needed."""

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import pass_client, preview, sure, waiting
from cloudmesh.shell.verbs import alias
from cloudmesh.shell.vm.choice import chosen, some


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
        talk.confirm(f"Delete {'this server' if len(servers) == 1 else f'these {len(servers)} servers'}?")
    operation = client.act("delete", servers)["operation"]
    if wait:
        check(client, follow(client, operation))


terminate = alias(delete, "terminate")
