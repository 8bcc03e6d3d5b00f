"""`cm vm status` and `cm vm wait`: how servers are, and until they are so."""

from typing import Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import Invalid, near
from cloudmesh.shell.options import Show, listing, pass_client
from cloudmesh.shell.talk import progress
from cloudmesh.shell.vm.choice import chosen, some
from cloudmesh.shell.vm.ending import brief


@click.command()
@some
@listing("name", "state", "reason:state_reason", "age:age_seconds")
@pass_client
def status(client: Client, /, show: Show, names: tuple[str, ...], **filters: str) -> None:
    """Show the state of servers, why it is so and how old that news is.

    \b
    cm vm status
    cm vm status "web[1-3]" --format json
    """
    show(chosen(client, names, **filters))


@click.command()
@some
@click.option("--state", default="active", show_default=True, help="Until they are in this state, such as deleted.")
@click.option(
    "--timeout", type=click.IntRange(0, 10_000_000), metavar="SECONDS", help="How long at most; endless if not said."
)
@brief
@pass_client
def wait(
    client: Client, /, show: Show, names: tuple[str, ...], state: str, timeout: int | None, **filters: Any
) -> None:
    """Wait until servers are in a state; each change is told on standard error.

    Ends with 0 when all are, with 1 when one fails or the time is over, with 3 when one is deleted meanwhile.

    \b
    cm vm boot --count 3 --no-wait
    cm vm wait "gregor_[1-3]" --timeout 300
    """
    _require_state(state)
    servers = chosen(client, names, **filters)
    for server in client.wait_for(servers, state, timeout):
        progress("  ".join(filter(None, (server["name"], server["state"], server["state_reason"]))))
    show(client.by_ids(servers))


def _require_state(state: str) -> None:
    from cloudmesh.types import ServerState

    known = [str(each) for each in ServerState]
    if state not in known:
        raise Invalid(f"There is no state {state[:40]!r}.{near(state, known)} States: {', '.join(known)}.")
