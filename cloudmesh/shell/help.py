"""`cm help`: of a noun or a verb, or of all of them."""

from collections.abc import Iterator

import click


@click.command()
@click.argument("words", nargs=-1, metavar="[NOUN [VERB]]")
@click.option("--markdown", is_flag=True, help="All commands, as the reference of the documentation.")
@click.pass_context
def help(context: click.Context, words: tuple[str, ...], markdown: bool) -> None:
    """Explain a command, such as: cm help vm boot"""
    top = context.find_root()
    if markdown:
        click.echo("\n".join(_reference(top)))
        return
    for word in words:
        if not isinstance(top.command, click.Group):
            raise click.UsageError(f"{top.command_path} has no verbs.")
        _, command, _ = top.command.resolve_command(top, [word])
        assert command
        top = click.Context(command, parent=top, info_name=word)
    click.echo(top.get_help())


def _reference(context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n\n```text\n{context.get_help()}\n```\n"
    if isinstance(context.command, click.Group):
        for name, command in context.command.commands.items():
            if command.hidden:
                continue
            yield from _reference(click.Context(command, parent=context, info_name=name))
