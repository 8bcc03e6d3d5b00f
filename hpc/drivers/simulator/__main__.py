"""Change a simulated scheduler behind the portal's back: `python -m hpc.drivers.simulator WORLD COMMAND`."""

import datetime
import pathlib
from collections.abc import Iterable
from typing import Any

import click

from cloudmesh.errors import CloudmeshError
from cloudmesh.types import JobSpec
from hpc.drivers.simulator import control, faults
from hpc.drivers.simulator.world import USERNAME, World

pass_world = click.make_pass_decorator(World)


class Group(click.Group):
    """Says a refusal of the simulated scheduler as an error of the command."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CloudmeshError as error:
            raise click.ClickException(error.message) from error


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("world")
@click.option(
    "--state-dir",
    type=click.Path(path_type=pathlib.Path, file_okay=False),
    default="var",
    envvar="CLOUDMESH_STATE_DIR",
    show_default=True,
    show_envvar=True,
    help="Where the portal keeps its state.",
)
@click.pass_context
def main(ctx: click.Context, world: str, state_dir: pathlib.Path) -> None:
    """Change the simulated scheduler WORLD directly, as its owner could, and let it fail.

    Example: python -m hpc.drivers.simulator india speed 60
    """
    ctx.obj = World(state_dir, world)
    if not ctx.obj.path.exists():
        click.echo(f"The world {world} is new; it is kept in {ctx.obj.path}.", err=True)
    ctx.call_on_close(ctx.obj.close)


# -- its character -------------------------------------------------------------------------------------------


@main.command()
@click.argument("factor", type=float)
@pass_world
def speed(world: World, factor: float) -> None:
    """Let FACTOR seconds of each job that starts from now on pass in one; 1 is as in life."""
    control.set_speed(world, factor)


@main.command()
@click.argument("load", type=float)
@pass_world
def crowd(world: World, load: float) -> None:
    """Let other people keep this part of the cores busy, such as 0.65; with 0 they leave."""
    control.set_crowd(world, load)


@main.command()
@click.option("--jobs", type=click.IntRange(0), help="That each person may have in hand.")
@click.option("--bytes", "size", type=click.IntRange(0), help="That the files of each person may have.")
@pass_world
def limits(world: World, jobs: int | None, size: int | None) -> None:
    """Limit what each person may have."""
    control.set_limits(world, max_jobs=jobs, max_bytes=size)


@main.command()
@click.argument("login")
@click.password_option()
@pass_world
def person(world: World, login: str, password: str) -> None:
    """Have a person, or give an old one a new password."""
    control.add_person(world, login, password)


@main.command()
@click.argument("name")
@click.argument("state", type=click.Choice(control.QUEUE_STATES))
@pass_world
def queue(world: World, name: str, state: str) -> None:
    """Open a queue, stop it (takes jobs, starts none), close it (starts jobs, takes none) or down it (neither)."""
    control.set_queue(world, name, state)


@main.command()
@click.argument("name")
@click.argument("state", type=click.Choice(control.NODE_STATES))
@click.option("--reason", default="", help="Why, for people.")
@pass_world
def node(world: World, name: str, state: str, reason: str) -> None:
    """Take a node out of service or back; jobs on one that goes down are lost."""
    control.set_node(world, name, state, reason)


@main.command()
@click.argument("name")
@click.option("--count", default=1, type=click.IntRange(1, 100_000))
@click.option("--queue", default="", help="Otherwise the default queue.")
@click.option("--seconds", default=60, type=click.IntRange(0), show_default=True, help="How long it lasts.")
@click.option("--login", default=USERNAME, show_default=True)
@pass_world
def submit(world: World, name: str, count: int, queue: str, seconds: int, login: str) -> None:
    """Submit jobs that nobody asked the portal for."""
    spec = JobSpec(name=name, script=f"echo {name}\nsleep {seconds}\n", queue=queue)
    ids = control.submit(world, spec, count=count, login=login)
    click.echo(ids[0] if count == 1 else f"{count} jobs wait.")


# -- faults --------------------------------------------------------------------------------------------------


@main.command()
@click.argument("kind")
@click.argument("effect", type=click.Choice(faults.EFFECTS))
@click.option("--times", type=click.IntRange(1), help="Only the next so many requests.")
@click.option("--fraction", default=1.0, help="Only this part of the requests, like 0.1.")
@click.option("--delay", default=0.0, help="Seconds to wait before; a timeout without it waits as long as the client.")
@click.option("--text", default="", help="What the scheduler says.")
@pass_world
def fail(world: World, /, kind: str, effect: str, **how: Any) -> None:
    """Let requests of KIND (a pattern: submit, jobs, '*') meet EFFECT."""
    click.echo(control.fail(world, kind, effect, **how))


@main.command("faults")
@pass_world
def list_faults(world: World) -> None:
    """List the faults that may still strike."""
    columns = ("id", "kind", "effect", "remaining", "fraction", "delay", "text")
    _table(columns, ([row[column] for column in columns] for row in control.known_faults(world)))


@main.command()
@click.argument("fault", type=int, required=False)
@pass_world
def recover(world: World, fault: int | None) -> None:
    """Take away one FAULT, or all of them and any outage."""
    control.recover(world, fault)


@main.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@pass_world
def outage(world: World, switch: str) -> None:
    """Be away, until it is switched off."""
    control.outage(world, on=switch == "on")


@main.command()
@click.argument("kind", default="*")
@click.option("--last", default=20, type=click.IntRange(1), show_default=True)
@pass_world
def requests(world: World, kind: str, last: int) -> None:
    """List the last requests of KIND (a pattern) that came."""
    rows = control.requests(world, kind)[-last:]
    _table(
        ("at", "kind", "outcome", "login", "token"),
        ((_clock(row["at"]), row["kind"], row["outcome"], row["login"], row["token"]) for row in rows),
    )


def _clock(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="milliseconds")


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    lines = [tuple(head), *(tuple("" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main(prog_name="python -m hpc.drivers.simulator")
