"""`cm completion`: the script with which a shell completes `cm`."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for your shell.

    \b
    cm completion bash > ~/.local/share/bash-completion/completions/cm
    cm completion zsh > "${fpath[1]}/_cm"
    cm completion fish > ~/.config/fish/completions/cm.fish
    """
    made = get_completion_class(shell)
    assert made
    click.echo(made(context.find_root().command, {}, "cm", "_CM_COMPLETE").source())
