"""The table of the originals' commands and of what they are now, for docs/reference/originals.md.

usage: originals.py     (from the top of the clone; prints the document, fails where a command is not there)
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from cloudmesh.shell.main import cm

SOURCE = Path(__file__).with_suffix(".tsv")
HEAD = """# The originals' commands

What people typed in the Cloudmesh of 2013 to 2024 (`cm`, `cms` and their side projects), and what they type now. The
command's own page is [cm](cm.md). Generated from `.ci/originals.tsv` by `.ci/originals.py`, which checks that each
command is there."""


def document() -> Iterator[str]:
    yield HEAD
    for line in SOURCE.read_text().splitlines()[1:]:
        if line.startswith("## "):
            yield f"\n{line}\n\n| originally | now | |\n|---|---|---|"
            continue
        before, now, about = line.split("\t")
        commands = [command for command in now.split("; ") if command]
        for command in commands:
            find(command)
        yield f"| {code(before.split(', '))} | {code(commands) or '—'} | {about} |"


def code(commands: list[str]) -> str:
    return ", ".join(f"`{command}`" for command in commands)


def find(path: str) -> None:
    """Raises LookupError for a command that is not there."""
    command: click.Command = cm
    for word in path.split()[1:]:
        below = command.commands if isinstance(command, click.Group) else {}
        if word not in below:
            raise LookupError(f"{path}: there is no {word}")
        command = below[word]


if __name__ == "__main__":
    sys.stdout.writelines(f"{text}\n" for text in document())
