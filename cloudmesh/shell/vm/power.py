"""`cm vm stop`, reboot, suspend and the like: one thing done to running servers."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, pass_client, waiting
from cloudmesh.shell.vm.choice import chosen, some
from cloudmesh.shell.vm.ending import brief, finish


def _change(action: str, purpose: str) -> click.Command:
    """A command that does one thing to servers and shows them afterwards."""

    @click.command(action, help=f'{purpose}\n\nExample: cm vm {action} "gregor_[1-3]"')
    @some
    @waiting
    @brief
    @pass_client
    def change(client: Client, /, show: Show, names: tuple[str, ...], wait: bool, **filters: str) -> None:
        servers = chosen(client, names, **filters)
        finish(client, show, client.act(action, servers)["operation"], servers, wait=wait)

    return change


stop = _change("stop", "Power servers off; they keep their disks and addresses.")
reboot = _change("reboot", "Restart servers.")
suspend = _change("suspend", "Put servers to sleep, memory and all.")
resume = _change("resume", "Wake suspended servers.")
pause = _change("pause", "Halt servers where they are; their memory stays at the cloud.")
unpause = _change("unpause", "Let paused servers go on.")
shelve = _change("shelve", "Put servers away; only their disks are kept, and no memory or cores taken.")
unshelve = _change("unshelve", "Bring shelved servers back.")
