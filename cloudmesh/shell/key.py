"""`cm key`: the SSH keys that open servers."""

from typing import TextIO

import click

from cloudmesh.client import Client
from cloudmesh.errors import Invalid
from cloudmesh.shell.options import Show, listing, pass_client

columns = listing("name", "fingerprint", "comment", "default:is_default")


@click.group()
def key() -> None:
    """Your SSH keys; the default one opens the servers you boot."""


@key.command("list")
@columns
@pass_client
def list_(client: Client, show: Show) -> None:
    """List your keys."""
    show(client.keys(), empty="No keys. Add one with: cm key add ~/.ssh/id_ed25519.pub")


@key.command()
@click.argument("file", type=click.File())
@click.option("--name", help="What to call it; as its comment if not said.")
@columns
@pass_client
def add(client: Client, show: Show, file: TextIO, name: str | None) -> None:
    """Add the public key in FILE; - is standard input.

    Example: cm key add ~/.ssh/id_ed25519.pub --name laptop
    """
    text = file.read().strip()
    if "PRIVATE KEY" in text:
        raise Invalid(f"{file.name} holds a private key, which was not sent. Give the public one, {file.name}.pub.")
    show.one(client.add_key(text, name))


@key.command()
@click.argument("name")
@pass_client
def delete(client: Client, name: str) -> None:
    """Forget a key; servers that have it already keep it."""
    client.delete_key(name)
