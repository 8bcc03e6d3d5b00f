"""`cm login`: which portal the next commands talk to."""

from typing import TextIO

import click

from cloudmesh import config
from cloudmesh.client import Client
from cloudmesh.config import Portal, logins
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, listing, pass_client


@click.command()
@click.argument("url", required=False)
@click.option("--token-file", type=click.File(), help="The file with an API token; - for standard input.")
@click.option("--profile", help="What to call this portal; by its host if not said.")
@click.option("--keyring/--no-keyring", default=True, help="Keep the token in the keyring of this system, if it works.")
@click.option("--list", "listed", is_flag=True, help="List the portals that you signed in to.")
@click.option("--use", "used", metavar="NAME", help="Talk to this one from now on.")
@listing("profile", "url", "chosen", "token")
@pass_client
@click.pass_context
def login(
    context: click.Context,
    client: Client,
    show: Show,
    url: str | None,
    token_file: TextIO | None,
    profile: str | None,
    keyring: bool,
    listed: bool,
    used: str | None,
) -> None:
    """Sign in to the portal at URL; with several, choose between them.

    \b
    cm login https://portal.example.org
    cm login https://portal.example.org --profile work --token-file - < token
    cm login --list
    cm login --use work
    """
    if (bool(url) + listed + bool(used)) != 1:
        raise click.UsageError("Say one of URL, --list and --use NAME.")
    if listed:
        show(_known(), empty="You are not signed in anywhere.")
    elif used:
        _use(client, used)
    else:
        assert url
        name = logins.name_for(url, profile or context.find_root().params.get("profile") or "")
        _keep(client, Portal(url, _asked(token_file), name), in_keyring=keyring)


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


def _asked(token_file: TextIO | None) -> str:
    if not token_file and not talk.can_ask():
        raise click.UsageError("Nobody can be asked for the token here: give it with --token-file.")
    return token_file.read().strip() if token_file else talk.ask("API token", secret=True).strip()


def _keep(client: Client, portal: Portal, *, in_keyring: bool) -> None:
    """Remember a portal whose token it accepts."""
    if portal.url.startswith("http://"):
        talk.warn("without https others on the network can read the token.")
    me = Client(portal.url, portal.token).me()
    where = logins.remember(portal, in_keyring=in_keyring)
    client.turn_to(profile=portal.profile)
    talk.say(f"Signed in as {me['username']}. The profile {portal.profile} is kept in {where}, readable by you only.")
