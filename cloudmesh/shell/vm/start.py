"""`cm vm start`: power servers on; without a name boot new ones, as the originals did."""

from typing import Any

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, pass_client
from cloudmesh.shell.vm.boot import booting, make
from cloudmesh.shell.vm.choice import require_names
from cloudmesh.shell.vm.ending import finish

NARROWS = ("cloud", "project", "group")  # options of a boot that say which servers are meant where they are named


@click.command()
@click.argument("names", nargs=-1, metavar="[NAMES]")
@booting
@pass_client
def start(client: Client, /, show: Show, names: tuple[str, ...], wait: bool, **wanted: Any) -> None:
    """Power servers on; without NAMES boot new ones, with the options of boot.

    \b
    cm vm start "gregor_[1-3]"
    cm vm start --count 5
    """
    if not names:
        make(client, show, wait=wait, **wanted)
        return
    require_names(names)
    filters = {option: wanted.pop(option) for option in NARROWS}
    if given := [option for option, value in wanted.items() if value]:
        raise click.UsageError(f"--{given[0].replace('_', '-')} is for new servers. Leave out the names, or it.")
    servers = client.select(*names, **filters)
    finish(client, show, client.act("start", servers)["operation"], servers, wait=wait)
