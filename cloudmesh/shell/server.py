"""`cm server`: the portal of this clone, on this machine."""

import os
import subprocess
import sys
from typing import TextIO

import click

from cloudmesh import config
from cloudmesh.client import Client
from cloudmesh.config import STANDALONE, logins
from cloudmesh.errors import NotFound
from cloudmesh.shell.options import pass_client


@click.group()
def server() -> None:
    """The portal of this clone: start, stop, status."""


@server.command()
@click.option("--host", help="The address to listen on; 127.0.0.1 if not said.")
@click.option("--port", type=click.IntRange(1, 65535), help="Or the next free one; 8000 if not said.")
@pass_client
def start(client: Client, host: str | None, port: int | None) -> None:
    """Install what is missing, start the portal in the background, and print its address.

    \b
    cm server start
    cm server start --port 9000
    """
    clone = _clone()
    given = [word for name, value in (("--host", host), ("--port", port)) if value for word in (name, str(value))]
    _run(clone, [os.path.join(clone, "requirements", "install"), "run"])
    _run(clone, [*_standalone(clone), "--detached", *given])
    own = logins.choose(STANDALONE)
    client.turn_to(profile=STANDALONE)
    click.echo(own.url)


@server.command()
def stop() -> None:
    """Stop the portal and wait for its end; nothing is lost. Example: cm server stop"""
    clone = _clone()
    _run(clone, [*_standalone(clone), "--stop"])


@server.command()
@click.pass_context
def status(context: click.Context) -> None:
    """Tell what runs here and where its things are; exit code 3 when nothing does. Example: cm server status"""
    clone = _clone()
    context.exit(_call(clone, [*_standalone(clone), "--status"], None))


def _clone() -> str:
    """Raises NotFound where this cm was installed without a portal."""
    clone = config.clone()
    if not os.path.exists(os.path.join(clone, "manage.py")):
        raise NotFound(
            f"This cm has no portal of its own: {clone} is no clone of Cloudmesh Portal. Use the cm of a clone, or "
            "name the clone in CLOUDMESH_HOME."
        )
    return clone


def _standalone(clone: str) -> list[str]:
    """By the clone's own Python: the one that runs here need not have what a portal needs."""
    python = os.path.join(clone, ".venv", "bin", "python")
    if not os.path.exists(python):
        raise NotFound(f"The portal in {clone} is not installed yet. Install and start it with: cm server start")
    return [python, "manage.py", "standalone"]


def _run(clone: str, command: list[str]) -> None:
    """With its progress beside the data. Raises Exit with the exit code of a failure."""
    is_quiet = click.get_current_context().find_root().params.get("quiet")
    code = _call(clone, command, subprocess.DEVNULL if is_quiet else sys.stderr)
    if code:
        raise click.exceptions.Exit(code)


def _call(clone: str, command: list[str], output: int | TextIO | None) -> int:
    return subprocess.run(command, cwd=clone, env=_environment(), stdout=output, check=False).returncode  # noqa: S603


def _environment() -> dict[str, str]:
    """What this process sees, but the address of the portal that `cm` talks to is not where the clone's own is."""
    seen = {name: value for name, value in os.environ.items() if name not in ("CLOUDMESH_TOKEN", "CLOUDMESH_PROFILE")}
    if seen.get("CLOUDMESH_BEHIND_PROXY") != "1":
        seen.pop("CLOUDMESH_URL", None)
    if "CLOUDMESH_STATE_DIR" in seen:
        seen["CLOUDMESH_STATE_DIR"] = os.path.abspath(seen["CLOUDMESH_STATE_DIR"])
    return seen
