"""A line as words: comments away, quotes honoured, variables replaced."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator

import click

VARIABLE = re.compile(r"\$(?:\$|\{([\w.]+)\}|([A-Za-z_]\w*(?:\.\w+)*))")
COMMENT = re.compile(r"\s*(#|//)")


def split(line: str, value_of: Callable[[str], str]) -> list[str]:
    """The words of a line; a variable's value stays one word, whatever is in it, and `$$` is a dollar."""
    if COMMENT.match(line):
        return []
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise click.UsageError(f"This line does not end as it began ({error}): {line}") from None
    words = _before_comment(words)
    return [VARIABLE.sub(lambda found: _value(found, value_of), word) for word in words]


def whole_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Each line with the number it begins at; those that end in a backslash joined with what follows."""
    begun, first = "", 0
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        first = first or number
        if text.endswith("\\"):
            begun += text[:-1]
            continue
        yield first, begun + text
        begun, first = "", 0
    if begun:
        yield first, begun


def _before_comment(words: list[str]) -> list[str]:
    return words[: next((index for index, word in enumerate(words) if word in ("#", "//")), None)]


def _value(found: re.Match[str], value_of: Callable[[str], str]) -> str:
    name = found[1] or found[2]
    return value_of(name) if name else "$"
