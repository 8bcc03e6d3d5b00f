"""What goes on by itself on standard output: drawn again on a terminal, a line for each change elsewhere."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Show
from cloudmesh.shell.talk import say

if TYPE_CHECKING:
    from cloudmesh.types import Json

    Reread = Callable[[list[Json]], Iterable[Json]]

HINT = "Ctrl-C ends it."
UNKNOWN = 24  # lines of a terminal that does not say how many it has


def begin() -> None:
    """Say how it ends. Where the output is a pipe, end when its reader does, and not only with the next line."""
    import stat
    import threading

    say(HINT)
    if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
        threading.Thread(target=_end_with_reader, args=(sys.stdout.fileno(),), daemon=True).start()


def watch_servers(client: Client, show: Show, **filters: str) -> None:
    """The servers of `filters`, as `watch` shows them."""
    watch(show, client.watch_servers(**filters), client.by_ids)


def watch(show: Show, tables: "Iterator[list[Json]]", reread: "Reread") -> None:
    """Tables, drawn again with each change, or each record that changed as a line; `reread` those that left them."""
    begin()
    if show.form == "table" and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        _redraw(show, tables)
    else:
        show.each(_changed(tables, reread))


def _redraw(show: Show, tables: "Iterator[list[Json]]") -> None:
    height = 0
    for rows in tables:
        lines = _cut(show.drawn(rows))
        click.echo((f"\x1b[{height}F\x1b[J" if height else "") + "\n".join(lines))
        height = len(lines)


def _cut(lines: list[str]) -> list[str]:
    """As many as the terminal has room for: what scrolled away cannot be drawn again."""
    room = (os.get_terminal_size(sys.stdout.fileno()).lines or UNKNOWN) - 2
    return lines if len(lines) <= room else [*lines[: room - 1], f"… and {len(lines) - room} more"]


def _changed(tables: "Iterator[list[Json]]", reread: "Reread") -> "Iterator[Json]":
    """Each record at first, and then whenever it is another one; also what no longer belongs to them."""
    before: dict[str, Json] = {}
    for rows in tables:
        now = {row["id"]: row for row in rows}
        known = {id: row["version"] for id, row in before.items()}
        yield from (row for row in reversed(rows) if known.get(row["id"]) != row["version"])
        yield from reread([row for id, row in before.items() if id not in now])
        before = now


def _end_with_reader(output: int) -> None:
    import select

    closed = select.poll()
    closed.register(output, 0)  # nothing but its end
    closed.poll()
    os._exit(0)
