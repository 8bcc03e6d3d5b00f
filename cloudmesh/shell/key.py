"""`cm key`: the SSH keys that open servers."""

import os
from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError, Invalid, NotFound
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, listing, names, pass_client, preview, sure

if TYPE_CHECKING:
    from cloudmesh.types import Json

LARGEST = 64 * 1024  # characters; a public key has some hundreds
FOLDER = "~/.ssh"
COLUMNS = ("name", "fingerprint", "comment", "default:is_default")
columns = listing(*COLUMNS)


@click.group()
def key() -> None:
    """Your SSH keys: list, show, add, delete, default. The default one opens the servers you boot."""


@key.command("list")
@click.option("--ssh", is_flag=True, help="Those in a folder of this machine, and whether the portal has them.")
@click.option("--dir", "folder", default=FOLDER, show_default=True, help="With --ssh: which folder.")
@columns
@pass_client
def list_(client: Client, show: Show, ssh: bool, folder: str) -> None:
    """List your keys.

    \b
    cm key list
    cm key list --ssh
    """
    if ssh:
        rows = _here(folder, {each["public_key"].split()[1]: each["name"] for each in list(client.keys())})
        show._replace(declared=("file", "type", "comment", "key"))(rows, empty=f"No public keys in {folder}.")
    else:
        show(client.keys(), empty="No keys. Add one with: cm key add ~/.ssh/id_ed25519.pub")


@key.command("show")
@click.argument("name")
@click.option("--raw", is_flag=True, help="Only the public key, as a line for authorized_keys.")
@listing("id", *COLUMNS, "added:created_at", "public_key")
@pass_client
def show_(client: Client, show: Show, name: str, raw: bool) -> None:
    """Show one key.

    Example: cm key show laptop --raw >>authorized_keys
    """
    found = client.key(name)
    if raw:
        click.echo(f"{found['public_key']} {found['comment']}".strip())
    else:
        show.one(found)


@key.command()
@click.argument("file", required=False)
@click.option("--name", help="What to call it; as its comment if not said.")
@columns
@pass_client
def add(client: Client, show: Show, file: str | None, name: str | None) -> None:
    """Add the public key in FILE; - is standard input; without FILE one of those in ~/.ssh.

    Example: cm key add ~/.ssh/id_ed25519.pub --name laptop
    """
    path = file or _chosen(FOLDER)
    text = _text(path).strip()
    if "PRIVATE KEY" in text:
        raise Invalid(f"{path} holds a private key, which was not sent. Give the public one, {path}.pub.")
    show.one(client.add_key(text, name))


@key.command()
@names
@sure
@pass_client
def delete(client: Client, names: tuple[str, ...], yes: bool) -> None:
    """Forget keys, after showing which; servers that have them already keep them.

    Example: cm key delete laptop
    """
    keys = client.select_keys(*names)
    if not yes:
        preview(keys, *COLUMNS)
        talk.confirm(f"Forget {'this key' if len(keys) == 1 else f'these {len(keys)} keys'}?")
    for each in keys:
        client.delete_key(each["id"])


@key.command("default")
@click.argument("name", required=False)
@columns
@pass_client
def default_(client: Client, show: Show, name: str | None) -> None:
    """Show which key the next boots take; with NAME take that one from now on.

    Example: cm key default laptop
    """
    if name:
        client.set_defaults(key=name)
    found = next((each for each in list(client.keys()) if each["is_default"]), None)
    if found is None:
        raise NotFound("You have no key. Add one with: cm key add ~/.ssh/id_ed25519.pub")
    show.one(found)


def _chosen(folder: str) -> str:
    """The public key in a folder; one of several that the person chooses."""
    files = _files(folder)
    if not files:
        raise NotFound(f"There is no public key in {folder}. Make one with: ssh-keygen -t ed25519")
    if len(files) == 1:
        return files[0]
    if not talk.can_ask():
        raise click.UsageError(f"Say which key: {' or '.join(files)}")
    return talk.choose("Which key", files)


def _files(folder: str) -> list[str]:
    place = os.path.expanduser(folder)
    try:
        return [os.path.join(place, name) for name in sorted(os.listdir(place)) if name.endswith(".pub")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CloudmeshError(f"{folder} cannot be read: {error.strerror}.") from error


def _here(folder: str, known: dict[str, str]) -> "list[Json]":
    """What the files of a folder hold, and what the portal calls each."""
    parts = ((path, _text(path).split(None, 2)) for path in _files(folder))
    return [
        {"file": path, "type": said[0], "comment": " ".join(said[2:]).strip(), "key": known.get(said[1], "")}
        for path, said in parts
        if len(said) > 1 and said[1].startswith("AAAA")
    ]


def _text(path: str) -> str:
    try:
        with click.open_file(os.path.expanduser(path), encoding="utf-8", errors="replace") as file:
            text: str = file.read(LARGEST)
            return text
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}.") from error
