"""`cm vm start`, stop, reboot and the like: one thing done to running servers."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_cloud, in_project, names, pass_client, waiting
from cloudmesh.shell.vm.ending import brief, finish


def _change(action: str, purpose: str) -> click.Command:
    """A command that does one thing to servers and shows them afterwards."""

    @click.command(action, help=f'{purpose}\n\nExample: cm vm {action} "gregor_[1-3]"')
    @names
    @in_cloud
    @in_project
    @waiting
    @brief
    @pass_client
    def change(client: Client, /, show: Show, names: tuple[str, ...], wait: bool, **filters: str) -> None:
        servers = client.select(*names, **filters)
        finish(client, show, client.act(action, servers)["operation"], servers, wait=wait)

    return change


start = _change("start", "Power servers on.")
stop = _change("stop", "Power servers off; they keep their disks and addresses.")
reboot = _change("reboot", "Restart servers.")
suspend = _change("suspend", "Put servers to sleep, memory and all.")
resume = _change("resume", "Wake suspended servers.")
