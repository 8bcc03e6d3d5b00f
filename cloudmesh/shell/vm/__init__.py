"""`cm vm`: servers on all clouds. Each family of verbs is a module of this package; adding one is a line here."""

import click

from cloudmesh.shell.verbs import Verbs

FAMILIES = {
    "boot": "boot",
    "look": "list show",
    "power": "start stop reboot suspend resume",
    "rename": "rename",
    "labels": "label meta",
    "delete": "delete",
}


@click.group(commands=Verbs(__name__, FAMILIES))
def vm() -> None:
    """Servers: boot, list, show, start, stop, reboot, rename, label, delete.

    NAMES are names, hostlists such as sample[1-3,18], or globs such as "gregor_*".
    """
