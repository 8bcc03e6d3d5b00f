"""`cm default`: what is taken where nothing is said; shared with the web."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, listing, pass_client

PER_CLOUD = {"image": "images", "flavor": "flavors"}
KEYS = ("cloud", "group", "key", "prefix", "format", *PER_CLOUD)

columns = listing("key", "cloud", "value", "source")


@click.group()
def default() -> None:
    """Your defaults for cloud, image, flavor, key, group, name prefix."""


@default.command("list")
@columns
@pass_client
def list_(client: Client, show: Show) -> None:
    """List the defaults and where each comes from."""
    show(client.defaults())


@default.command("set")
@click.argument("key", type=click.Choice(KEYS))
@click.argument("value")
@click.option("--cloud", help="For image and flavor: on which cloud; your default cloud if not said.")
@columns
@pass_client
def set_(client: Client, show: Show, key: str, value: str, cloud: str | None) -> None:
    """Set a default.

    \b
    cm default set cloud india
    cm default set image ubuntu-24.04 --cloud india
    """
    if key in PER_CLOUD:
        client.set_defaults(**{PER_CLOUD[key]: {cloud or client.next_boot()["cloud"]: value}})
    else:
        client.set_defaults(**{key: value})
    show(row for row in client.defaults() if row["key"] == key)
