"""Commands that end in words for the servers: what stands after -- is theirs."""

from collections.abc import Callable

import click

from cloudmesh.shell.options import Command

FILE = click.Path(exists=True, dir_okay=False)


class Remote(click.Command):
    """Keeps what follows the first -- as the parameter `command`; None where there is no --."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, theirs = args, None
        if "--" in args:
            at = args.index("--")
            own, theirs = args[:at], tuple(args[at + 1 :])
        try:
            rest = super().parse_args(ctx, own)
        except click.NoSuchOption as error:
            if theirs is not None:
                raise
            said = f"{error.format_message()} What is meant for the server comes after --."
            raise click.UsageError(said, ctx) from None
        ctx.params["command"] = theirs
        return rest


def split(words: tuple[str, ...], command: tuple[str, ...] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and the command; without -- the first word is the name."""
    return (words[:1], words[1:]) if command is None else (words, command)


def reaching(command: Command) -> Command:
    """Gives a command the options that `Ways` needs."""
    options: tuple[Callable[[Command], Command], ...] = (
        click.option("--user", help="Log in as; as your default login or the image's if not said."),
        click.option(
            "--key", type=FILE, metavar="FILE", help="With this private key; one of ~/.ssh that you added if not said."
        ),
        click.option(
            "--ssh-option", "extra", multiple=True, metavar="NAME=VALUE", help="For ssh, as its -o; may be repeated."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
