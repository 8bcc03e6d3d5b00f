"""`cm vm label` and `cm vm meta`: words of one's own on servers, here and at their clouds."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show, in_cloud, in_project, listing, names, pass_client, waiting
from cloudmesh.shell.vm.choice import chosen
from cloudmesh.shell.vm.ending import finish

if TYPE_CHECKING:
    from cloudmesh.types import Json

labelled = listing("name", "labels", "state", "cloud")


def pairs(words: Iterable[str]) -> dict[str, str]:
    """`KEY=VALUE` words as what they say. Raises UsageError."""
    found = {}
    for word in words:
        key, given, value = word.partition("=")
        if not given or not key:
            raise click.UsageError(f"{word} is no label. Write KEY=VALUE.")
        found[key] = value
    return found


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[NAMES] KEY=VALUE… KEY-…")
@in_cloud
@in_project
@waiting
@labelled
@pass_client
def label(client: Client, /, show: Show, words: tuple[str, ...], wait: bool, **filters: str) -> None:
    """Set labels of servers, and remove those whose KEY ends in a minus; the rest stays.

    \b
    cm vm label gregor_1 stage=prod owner=ada
    cm vm label "sample[1-3,18]" stage-
    """
    named = [word for word in words if not _is_label(word)]
    said = words[len(named) :]
    if not said or not all(map(_is_label, said)):
        raise click.UsageError("Name servers first, then labels: cm vm label gregor_1 stage=prod tier-")
    labels = pairs(word for word in said if "=" in word)
    removed = [word[:-1] for word in said if "=" not in word]
    _write(client, show, chosen(client, tuple(named), **filters), labels, removed, wait=wait)


@click.group()
def meta() -> None:
    """Labels of servers, in the words of Cloudmesh 4; `cm vm label` does the same."""


@meta.command("list")
@names
@in_cloud
@in_project
@listing("name", "key", "value")
@pass_client
def list_(client: Client, /, show: Show, names: tuple[str, ...], **filters: str) -> None:
    """List the labels of servers, one a line."""
    rows = [
        {"name": server["name"], "key": key, "value": value}
        for server in client.select(*names, **filters)
        for key, value in sorted(server["labels"].items())
    ]
    show(rows, empty="No labels. Set some with: cm vm meta set NAME KEY=VALUE")


@meta.command("set")
@click.argument("name", metavar="NAMES")
@click.argument("labels", nargs=-1, required=True, metavar="KEY=VALUE…")
@waiting
@labelled
@pass_client
def set_(client: Client, /, show: Show, name: str, labels: tuple[str, ...], wait: bool) -> None:
    """Set labels of servers.

    Example: cm vm meta set gregor_1 stage=prod
    """
    _write(client, show, client.select(name), pairs(labels), [], wait=wait)


@meta.command()
@click.argument("name", metavar="NAMES")
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
@waiting
@labelled
@pass_client
def delete(client: Client, /, show: Show, name: str, keys: tuple[str, ...], wait: bool) -> None:
    """Remove labels of servers.

    Example: cm vm meta delete gregor_1 stage
    """
    _write(client, show, client.select(name), {}, list(keys), wait=wait)


def _is_label(word: str) -> bool:
    return "=" in word or word.endswith("-")


def _write(
    client: Client, show: Show, servers: "list[Json]", labels: dict[str, str], remove: list[str], *, wait: bool
) -> None:
    finish(client, show, client.label(servers, labels, remove)["operation"], servers, wait=wait)
