"""Which way a session goes: a person at a terminal, a file, or a pipe."""

import sys
from collections.abc import Iterator

import click

from cloudmesh.client import Client
from cloudmesh.shell.interactive.script import run_file, run_lines
from cloudmesh.shell.interactive.session import Session


def start(context: click.Context, client: Client, *, file: str | None, banner: bool, quiet: bool) -> int:
    """Run the session to its end; answers its exit code."""
    session = Session(client, quiet=quiet)
    if file:
        return run_file(session, file)
    if not sys.stdin.isatty():
        return _run_pipe(context, session)
    if not sys.stdout.isatty():
        click.echo(context.get_help())
        return 0
    from cloudmesh.shell.interactive.prompt import converse

    return converse(session, banner=banner and not quiet)


def _run_pipe(context: click.Context, session: Session) -> int:
    first = sys.stdin.readline()
    if not first:
        click.echo(context.get_help())
        return 0

    def lines() -> Iterator[str]:
        yield first
        yield from sys.stdin

    return run_lines(session, lines(), "standard input")
