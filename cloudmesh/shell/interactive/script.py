"""Commands from a file or a pipe: the first that fails ends them, and it is said where."""

import os
from collections.abc import Iterable
from typing import Protocol

import click

from cloudmesh.client import Client
from cloudmesh.errors import INTERRUPTED, Invalid
from cloudmesh.shell.interactive.words import whole_lines


class Session(Protocol):
    """Of a session what its own commands and scripts need."""

    client: Client
    variables: dict[str, str]
    scope: dict[str, str]
    is_timed: bool
    has_ended: bool
    history: list[str]
    files: list[str]

    def run(self, line: str) -> int: ...

    def value_of(self, name: str) -> str: ...


def run_file(session: Session, path: str) -> int:
    """Do the commands of a file; answers the exit code of the last. Raises Invalid."""
    identity = os.path.realpath(path)
    if identity in session.files:
        raise Invalid(f"{path} is running already: a script cannot run itself.")
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
    except (OSError, UnicodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}.") from error
    session.files.append(identity)
    try:
        return run_lines(session, lines, path)
    finally:
        session.files.remove(identity)


def run_lines(session: Session, lines: Iterable[str], source: str) -> int:
    """Do one line after the other; a failure is forgiven where the line begins with a dash."""
    for number, line in whole_lines(lines):
        command = line.strip()
        is_forgiven = command.startswith("-")
        code = session.run(command.removeprefix("-"))
        if code == INTERRUPTED or (code and not is_forgiven):
            click.echo(f"cm: {source}:{number}: ended here, with exit code {code}.", err=True)
            return code
        if session.has_ended:
            break
    return 0
