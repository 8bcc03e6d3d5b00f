"""The verbs of a noun that is a package, each imported when it is looked up."""

import copy
from collections.abc import Iterator, Mapping
from importlib import import_module

import click


class Verbs(Mapping[str, click.Command]):
    """Commands by name. `families` says in which module of the package each verb is: `"power": "start stop"`.

    The module has a command of the verb's name; one that would hide a word of Python ends in _, as `list_` does.
    """

    def __init__(self, package: str, families: Mapping[str, str]) -> None:
        self._package = package
        self._modules = {verb: module for module, verbs in families.items() for verb in verbs.split()}

    def __getitem__(self, verb: str) -> click.Command:
        module = import_module(f"{self._package}.{self._modules[verb]}")
        command: click.Command = vars(module).get(f"{verb}_") or vars(module)[verb]
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


def alias(command: click.Command, name: str) -> click.Command:
    """The same command by the name that the originals had for it; help does not list it."""
    same = copy.copy(command)
    same.name, same.hidden = name, True
    return same
