"""`cm vm`: servers on all clouds. Each family of verbs is a module of this package; adding one is a line here."""

import click

from cloudmesh.shell.verbs import Verbs

FAMILIES = {
    "boot": "boot",
    "look": "list show watch",
    "status": "status wait",
    "start": "start",
    "power": "stop reboot suspend resume pause unpause shelve unshelve",
    "ip": "ip",
    "reach": "ssh login",
    "run": "run put get",
    "console": "console log",
    "rename": "rename",
    "labels": "label meta",
    "shape": "resize snapshot info",
    "delete": "delete terminate",
}


@click.group(commands=Verbs(__name__, FAMILIES))
def vm() -> None:
    """Servers: boot, list, look into, reach, label, change and delete them.

    NAMES are names, hostlists such as sample[1-3,18], or globs such as "gregor_*". Where none is said, a command is
    about the last server that you booted or used, and says which that is.
    """
