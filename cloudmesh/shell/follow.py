"""Waiting for an operation: a line for each step on a terminal; Ctrl-C leaves the wish running."""

import itertools
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from cloudmesh.client import Client
from cloudmesh.client.problems import failure_of
from cloudmesh.errors import INTERRUPTED
from cloudmesh.shell.talk import progress, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudmesh.types import Json

MOST_REASONS = 10


def follow(client: Client, operation: "Json") -> "Json":
    """The operation as it ended. Each step is told once, when it begins, and what it waits for wherever one reads;

    why it failed tells `check`.
    """
    now, told = operation, ""
    try:
        for now in client.follow(operation["id"]):
            line = describe(now)
            if line != told and now["state"] != "failed":
                (say if now["reason"] else progress)(line)
            told = line
    except KeyboardInterrupt:
        _leave(operation)
    return now


def describe(operation: "Json") -> str:
    """One line: what it is about, how far it is, what happens now and what it waits for."""
    what = operation["target"]["name"] or operation["kind"]
    if operation["state"] == "running":
        parts = [what, f"{operation['progress']} %", operation["step"] or "started", operation["reason"]]
    else:
        parts = [what, operation["state"].replace("_", " "), operation["reason"]]
    return "  ".join(filter(None, parts))


def check(client: Client, operation: "Json") -> None:
    """Raises what an operation failed with, after telling the reason of each of its parts."""
    if operation["state"] == "succeeded":
        return
    if operation["is_batch"]:
        for part in itertools.islice(client.operations(parent=operation["id"], state="failed"), MOST_REASONS):
            say(describe(part))
    raise failure_of(operation)


def until(client: Client, holds: "Callable[[], bool]", seconds: float) -> bool:
    """Whether something came to hold in this time; it is looked at now, and whenever something changed."""
    import threading

    from cloudmesh.client.call import BrokenOff, Call
    from cloudmesh.client.stream import watch

    call = Call(client.session)
    alarm = threading.Timer(seconds, call.break_off)
    alarm.daemon = True
    alarm.start()
    try:
        return any(watch(call, lambda message: holds()))
    except BrokenOff:
        return False
    finally:
        alarm.cancel()


def _leave(operation: "Json") -> NoReturn:
    if sys.stderr.isatty():
        click.echo(err=True)  # below the ^C that the terminal shows
    say(f"It goes on without you. Follow it with: cm operation wait {operation['id']}")
    raise click.exceptions.Exit(INTERRUPTED)
