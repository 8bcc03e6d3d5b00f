"""The ways in: through the browser, with a password, with a token that somebody made."""

import os
import socket
import sys
from typing import TextIO

import click

from cloudmesh.client.entry import Entry
from cloudmesh.client.http import Origin
from cloudmesh.errors import NotAllowed, NotFound
from cloudmesh.shell import talk

NOBODY = "Nobody can be asked for {} here: give an API token with --token-file, or in CLOUDMESH_TOKEN."


def token_for(
    url: str, *, user: str | None, token_file: TextIO | None, browser: bool, read_only: bool, days: int | None
) -> str:
    """The token for a portal, got in the way that was asked for."""
    if user and token_file:
        raise click.UsageError("Say either --user or --token-file.")
    if token_file:
        return token_file.read().strip()
    if not talk.can_ask():
        raise click.UsageError(NOBODY.format("the password" if user else "a login"))
    with Entry(url) as entry:
        scopes = ["read"] if read_only else None
        return _by_password(entry, user, scopes, days) if user else _by_browser(entry, browser, scopes, days)


def is_exposed(url: str) -> bool:
    """Whether what is sent there goes over a network in the open."""
    origin = Origin.parse(url)
    return (
        not origin.secure and origin.host != "localhost" and not origin.host.startswith("127.") and origin.host != "::1"
    )


def _by_password(entry: Entry, user: str, scopes: list[str] | None, days: int | None) -> str:
    password, code = talk.ask(f"Password of {user}", secret=True), None
    while True:
        try:
            made = entry.by_password(
                user, password, code=code, name=f"cm on {_host()}", scopes=scopes, expires_days=days
            )
            return str(made["token"])
        except NotAllowed as error:
            if error.facts.get("needs") != "code" or code:
                raise
            code = talk.ask("Code of your device, or a recovery code", secret=True)


def _by_browser(entry: Entry, browser: bool, scopes: list[str] | None, days: int | None) -> str:
    try:
        begun = entry.by_browser("cm", _host(), scopes=scopes, expires_days=days)
    except NotFound:
        talk.say("This portal is older than this way in. Make an API token on its page Tokens.")
        return talk.ask("API token", secret=True).strip()
    page = talk.printable(begun["verification_uri_complete"])
    click.echo(f"Allow it in your browser, where it shows the code {begun['user_code']}:\n  {page}", err=True)
    if browser and _has_screen():
        _open(page)
    talk.say(f"Waiting, for {begun['expires_in'] / 60:.0f} minutes at most. Ctrl-C gives up.")
    return str(entry.wait(begun)["token"])


def _host() -> str:
    """What this machine is called, for people who look at the list of their tokens."""
    return talk.printable(socket.gethostname().partition(".")[0])[:30] or "a machine"


def _has_screen() -> bool:
    """Whether a browser would be seen: not over ssh, nor one that takes the terminal away."""
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(page: str) -> None:
    import webbrowser

    if page.startswith(("https://", "http://")):
        webbrowser.open(page)
