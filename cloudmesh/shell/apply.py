"""`cm apply`: the plain word for `cm application apply`."""

import click

from cloudmesh.shell import application

apply = click.Command(
    "apply",
    callback=application.apply.callback,
    params=application.apply.params,
    help=f"The same as cm application apply. {application.apply.help}",
)
