"""`cm login`: who `cm` is, and to which portal it talks."""

from typing import Any

import click

from cloudmesh import config
from cloudmesh.client import Client
from cloudmesh.config import Portal, logins
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, listing, pass_client, profile_names
from cloudmesh.shell.signing import is_exposed, token_for


@click.command()
@click.argument("url", required=False)
@click.option("--user", metavar="NAME", help="With the password of this user, which is asked for, not the browser.")
@click.option("--token-file", type=click.File(), help="With the API token in this file; - for standard input.")
@click.option(
    "--browser/--no-browser", default=True, help="Open the page where you allow it, or only tell its address."
)
@click.option("--read-only", is_flag=True, help="cm may look, and change nothing.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long the login is good for; a year if not said.")
@click.option(
    "--profile", metavar="NAME", shell_complete=profile_names, help="What to call this portal; by its host if not said."
)
@click.option("--keyring/--no-keyring", default=True, help="Keep the token in the keyring of this system, if it works.")
@click.option("--list", "listed", is_flag=True, help="List the portals that you signed in to.")
@click.option("--use", "used", metavar="NAME", shell_complete=profile_names, help="Talk to this one from now on.")
@listing("profile", "url", "chosen", "token")
@pass_client
@click.pass_context
def login(
    context: click.Context,
    client: Client,
    /,
    show: Show,
    url: str | None,
    profile: str | None,
    keyring: bool,
    listed: bool,
    used: str | None,
    **how: Any,
) -> None:
    """Sign in to the portal at URL, in your browser; with several portals, choose between them.

    \b
    cm login https://portal.example.org
    cm login https://portal.example.org --profile work --user ada
    cm login https://portal.example.org --token-file - < token
    cm login --list
    cm login --use work
    """
    if bool(url) + listed + bool(used) != 1:
        raise click.UsageError("Say one of URL, --list and --use NAME.")
    if listed:
        show(_known(), empty="You are not signed in anywhere.")
    elif used:
        _use(client, used)
    else:
        assert url
        logins.require_place()
        name = logins.name_for(url, profile or context.find_root().params.get("profile") or "")
        if is_exposed(url):
            talk.warn("without https others on the network can read what signs you in.")
        _keep(client, Portal(url, token_for(url, **how), name), in_keyring=keyring)


def _known() -> list[dict[str, str | bool]]:
    """The portals by name; never their tokens."""
    chosen = config.chosen(config.read_logins())
    return [
        {
            "profile": portal.profile,
            "url": portal.url,
            "chosen": chosen is not None and portal.profile == chosen.profile,
            "token": "in the keyring" if portal.in_keyring else portal.source,
        }
        for portal in config.portals(talk.warn)
    ]


def _use(client: Client, name: str) -> None:
    found = logins.choose(name)
    client.turn_to(profile=name)
    talk.say(f"cm talks to {found.url} from now on.")


def _keep(client: Client, portal: Portal, *, in_keyring: bool) -> None:
    """Remember a portal whose token it accepts."""
    with Client(portal.url, portal.token) as asking:
        me = asking.me()
    where = logins.remember(portal, in_keyring=in_keyring)
    client.turn_to(profile=portal.profile)
    talk.say(f"Signed in to {portal.url} as {me['username']}, kept as {portal.profile} in {where}.")
