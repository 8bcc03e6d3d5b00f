"""What a job asks for, as options; and what of it goes to the portal."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import Conflict
from cloudmesh.shell.options import Command

if TYPE_CHECKING:
    from cloudmesh.types import Json

PLAN = (
    *("outcome", "cluster", "queue:spec.queue", "project", "login", "name:spec.name", "nodes:resources.nodes"),
    *("cores:resources.cores", "core_hours:resources.core_hours", "walltime", "policies:decision.reasons"),
    *("next:decision.next", "refusal"),
)


def _walltime(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    from cloudmesh.types.amounts import parse_walltime

    return parse_walltime(text) if text is not None else None


def _memory(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    from cloudmesh.types.amounts import parse_memory

    return parse_memory(text) if text is not None else None


#: What templates keep, too.
RESOURCES: "tuple[Callable[[Command], Command], ...]" = (
    click.option("--cluster", help="Where; where you submitted last if not said."),
    click.option("--queue", "-q", help="Into which queue; the usual one if not said."),
    click.option("--account", "-A", help="On which account there."),
    click.option("--qos", help="With which quality of service."),
    click.option("--nodes", "-N", type=int, help="On how many nodes."),
    click.option("--tasks", "-n", type=int, help="How many tasks, all together."),
    click.option("--cores", "-c", type=int, help="For each task."),
    click.option("--gpus", "-G", type=int, help="On each node."),
    click.option("--memory", callback=_memory, metavar="SIZE", help="On each node, such as 500M or 4G."),
    click.option("--walltime", "-t", callback=_walltime, metavar="TIME", help="At most, such as 1:30:00, 90m or 2d."),
    click.option("--array", "-a", metavar="NUMBERS", help="A task for each of these, such as 1-10%2."),
)
OTHERS: "tuple[Callable[[Command], Command], ...]" = (
    click.option("--name", "-J", help="What it is called."),
    click.option("--project", help="For which project."),
    click.option("--after", multiple=True, metavar="JOB", help="Begins when this one has succeeded; repeatable."),
    click.option("--hold", "is_held", is_flag=True, default=None, help="Held, until it is released."),
    click.option(
        "--file", "files", multiple=True, metavar="PATH[:THERE]",
        help="Goes into its directory, below its own name or THERE; repeatable.",
    ),
    click.option("--if-down", type=click.Choice(["wait", "fail"]), help="What to do while it does not answer."),
)  # fmt: skip


def asking(*groups: "Iterable[Callable[[Command], Command]]") -> Callable[[Command], Command]:
    """Gives a command these options."""

    def decorate(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate


def wish(client: Client, *, files: tuple[str, ...], after: tuple[str, ...], **wanted: Any) -> "Json":
    """What `Client.submit_job` takes. Raises UsageError for a file that cannot be read, NotFound for another job."""
    before = client.select_jobs(*after, cluster=wanted["cluster"]) if after else []
    for job in before:
        if not job["provider_id"]:
            raise Conflict(f"{job['name']} is not at its cluster yet. Submit what comes after it a little later.")
    ids = [job["provider_id"] for job in before]
    return {**wanted, "after": ids or None, "files": dict(map(_loaded, files)) or None}


def _loaded(text: str) -> tuple[str, bytes]:
    """A file's path there and what is in it."""
    path, _, there = text.partition(":") if not os.path.exists(text) else (text, "", "")
    try:
        with open(path, "rb") as file:
            return there or os.path.basename(path), file.read()
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}.") from error
