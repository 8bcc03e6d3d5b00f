"""Waiting for an operation: a line on standard error for each step; Ctrl-C leaves the wish running."""

import itertools
from typing import TYPE_CHECKING, NoReturn

import click

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError
from cloudmesh.shell.talk import say

if TYPE_CHECKING:
    from cloudmesh.types import Json

INTERRUPTED = 130
MOST_REASONS = 10


def follow(client: Client, operation: "Json") -> "Json":
    """The operation as it ended. Each step is told once, when it begins."""
    now, told = operation, ""
    try:
        for now in client.follow(operation["id"]):
            line = describe(now)
            if line != told:
                say(line)
            told = line
    except KeyboardInterrupt:
        _leave(operation)
    return now


def describe(operation: "Json") -> str:
    """One line: what it is about, how far it is and what happens now."""
    what = operation["target"]["name"] if operation.get("target") else operation["kind"]
    counts = {state: number for state, number in (operation.get("counts") or {}).items() if number}
    parts = [what, operation["state"].replace("_", " ")]
    if operation["state"] == "running":
        parts = [what, f"{operation['progress']} %", operation["step"]]
    if counts:
        parts.append(", ".join(f"{number} {state}" for state, number in counts.items()))
    return "  ".join(filter(None, parts))


def check(client: Client, operation: "Json") -> None:
    """Raises what an operation failed with, after saying the reason of each of its parts."""
    if operation["state"] == "succeeded":
        return
    if (operation.get("counts") or {}).get("failed"):
        for part in itertools.islice(client.operations(parent=operation["id"], state="failed"), MOST_REASONS):
            say(f"{describe(part)}  {part['reason']}")
    raise CloudmeshError(operation["reason"] or f"The operation was {operation['state']}.")


def _leave(operation: "Json") -> NoReturn:
    say(f"\nIt goes on without you. Follow it with: cm operation wait {operation['id']}")
    raise click.exceptions.Exit(INTERRUPTED)
