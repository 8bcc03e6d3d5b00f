"""`cm default`: what is taken where nothing is said; shared with the web."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, listing, pass_client

PER_CLOUD = {"image": "images", "flavor": "flavors", "network": "networks", "login": "logins"}
KEYS = ("cloud", "key", "group", "prefix", "security_group", "format", *PER_CLOUD)

columns = listing("key", "cloud", "value", "source")


@click.group()
def default() -> None:
    """What is taken where you say nothing: cloud, image, flavor, key, group, prefix of names."""


@default.command("list")
@columns
@pass_client
def list_(client: Client, show: Show) -> None:
    """List the defaults and where each comes from."""
    show(client.defaults())


@default.command("set")
@click.argument("key", type=click.Choice(KEYS))
@click.argument("value")
@click.option("--cloud", help="For image, flavor, network, login: on which cloud; your default one if not said.")
@columns
@pass_client
def set_(client: Client, show: Show, key: str, value: str, cloud: str | None) -> None:
    """Set a default; an empty VALUE removes it.

    \b
    cm default set cloud india
    cm default set image ubuntu-24.04 --cloud india
    """
    if key in PER_CLOUD:
        cloud = cloud or client.next_boot()["cloud"]
        changed = client.set_defaults(**{PER_CLOUD[key]: {cloud: value}})
    else:
        changed = client.set_defaults(**{key: value})
    show(row for row in changed if row["key"] == key and row["cloud"] in (None, cloud))
