"""`cm version`: of this command and of the portal."""

import click

from cloudmesh import __version__
from cloudmesh.client import Client
from cloudmesh.shell.options import Show, listing, pass_client


@click.command()
@listing("cm", "portal", "url", "user")
@pass_client
def version(client: Client, show: Show) -> None:
    """Show the versions of cm and of the portal it talks to."""
    me = client.me()
    show.one({"cm": __version__, "portal": me["version"], "url": client.session.portal.url, "user": me["username"]})
