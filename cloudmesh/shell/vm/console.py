"""`cm vm console` and `cm vm log`: a server's screen, and what it wrote there."""

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.options import pass_client
from cloudmesh.shell.vm.choice import chosen_one

one = click.argument("name", required=False)


@click.command()
@one
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser, too.")
@pass_client
def console(client: Client, name: str | None, is_opened: bool) -> None:
    """Print the address at which a server's screen can be seen; it is good for some minutes.

    Example: cm vm console gregor_1 --open
    """
    screen = client.wait(client.console(chosen_one(client, name)))["result"]
    click.echo(talk.printable(screen["url"]))
    if is_opened and click.launch(screen["url"]):
        talk.warn("no browser could be opened here.")


@click.command()
@one
@click.option("--lines", type=int, default=100, show_default=True, help="How many, the last ones.")
@pass_client
def log(client: Client, name: str | None, lines: int) -> None:
    """Print the last lines that a server wrote to its console.

    Example: cm vm log gregor_1 --lines 20
    """
    answer = client.wait(client.console_log(chosen_one(client, name), lines))["result"]
    for line in answer["text"].splitlines():
        click.echo(talk.printable(line))
