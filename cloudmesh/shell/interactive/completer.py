"""What can follow: nouns, verbs, options, their choices, and names of what is there."""

import shlex
from collections.abc import Iterable, Iterator

import click
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from cloudmesh.shell.interactive.names import Names

Candidates = Iterable[tuple[str, str]]


class Words(Completer):
    """Completes the word at the cursor."""

    def __init__(self, group: click.Group, names: Names) -> None:
        self._group = group
        self._names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        text = document.text_before_cursor
        try:
            words = shlex.split(text)
        except ValueError:
            return  # inside quotes
        begun = words.pop() if words and not text[-1:].isspace() else ""
        for name, about in self._candidates(words, begun):
            if name.startswith(begun):
                yield Completion(shlex.quote(name), -len(begun), display=name, display_meta=about)

    def _candidates(self, words: list[str], begun: str) -> Candidates:
        path, command, rest = self._resolve(words)
        if path[-1:] in (["help"], ["man"]):
            command, rest = self._resolve(rest)[1:]
        if isinstance(command, click.Group):
            return [] if rest else _verbs(command)
        option = _option(command, rest[-1]) if rest else None
        if option and not option.is_flag:
            return self._values(option, option.name or "")
        if begun.startswith("-"):
            return _options(command)
        argument = _argument(command, rest)
        return self._values(argument, _kind(path, argument)) if argument else _options(command)

    def _resolve(self, words: list[str]) -> tuple[list[str], click.Command, list[str]]:
        """The words that name a command, the command, and the words after them."""
        command: click.Command = self._group
        for index, word in enumerate(words):
            below = command.commands.get(word) if isinstance(command, click.Group) else None
            if below is None:
                return words[:index], command, words[index:]
            command = below
        return words, command, []

    def _values(self, parameter: click.Parameter, kind: str) -> Candidates:
        if isinstance(parameter.type, click.Choice):
            return [(str(choice), "") for choice in parameter.type.choices]
        own = parameter.shell_complete(click.Context(self._group), "")
        return [(item.value, "") for item in own if item.type == "plain"] or self._names.of(kind)


def _verbs(group: click.Group) -> Candidates:
    return [(name, command.get_short_help_str(60)) for name, command in group.commands.items()]


def _options(command: click.Command) -> Candidates:
    options = (option for option in command.params if isinstance(option, click.Option) and not option.hidden)
    return [(name, option.help or "") for option in options for name in option.opts if name.startswith("--")]


def _option(command: click.Command, word: str) -> click.Option | None:
    return next((each for each in command.params if isinstance(each, click.Option) and word in each.opts), None)


def _argument(command: click.Command, rest: list[str]) -> click.Argument | None:
    """The argument that comes next: the one that takes any number of words, or the first that has none yet."""
    place = sum(
        not word.startswith("-") and not _takes_a_value(command, before)
        for before, word in zip(["", *rest], rest, strict=False)
    )
    for argument in (each for each in command.params if isinstance(each, click.Argument)):
        if argument.nargs == -1 or place == 0:
            return argument
        place -= 1
    return None


def _takes_a_value(command: click.Command, word: str) -> bool:
    option = _option(command, word)
    return bool(option and not option.is_flag)


def _kind(path: list[str], argument: click.Argument) -> str:
    """Of what an argument is the name: `vm show NAME` of a server, `use cloud NAME` of a cloud."""
    if argument.name not in ("name", "names"):
        return argument.name or ""
    return path[1] if path[:1] == ["use"] and len(path) > 1 else path[0]
