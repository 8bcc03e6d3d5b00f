"""What `cm` says to the person: always on standard error, so that standard output is data only."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from cloudmesh.errors import CloudmeshError


def say(text: str) -> None:
    """Advice, unless `--quiet`."""
    if not click.get_current_context().find_root().params.get("quiet"):
        click.echo(printable(text), err=True)


def progress(text: str) -> None:
    """How far it is: for whoever watches, not for a file or another program."""
    if sys.stderr.isatty():
        say(text)


def warn(text: str) -> None:
    click.echo(f"cm: warning: {printable(text)}", err=True)


def explain(error: CloudmeshError) -> None:
    """The sentence of an error, and below it what helps to mend it."""
    click.echo(f"cm: {printable(error.message)}", err=True)
    for line in _advice(error.facts):
        if line not in error.message:
            click.echo(f"    {printable(line)}", err=True)


def confirm(question: str) -> None:
    """Go on only after a yes; where nobody can answer, that is a usage error."""
    if not can_ask():
        raise click.UsageError(f"{question} Nobody can answer here: add --yes if you are sure.")
    if not click.confirm(printable(question), err=True):
        click.echo("Nothing was done.", err=True)
        raise click.exceptions.Exit(1)


def can_ask() -> bool:
    return sys.stdin.isatty()


def ask(label: str, *, secret: bool = False, default: str | None = None) -> str:
    answer: str = click.prompt(printable(label), hide_input=secret, err=True, default=default, show_default=False)
    return answer


def choose(question: str, names: Sequence[str], usual: str = "") -> str:
    """One of the names, by its number or as it is; Enter takes the usual one, q none of them."""
    if not can_ask():
        raise click.UsageError(f"{question}? Nobody can answer here: give its name.")
    for number, name in enumerate(names, 1):
        click.echo(f"{number:4} {printable(name)}{'  (now)' if name == usual else ''}", err=True)
    answer = ask(f"{question} (number, name, q for none)", default=usual or None)
    if answer == "q" and answer not in names:
        click.echo("Nothing was done.", err=True)
        raise click.exceptions.Exit(1)
    return names[int(answer) - 1] if answer.isdecimal() and 0 < int(answer) <= len(names) else answer


def printable(text: str) -> str:
    """Without control characters: names and reasons come from elsewhere and shall not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else " " if char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def _advice(facts: Mapping[str, Any]) -> list[str]:
    wrong = facts.get("errors")
    said = [f"{text}" for texts in wrong.values() for text in _texts(texts)] if isinstance(wrong, dict) else []
    return [*said, facts["hint"]] if "hint" in facts else said


def _texts(value: Any) -> list[str]:
    """The sentences in what DRF may nest."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else [str(value)]
