"""What only the interactive shell and scripts have: var, use, timer, exec, man and the ways out."""

import threading

import click
from click.decorators import pass_meta_key

from cloudmesh.shell import help as pages
from cloudmesh.shell import talk
from cloudmesh.shell.interactive import script

SESSION = "cloudmesh.session"
RESERVED = frozenset({"now", "date"})
HELP = """Cloudmesh: servers on many clouds with one word.

Below are the commands; help NOUN VERB, or man, tells more of each. A line that ends in a backslash goes on in the
next, lines that begin with # or // are comments, and what follows a ! is done by your own shell. Variables are
written $NAME; $now, $date, $os.HOME, $default.cloud and $default.vm are there from the start.
"""

pass_session = pass_meta_key(SESSION, doc_description="the session")


@click.command()
@click.argument("assignment", default="", metavar="[NAME=VALUE]")
@click.option("--delete", is_flag=True, help="Forget it.")
@pass_session
def var(session: "script.Session", assignment: str, delete: bool) -> None:
    """Set a variable of this session, or list them all.

    \b
    var name=web[1-3]
    vm boot --name $name
    var --delete name
    """
    name, equals, value = assignment.partition("=")
    if delete:
        session.value_of(name)
        session.variables.pop(name, None)
        return
    if equals:
        if not name.isidentifier() or name in RESERVED:
            raise click.UsageError(f"{name!r} cannot be a variable's name: it needs letters, and is not now or date.")
        session.variables[name] = value
    elif name:
        click.echo(session.value_of(name))
    else:
        for each, kept in sorted(session.variables.items()):
            click.echo(f"{each}={kept}")


@click.group(invoke_without_command=True)
@click.pass_context
def use(context: click.Context) -> None:
    """Which cloud, cluster and project the commands of this session are about; an empty NAME ends it.

    \b
    use cloud india
    use cluster delta
    use project fg82
    use
    """
    if context.invoked_subcommand is None:
        for kind, name in context.meta[SESSION].scope.items():
            click.echo(f"{kind} {name}")


@use.command()
@click.argument("name")
@pass_session
def cloud(session: "script.Session", name: str) -> None:
    """Work on the cloud NAME in this session. Example: use cloud india"""
    _use(session, "cloud", name and session.client.cloud(name)["name"])


@use.command()
@click.argument("name")
@pass_session
def cluster(session: "script.Session", name: str) -> None:
    """Work at the HPC cluster NAME in this session. Example: use cluster delta"""
    _use(session, "cluster", name and session.client.cluster(name)["name"])


@use.command()
@click.argument("name")
@pass_session
def project(session: "script.Session", name: str) -> None:
    """Work in the project NAME in this session. Example: use project fg82"""
    _use(session, "project", name and session.client.project(name)["name"])


@click.command()
@click.argument("switch", type=click.Choice(["on", "off"]))
@pass_session
def timer(session: "script.Session", switch: str) -> None:
    """Tell how long each command took. Example: timer on"""
    session.is_timed = switch == "on"


@click.command()
@click.argument("text", nargs=-1)
def echo(text: tuple[str, ...]) -> None:
    """Say something. Example: echo $now the cluster is up"""
    click.echo(" ".join(text))


@click.command()
@click.argument("seconds", type=click.FloatRange(0, 86_400))
def sleep(seconds: float) -> None:
    """Do nothing for some seconds. Example: sleep 5"""
    threading.Event().wait(seconds)


@click.command()
@click.argument("message", nargs=-1)
def pause(message: tuple[str, ...]) -> None:
    """Wait for Enter, to show what there is before going on. Example: pause Now look at the web page"""
    if not talk.can_ask():
        raise click.UsageError("Nobody can press Enter here: pause is for a terminal.")
    talk.ask(" ".join(message) or "Enter goes on", default="")


@click.command()
def clear() -> None:
    """Clear the screen."""
    click.clear()


@click.command()
@click.argument("text", default="")
@click.option("-n", "--number", type=click.IntRange(1), default=30, show_default=True, help="At most so many.")
@pass_session
def history(session: "script.Session", text: str, number: int) -> None:
    """Show what was typed last, or of it what has TEXT in it; a line with a secret is not kept.

    \b
    history
    history boot -n 5
    """
    for line in [line for line in session.history if text in line][-number:]:
        click.echo(line)


@click.command("exec")
@click.argument("file", type=click.Path())
@pass_session
def execute(session: "script.Session", file: str) -> int:
    """Do the commands in FILE, in this session.

    The first that fails ends it, but one whose line begins with a dash may. Example: exec morning.cm
    """
    return script.run_file(session, file)


@click.command("quit")
@pass_session
def leave(session: "script.Session") -> None:
    """Leave the shell; so do q, exit and Ctrl-D."""
    session.has_ended = True


def _use(session: "script.Session", kind: str, name: str) -> None:
    if name:
        session.scope[kind] = name
    else:
        session.scope.pop(kind, None)


OWN: dict[str, click.Command] = {
    "clear": clear,
    "echo": echo,
    "exec": execute,
    "exit": leave,
    "history": history,
    "man": pages.help,
    "pause": pause,
    "q": leave,
    "quit": leave,
    "sleep": sleep,
    "timer": timer,
    "use": use,
    "var": var,
}
