"""One session: its connection, variables and scope, and how a line is done in it."""

import os
import subprocess
import time
from collections import ChainMap
from datetime import datetime
from typing import Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import near
from cloudmesh.shell.interactive import commands, words
from cloudmesh.shell.main import Nouns, ending

SCOPES = ("cloud", "project")
CLOCK = {"now": "%Y-%m-%dT%H:%M:%S", "date": "%Y-%m-%d"}


class Session:
    """What lasts from one line to the next."""

    def __init__(self, client: Client, *, quiet: bool = False) -> None:
        self.client = client
        self.variables: dict[str, str] = {}
        self.scope: dict[str, str] = {}
        self.is_timed = False
        self.has_ended = False
        self.history: list[str] = []  # what was typed, here and in earlier sessions, the newest last
        self.files: list[str] = []  # the scripts that run now, the innermost last
        self.group = click.Group("cm", commands=ChainMap(commands.OWN, Nouns()), help=commands.HELP)  # type: ignore[arg-type]
        self._quiet = quiet

    def run(self, line: str) -> int:
        """Do what a line says; answers its exit code."""
        started = time.monotonic()
        code = ending(lambda: self._run(line.strip()))
        if self.is_timed:
            click.echo(f"{time.monotonic() - started:.2f} s", err=True)
        return code

    def context(self) -> click.Context:
        """The `cm` that each command of this session stands below."""
        context = click.Context(self.group, info_name="cm", obj=self.client, help_option_names=["-h", "--help"])
        context.params["quiet"] = self._quiet
        context.meta[commands.SESSION] = self
        return context

    def value_of(self, name: str) -> str:
        """What a variable stands for. Raises UsageError for an unknown one."""
        if name in CLOCK:
            return datetime.now().astimezone().strftime(CLOCK[name])
        room, _, key = name.partition(".")
        if room == "os" and key:
            return os.environ.get(key, "")
        if room == "default" and key:
            return self.default(key)
        if name not in self.variables:
            raise click.UsageError(
                f"There is no variable {name}.{near(name, [*self.variables, *CLOCK])} Set it with: var {name}=VALUE"
            )
        return self.variables[name]

    def default(self, key: str) -> str:
        """A default of the person, such as cloud, image or project; vm is the last server."""
        if key in self.scope:
            return self.scope[key]
        if key == "project":
            return self.client.me()["project"] or ""
        name = "last_server" if key == "vm" else key
        rows = {row["cloud"]: row for row in self.client.defaults() if row["key"] == name}
        if not rows:
            raise click.UsageError(f"There is no default {key}. Those there are tells: default list")
        cloud = self.default("cloud") if any(rows) else None
        row = rows.get(cloud) or rows.get(None)
        return str(row["value"] or "") if row else ""

    def _run(self, line: str) -> int:
        if line.startswith("!"):
            return subprocess.run([os.environ.get("SHELL") or "/bin/sh", "-c", line[1:]], check=False).returncode  # noqa: S603
        arguments = words.split(line, self.value_of)
        if arguments[:1] == ["cm"]:
            arguments = arguments[1:]
        return self._invoke(arguments) if arguments else 0

    def _invoke(self, arguments: list[str]) -> int:
        with self.context() as context:
            if arguments[0] in ("-h", "--help"):
                arguments = ["help"]
            name, command, rest = self.group.resolve_command(context, arguments)
            assert name
            assert command
            context.default_map = {name: self._scoped(command, rest)}
            with command.make_context(name, rest, parent=context) as inner:
                answer = command.invoke(inner)
        return answer if isinstance(answer, int) else 0

    def _scoped(self, command: click.Command, arguments: list[str]) -> dict[str, Any]:
        """The scope as defaults of the options --cloud and --project, where the command has them."""
        if isinstance(command, click.Group):
            verb = command.commands.get(arguments[0]) if arguments else None
            return {arguments[0]: self._scoped(verb, arguments[1:])} if verb else {}
        options = {option.name for option in command.params if isinstance(option, click.Option)}
        return {name: value for name, value in self.scope.items() if name in options}
