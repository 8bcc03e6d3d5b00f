"""`cm NOUN VERB`: each noun is the file or the package of its name beside this one, loaded when it is used.

It has a command of the same name; adding a noun is adding its file.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module

import click
from click.core import ParameterSource

from cloudmesh import __version__
from cloudmesh.client import Client
from cloudmesh.errors import INTERRUPTED, CloudmeshError, Invalid
from cloudmesh.shell import talk
from cloudmesh.shell.options import profile_names

FOLDER = os.path.dirname(os.path.abspath(__file__))
NO_NOUNS = frozenset(
    {"main", "credentials", "files", "follow", "interactive", "live", "options", "signing", "table", "talk", "verbs"}
)


class Nouns(Mapping[str, click.Command]):
    """The commands of all nouns by name, each imported when it is looked up."""

    def __init__(self) -> None:
        found = (name.removesuffix(".py") for name in os.listdir(FOLDER))
        self._names = sorted(name for name in found if name not in NO_NOUNS and name.isidentifier() and name[0] != "_")

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._names:
            raise KeyError(name)
        command: click.Command = getattr(import_module(f"cloudmesh.shell.{name}"), name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@click.group(
    commands=Nouns(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--url", envvar="CLOUDMESH_URL", help="The portal to talk to.")
@click.option("--token", envvar="CLOUDMESH_TOKEN", help="The API token; better in CLOUDMESH_TOKEN than here.")
@click.option(
    "--profile",
    envvar="CLOUDMESH_PROFILE",
    shell_complete=profile_names,
    help="The portal of this name; see: cm login --list",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress, only data and errors.")
@click.option("-f", "--file", type=click.Path(), help="Do the commands in this file, one a line.")
@click.option(
    "--banner/--no-banner",
    default=True,
    envvar="CLOUDMESH_BANNER",
    help="Greet on a terminal, where `cm` alone is a shell of its own; or not.",
)
@click.version_option(__version__, prog_name="cm", message="%(prog)s %(version)s")
@click.pass_context
def cm(context: click.Context, /, file: str | None, banner: bool, quiet: bool, **where: str | None) -> None:
    """Cloudmesh: servers on many clouds with one word.

    Start with `cm vm boot` and `cm vm list`. Data go to standard output, talk to standard error. Exit codes:
    0 done, 1 failed, 2 usage, 3 not found, 4 denied, 5 conflict or quota, 6 portal or cloud unreachable,
    130 interrupted.
    """
    meant = _meant(context, where)
    context.obj = Client(meant["url"], meant["token"], profile=meant["profile"], warn=talk.warn)
    if context.invoked_subcommand is None:
        from cloudmesh.shell.interactive.start import start

        context.exit(start(context, context.obj, file=file, banner=banner, quiet=quiet))
    if file:
        raise click.UsageError(f"Say either --file {file} or {context.invoked_subcommand}.")


def _meant(context: click.Context, where: Mapping[str, str | None]) -> dict[str, str]:
    """Which portal is meant: what is said on the command line comes before the environment."""
    said = {name for name in where if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if "token" in said:
        talk.warn("others on this machine can see a token on the command line; set CLOUDMESH_TOKEN instead.")
    if "profile" in said:  # the environment's address and token are of another portal
        where = {name: value if name in said else None for name, value in where.items()}
    elif where["url"]:
        where = {**where, "profile": None}
    return {name: value or "" for name, value in where.items()}


def main(arguments: list[str]) -> int:
    """Do what the arguments say; answers the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    return ending(lambda: _begin(arguments))


def ending(run: Callable[[], int]) -> int:
    """The exit code of what is run; why it failed is told."""
    try:
        return run()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CloudmeshError as error:
        talk.explain(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        return 0


def printed(line: str) -> str:
    """What a command prints, for `cloudmesh.shell`; what it fails with is raised."""
    import io
    from contextlib import redirect_stdout

    output = io.StringIO()
    try:
        with redirect_stdout(output), cm.make_context("cm", _words(line)) as context:
            try:
                cm.invoke(context)
            finally:
                if context.obj:
                    context.obj.close()
    except click.exceptions.Exit as ended:
        if ended.exit_code:
            raise CloudmeshError(f"cm {line}: ended with {ended.exit_code}.", output=output.getvalue()) from ended
    except (click.ClickException, ValueError) as error:
        raise Invalid(
            error.format_message() if isinstance(error, click.ClickException) else f"{line}: {error}"
        ) from error
    except click.Abort as error:
        raise CloudmeshError("Nothing was done.") from error
    return output.getvalue()


def _words(line: str) -> list[str]:
    import shlex

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise Invalid(f"{line}: {error}. Close every quote.") from error
    if all(word.startswith("-") for word in words):
        raise Invalid("Say a command, such as: vm list")
    return words


def _begin(arguments: list[str]) -> int:
    _require_text(arguments)
    if "_CM_COMPLETE" in os.environ:
        cm.main(arguments, prog_name="cm")  # else it is not asked: a reader that has seen enough fails it
    with cm.make_context("cm", arguments) as context:
        return cm.invoke(context) or 0


def _require_text(arguments: list[str]) -> None:
    for argument in arguments:
        if not argument.isascii() and any("\udc80" <= char <= "\udcff" for char in argument):
            raise click.UsageError(f"{argument!a} is no text in the encoding of this terminal.")
