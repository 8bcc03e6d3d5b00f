"""`cm refresh`: clouds are read anew."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import in_project, pass_client
from cloudmesh.shell.talk import say


@click.command()
@click.argument("names", nargs=-1, metavar="[CLOUDS]")
@in_project
@pass_client
def refresh(client: Client, /, names: tuple[str, ...], project: str | None) -> None:
    """Read clouds anew, now: all that you use, or those of these names.

    The portal reads by itself, sooner where something changes or somebody looks; this is for those who cannot wait.

    \b
    cm refresh
    cm refresh india "chameleon-*"
    """
    used = (each for each in client.clouds(project=project) if each["is_active"])
    clouds = client.select_clouds(*names, project=project) if names else list(used)
    for each in clouds:
        client.refresh(each["id"])
    say(f"Read anew: {', '.join(each['name'] for each in clouds)}." if clouds else "You use no cloud.")
