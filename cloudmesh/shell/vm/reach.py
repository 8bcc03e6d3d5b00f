"""`cm vm ssh`: a login on a server."""

import os
import sys

import click

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError
from cloudmesh.shell.options import pass_client
from cloudmesh.shell.talk import progress
from cloudmesh.shell.verbs import alias
from cloudmesh.shell.vm.choice import chosen_one
from cloudmesh.shell.vm.remote import Remote, reaching, split
from cloudmesh.shell.vm.way import ATTEMPTS, Ways

SESSION = "cloudmesh.session"  # in the context's meta: `cm` goes on after the command


@click.command(cls=Remote)
@click.argument("words", nargs=-1, metavar="[NAME] [-- COMMAND]")
@reaching
@click.option("--wait", is_flag=True, help="Until it is up and lets somebody in.")
@click.option("--dry-run", is_flag=True, help="Only print the command.")
@pass_client
def ssh(
    client: Client, /, words: tuple[str, ...], command: tuple[str, ...] | None, wait: bool, dry_run: bool,
    user: str | None, key: str | None, extra: tuple[str, ...],
) -> None:  # fmt: skip
    """Log in to a server with ssh, or do COMMAND there; ends as ssh does.

    Its public address is taken where it has one. Its host key is remembered by the server's id: an address that a
    cloud gives again alarms nobody, another key of the same server does.

    \b
    cm vm ssh
    cm vm ssh gregor_1 --user root
    cm vm ssh gregor_1 --wait -- sudo systemctl status
    cm vm ssh gregor_1 --ssh-option ForwardAgent=yes
    """
    names, command = split(words, command)
    if len(names) > 1:
        raise click.UsageError(f"One server at a time, not {len(names)}. On several: cm vm run {' '.join(names)} -- …")
    server = chosen_one(client, *names)
    if wait:
        for now in client.wait_for([server]):
            progress(f"{now['name']}  {now['state']}")
        server = client.server(server["id"])
    more = {"ConnectionAttempts": str(ATTEMPTS)} if wait else {}
    _become(Ways(client, user=user, key=key, extra=extra).to(server, **more).ssh(command), dry_run=dry_run)


login = alias(ssh, "login")


def _become(command: list[str], *, dry_run: bool) -> None:
    """This process goes on as the command; in a session of `cm` the command is a child."""
    import shlex
    import subprocess

    if dry_run:
        click.echo(shlex.join(command))
        return
    sys.stdout.flush()
    try:
        if SESSION in click.get_current_context().meta:
            raise click.exceptions.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603
        os.execvp(command[0], command)  # noqa: S606
    except FileNotFoundError:
        raise CloudmeshError("There is no ssh here. Install it, such as with: apt install openssh-client") from None
