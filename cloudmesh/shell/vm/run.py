"""`cm vm run`, `put` and `get`: the same on many servers at once, over ssh."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

import click

from cloudmesh.client import Client
from cloudmesh.errors import CloudmeshError, Conflict
from cloudmesh.shell.options import in_cloud, in_project, pass_client
from cloudmesh.shell.talk import say
from cloudmesh.shell.vm.choice import chosen
from cloudmesh.shell.vm.remote import Remote, reaching, split
from cloudmesh.shell.vm.way import Way, Ways

if TYPE_CHECKING:
    import asyncio

    from cloudmesh.types import Json

LONGEST = 2**24  # bytes of a line
UNREACHED = 255  # what ssh ends with
at_once = click.option(
    "--at-once", type=click.IntRange(1, 200), default=16, show_default=True, help="On how many servers at a time."
)


@click.command(cls=Remote)
@click.argument("words", nargs=-1, metavar="[NAMES] -- COMMAND")
@in_cloud
@in_project
@reaching
@at_once
@pass_client
def run(
    client: Client, /, words: tuple[str, ...], command: tuple[str, ...] | None, at_once: int, cloud: str | None,
    project: str | None, user: str | None, key: str | None, extra: tuple[str, ...],
) -> None:  # fmt: skip
    """Do COMMAND on many servers over ssh, each line of output after the server's name.

    It is read by the shell there, as ssh does it. Nothing is asked: a key with a passphrase needs an agent. Fails if
    it fails on one of the servers, and says on which.

    \b
    cm vm run "web[1-3]" uptime
    cm vm run "web*" db1 --user root -- "df -h | tail -1"
    """
    names, command = split(words, command)
    if not command:
        raise click.UsageError('Say what to do, such as: cm vm run "web[1-3]" uptime')
    servers = chosen(client, names, cloud=cloud, project=project)
    ways = Ways(client, user=user, key=key, extra=extra)
    _on_all(ways, servers, lambda way: way.ssh(command), at_once)


@click.command()
@click.argument("names")
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST", default=".")
@in_cloud
@in_project
@reaching
@at_once
@pass_client
def put(
    client: Client, /, names: str, source: str, target: str, at_once: int, cloud: str | None, project: str | None,
    user: str | None, key: str | None, extra: tuple[str, ...],
) -> None:  # fmt: skip
    """Copy the file or folder SRC to servers, as DST; to the home folder there if not said.

    Example: cm vm put "web[1-3]" site.conf /tmp
    """
    if not os.path.exists(source):
        raise click.UsageError(f"There is no file {source} here.")
    servers = chosen(client, (names,), cloud=cloud, project=project)
    ways = Ways(client, user=user, key=key, extra=extra)
    _on_all(ways, servers, lambda way: way.scp(_local(source), way.remote(target)), at_once)


@click.command()
@click.argument("names")
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST", default=".")
@in_cloud
@in_project
@reaching
@at_once
@pass_client
def get(
    client: Client, /, names: str, source: str, target: str, at_once: int, cloud: str | None, project: str | None,
    user: str | None, key: str | None, extra: tuple[str, ...],
) -> None:  # fmt: skip
    """Copy the file or folder SRC of a server here, as DST; of several into a folder for each in DST.

    Example: cm vm get "web[1-3]" /var/log/syslog logs
    """
    servers = chosen(client, (names,), cloud=cloud, project=project)
    ways = Ways(client, user=user, key=key, extra=extra)
    _on_all(ways, servers, lambda way: way.scp(way.remote(source), _own(target, way, servers)), at_once)


def _own(target: str, way: Way, servers: "list[Json]") -> str:
    """Where the file of one of the servers goes; names that meet on two clouds are told apart by their address."""
    if len(servers) == 1:
        return _local(target)
    is_only = sum(server["name"] == way.name for server in servers) == 1
    folder = os.path.join(target, os.path.basename(way.name if is_only else f"{way.name}-{way.address}"))
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise CloudmeshError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    return _local(folder)


def _local(path: str) -> str:
    """A path here, which scp shall not take for a host with a colon."""
    return path if os.path.isabs(path) else os.path.join(os.curdir, path)


def _on_all(ways: Ways, servers: "list[Json]", command: Callable[[Way], list[str]], at_once: int) -> None:
    """Do it on each server, some at a time; fails and says where if it fails on one."""
    import asyncio

    reached, failed = [], []
    for server in servers:
        try:
            way = ways.to(server, BatchMode="yes")
            reached.append((way.name, command(way)))
        except Conflict as reason:
            say(reason.message)
            failed.append(server["name"])
    for (name, _), code in zip(reached, asyncio.run(_run_all(reached, at_once)), strict=True):
        if code:
            failed.append(f"{name} ({'not reached' if code == UNREACHED else f'exit code {code}'})")
    if failed:
        say(f"{len(servers) - len(failed)} of {len(servers)} done; failed: {', '.join(failed)}")
        raise click.exceptions.Exit(1)


async def _run_all(commands: list[tuple[str, list[str]]], at_once: int) -> list[int]:
    import asyncio

    gate = asyncio.Semaphore(at_once)

    async def one(name: str, command: list[str]) -> int:
        async with gate:
            return await _run(name, command)

    return await asyncio.gather(*(one(name, command) for name, command in commands))


async def _run(name: str, command: list[str]) -> int:
    """The exit code; what is said meanwhile is passed on with the name before each line."""
    import asyncio
    from asyncio.subprocess import DEVNULL, PIPE

    try:
        child = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, limit=LONGEST)
    except FileNotFoundError:
        raise CloudmeshError(f"There is no {command[0]} here. Install it: apt install openssh-client") from None
    assert child.stdout
    assert child.stderr
    try:
        outputs = (_pass_on(child.stdout, sys.stdout.buffer, name), _pass_on(child.stderr, sys.stderr.buffer, name))
        await asyncio.gather(*outputs)
        return await child.wait()
    finally:
        if child.returncode is None:
            child.terminate()


async def _pass_on(lines: "asyncio.StreamReader", to: BinaryIO, name: str) -> None:
    async for line in lines:
        to.write(name.encode() + b": " + line.removesuffix(b"\n") + b"\n")
        to.flush()
