"""The conversation on a terminal."""

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from cloudmesh import __version__
from cloudmesh.errors import CloudmeshError
from cloudmesh.shell.interactive.completer import Words
from cloudmesh.shell.interactive.history import open_history
from cloudmesh.shell.interactive.names import Names
from cloudmesh.shell.interactive.session import Session
from cloudmesh.shell.talk import explain, printable

MOVES = frozenset({"default", "exec", "login", "logout", "project", "cloud", "use"})  # what may change the prompt
BANNER = """Cloudmesh {version} on {url}
Tab completes, help explains, Ctrl-R searches what you typed before, q leaves."""


def converse(session: Session, *, banner: bool) -> int:
    """Do what the person types until they leave; answers the exit code."""
    names = Names(session.client)
    portal = session.client.session.portal
    history, problem = open_history(portal.token)
    if banner:
        click.echo(BANNER.format(version=__version__, url=portal.url), err=True)
    if problem:
        click.echo(f"cm: {problem}", err=True)
    _talk(session, _asker(session, names, history), names)
    return 0


def _asker(session: Session, names: Names, history: History) -> PromptSession[str]:
    return PromptSession(
        history=history,
        completer=Words(session.group, names),
        complete_in_thread=True,
        complete_while_typing=False,
        auto_suggest=AutoSuggestFromHistory(),
        multiline=True,
        key_bindings=_keys(),
        prompt_continuation="... ",
    )


def _keys() -> KeyBindings:
    """Enter ends what was typed, but after a backslash: the whole is one piece of the history."""
    keys = KeyBindings()

    @keys.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.newline()
        else:
            buffer.validate_and_handle()

    return keys


def _talk(session: Session, asker: PromptSession[str], names: Names) -> None:
    place = _place(session)
    while not session.has_ended:
        try:
            line = _read(asker, place)
        except KeyboardInterrupt:
            continue  # leaves the line, not the shell
        except EOFError:
            return
        if not line.strip():
            continue
        session.history = asker.history.get_strings()
        session.run(line)
        names.forget()
        if MOVES.intersection(line.split()[:2]):
            place = _place(session)


def _read(asker: PromptSession[str], place: str) -> str:
    return asker.prompt(f"cm {place}> " if place else "cm> ").replace("\\\n", "")


def _place(session: Session) -> str:
    """The project and the cloud that the next command is about; empty where nobody answers."""
    try:
        place = f"{session.default('project')}/{session.default('cloud')}"
    except CloudmeshError as error:
        explain(error)
        return ""
    except click.UsageError:
        return ""
    return printable(place)
