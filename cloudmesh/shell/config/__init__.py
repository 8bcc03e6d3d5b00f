"""`cm config`: what was set up elsewhere, and which portal is talked to."""

import click

from cloudmesh.shell.verbs import Verbs


@click.group(commands=Verbs(__name__, {"bring": "import", "look": "show path"}))
def config() -> None:
    """Bring clouds, keys and defaults from files of other tools; show which portal `cm` talks to."""
