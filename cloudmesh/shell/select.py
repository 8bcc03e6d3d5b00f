"""`cm select`: what the next boots take, chosen from a menu."""

from typing import TYPE_CHECKING, Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import NotFound
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, listing, pass_client

if TYPE_CHECKING:
    from cloudmesh.types import Json

OF_CLOUD = {"image": "images", "flavor": "flavors", "network": "networks"}
CHOICES = ("cloud", "image", "flavor", "key", "network", "group")


@click.command()
@click.argument("what", type=click.Choice(CHOICES), metavar="{" + "|".join(CHOICES) + "}")
@click.argument("value", required=False, metavar="[NAME]")
@click.option("--cloud", help="On which cloud; your default one if not said.")
@click.option("--project", help="In this project; the one you work in if not said.")
@listing("key", "cloud", "value", "source")
@pass_client
def select(client: Client, show: Show, what: str, value: str | None, cloud: str | None, project: str | None) -> None:
    """Take a cloud, image, flavor, key, network or group from now on; without NAME from a menu.

    Example: cm select image --cloud india
    """
    rows = client.defaults(project=project)
    if what in OF_CLOUD:
        cloud = cloud or _value(rows, "cloud", None)
        if not cloud:
            raise NotFound("There is no cloud that can be used. Add one with: cm cloud register")
    elif cloud:
        raise click.UsageError(f"A {what} is taken on all clouds; leave --cloud out.")
    name = _chosen(client, what, cloud, project, _value(rows, what, cloud)) if value is None else value
    values: dict[str, Any] = {OF_CLOUD[what]: {cloud: name}} if what in OF_CLOUD else {what: name}
    changed = client.set_defaults(project=project, **values)
    show(row for row in changed if row["key"] == what and row["cloud"] == cloud)


def _value(rows: "list[Json]", key: str, cloud: str | None) -> str:
    return next((row["value"] for row in rows if row["key"] == key and row["cloud"] == cloud), "")


def _offers(client: Client, what: str, cloud: str | None, project: str | None) -> "list[Json]":
    where = {"project": project or client.project()["name"]}
    if what == "cloud":
        return [each for each in client.clouds(**where) if each["is_active"]]
    if what == "key":
        return list(client.keys())
    if what == "group":
        return list(client.groups(**where))
    found = {"image": client.images, "flavor": client.flavors, "network": client.networks}[what]
    return list(found(cloud=cloud, **where))


def _chosen(client: Client, what: str, cloud: str | None, project: str | None, usual: str) -> str:
    """What the person says, after seeing all that there is."""
    place = f" on {cloud}" if cloud else ""
    names = list(dict.fromkeys(each["name"] for each in _offers(client, what, cloud, project)))
    if not names:
        raise NotFound(f"There is no {what}{place} to choose from.")
    return talk.choose(f"Which {what}{place}", names, usual)
