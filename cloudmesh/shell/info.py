"""`cm info`: what the next boot would take."""

import click

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, listing, pass_client

ORDER = (
    *("cloud", "image", "flavor", "key", "network", "security_group", "login", "group"),
    *("prefix", "width", "schema", "last_server", "format"),
)


@click.command()
@click.option("--cloud", help="As on this cloud; your default one if not said.")
@click.option("--project", help="In this project; the one you work in if not said.")
@listing("key", "value", "source")
@pass_client
def info(client: Client, show: Show, cloud: str | None, project: str | None) -> None:
    """Show in one look what the next boot takes, its name too, and where each value comes from.

    Example: cm info; another value is set by: cm default image ubuntu-24.04
    """
    rows = client.defaults(project=project)
    place = cloud or next(row["value"] for row in rows if row["key"] == "cloud")
    known = {row["key"]: row for row in rows if row["cloud"] is None}
    known |= {row["key"]: row for row in rows if row["cloud"] == place}
    boot = [{"key": "name", "value": ""}, {"key": "project", "value": project or client.project()["name"]}]
    try:
        coming = client.next_boot(cloud=cloud, project=project)
        boot = [{"key": key, "value": coming[key]} for key in ("name", "project")]
        known["cloud"] = {"key": "cloud", "value": coming["cloud"], "source": coming["sources"]["cloud"]}
    except CloudmeshError as error:
        talk.say(f"No server can be booted now. {error.message}")
    show([*boot, *(known[key] for key in ORDER if key in known)])
