"""Change a simulated cloud behind the portal's back: `python -m clouds.drivers.simulator WORLD COMMAND`."""

import datetime
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import click

from clouds.drivers.simulator import control, faults, servers
from clouds.drivers.simulator.world import USERNAME, CloudError, World

pass_world = click.make_pass_decorator(World)


class Group(click.Group):
    """Says a refusal of the simulated cloud as an error of the command."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CloudError as error:
            raise click.ClickException(error.words) from error


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
    """Change the simulated cloud WORLD directly, as its owner could, and let it fail.

    Example: python -m clouds.drivers.simulator india boot surprise
    """
    ctx.obj = World(state_dir, world)
    if not ctx.obj.path.exists():
        click.echo(f"The world {world} is new; it is kept in {ctx.obj.path}.", err=True)
    ctx.call_on_close(ctx.obj.close)


# -- servers -------------------------------------------------------------------------------------------------


@main.command("list")
@click.option("--all", "with_deleted", is_flag=True, help="Show deleted servers too.")
@pass_world
def list_servers(world: World, with_deleted: bool) -> None:
    """List the servers of all projects."""
    rows = (
        (doc["name"], doc["status"], doc["task"] or "", doc["project"], doc["flavor"]["name"], doc["id"])
        for doc in control.listing(world)
        if with_deleted or doc["status"] != "DELETED"
    )
    _table(("name", "status", "task", "project", "flavor", "id"), rows)


@main.command()
@click.argument("name")
@click.option("--count", default=1, type=click.IntRange(1, 100_000), help="Several at once, with numbered names.")
@click.option("--image", default="ubuntu-24.04", show_default=True)
@click.option("--flavor", default="m1.small", show_default=True)
@click.option("--project", default=USERNAME, show_default=True)
@pass_world
def boot(world: World, name: str, count: int, image: str, flavor: str, project: str) -> None:
    """Boot servers that nobody asked the portal for; no quota holds."""
    ids = control.boot(world, name, count=count, image=image, flavor=flavor, project=project)
    click.echo(ids[0] if count == 1 else f"{count} servers boot.")


def _action(action: str) -> click.Command:
    """The command that does one action to servers named by name or id."""

    @click.argument("names", nargs=-1, required=True)
    @pass_world
    def command(world: World, names: tuple[str, ...]) -> None:
        for name in names:
            control.act(world, name, action)

    return click.command(action, help=f"{action.capitalize()} servers, named by name or id.")(command)


for _name in (*servers.ACTIONS, "delete"):
    main.add_command(_action(_name))


@main.command()
@click.argument("name")
@click.argument("new_name")
@pass_world
def rename(world: World, name: str, new_name: str) -> None:
    """Give a server another name."""
    control.act(world, name, "rename", value=new_name)


@main.command("break")
@click.argument("name")
@click.option("--text", default="The host of this instance went down.", show_default=True)
@pass_world
def break_down(world: World, name: str, text: str) -> None:
    """Put a server in ERROR, as a dying host would."""
    control.break_down(world, name, text)


# -- its character -------------------------------------------------------------------------------------------


@main.command()
@click.argument("shortest", type=float, required=False)
@click.argument("longest", type=float, required=False)
@click.option("--kind", "kinds", multiple=True, help="Only of this: build, delete, stop, request, ….")
@pass_world
def latency(world: World, shortest: float | None, longest: float | None, kinds: tuple[str, ...]) -> None:
    """Show how long things take, or let them take SHORTEST to LONGEST seconds."""
    if shortest is not None:
        control.set_latency(world, shortest, longest, kinds=kinds)
    _table(("kind", "from", "to"), ((kind, *span) for kind, span in control.latencies(world).items()))


@main.command()
@click.argument("caps", nargs=-1, metavar="[RESOURCE=LIMIT]...")
@click.option("--project", default="", help="Only of this project.")
@pass_world
def quota(world: World, caps: tuple[str, ...], project: str) -> None:
    """Show the quota or change it, as in: quota instances=5 cores=unlimited."""
    control.set_quota(world, project=project, **dict(map(_cap, caps)))
    _table(("resource", "limit"), _shown(control.quota(world, project=project)))


def _cap(text: str) -> tuple[str, int | None]:
    resource, _, cap = text.partition("=")
    if cap != "unlimited" and not cap.isdigit():
        raise click.BadParameter(f"{text!r} is not like instances=5 or cores=unlimited.")
    return resource, None if cap == "unlimited" else int(cap)


def _shown(caps: Mapping[str, int | None]) -> Iterable[tuple[str, int | str]]:
    return ((resource, "unlimited" if cap is None else cap) for resource, cap in sorted(caps.items()))


@main.command()
@click.argument("username")
@click.option("--project", default="", help="Its project; one of its own otherwise.")
@click.password_option()
@pass_world
def account(world: World, username: str, project: str, password: str) -> None:
    """Have an account, or give an old one a new password."""
    control.add_account(world, username, password, project=project)


# -- faults --------------------------------------------------------------------------------------------------


@main.command()
@click.argument("kind")
@click.argument("effect", type=click.Choice(faults.EFFECTS))
@click.option("--times", type=click.IntRange(1), help="Only the next so many requests.")
@click.option("--fraction", default=1.0, help="Only this part of the requests, like 0.1.")
@click.option("--delay", default=0.0, help="Seconds to wait before; a timeout without it waits as long as the client.")
@click.option("--text", default="", help="What the cloud says.")
@pass_world
def fail(world: World, /, kind: str, effect: str, **how: Any) -> None:
    """Let requests of KIND (a pattern: create_server, 'find*', '*') meet EFFECT."""
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
    """Refuse every connection, until it is switched off."""
    control.outage(world, on=switch == "on")


@main.command()
@click.argument("kind", default="*")
@click.option("--last", default=20, type=click.IntRange(1), show_default=True)
@pass_world
def requests(world: World, kind: str, last: int) -> None:
    """List the last requests of KIND (a pattern) that came."""
    rows = (
        (_clock(row["at"]), row["kind"], row["outcome"], row["username"], row["token"] or row["server"])
        for row in control.requests(world, kind)[-last:]
    )
    _table(("at", "kind", "outcome", "username", "token or server"), rows)


def _clock(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="milliseconds")


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    lines = [tuple(head), *(tuple("" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main(prog_name="python -m clouds.drivers.simulator")
