"""`cm logout`: the end of a login, at the portal and here."""

import click

from cloudmesh import config
from cloudmesh.client import Client
from cloudmesh.client.entry import Entry
from cloudmesh.config import Portal, logins
from cloudmesh.errors import CloudmeshError
from cloudmesh.shell import talk
from cloudmesh.shell.options import pass_client, profile_names


@click.command()
@click.option(
    "--profile", metavar="NAME", shell_complete=profile_names, help="This one, not the portal that cm talks to now."
)
@click.option("--all", "everywhere", is_flag=True, help="Every portal that you signed in to.")
@pass_client
@click.pass_context
def logout(context: click.Context, client: Client, profile: str | None, everywhere: bool) -> None:
    """Sign out: the token is ended at the portal, and forgotten here.

    \b
    cm logout
    cm logout --profile work
    cm logout --all
    """
    if profile and everywhere:
        raise click.UsageError("Say either --profile or --all.")
    kept = config.read_logins()
    name = profile or context.find_root().params.get("profile") or ""
    for portal in list(kept.known.values()) if everywhere else [_meant(name)]:
        _end(portal)
        logins.forget(portal.profile)
        talk.say(f"Signed out of {portal.url} ({portal.profile}).")
    client.turn_to()


def _meant(name: str) -> Portal:
    found = config.named(name) if name else config.chosen(config.read_logins())
    if found is None:
        raise click.UsageError("You are not signed in anywhere.")
    if found.is_standalone:
        raise click.UsageError(
            "The clone's own portal, which cm talks to here, needs no login. Name another: cm logout --profile NAME"
        )
    return found


def _end(portal: Portal) -> None:
    """End the token at its portal, or say why not: it is forgotten in any case."""
    try:
        token = config.find_portal(profile=portal.profile).token
        with Entry(portal.url, timeout=10) as entry:
            entry.leave(token)
    except CloudmeshError as error:
        talk.warn(
            f"the token could not be ended at {portal.url}: {error.message} It is forgotten here; to be sure, revoke "
            "it there under API tokens."
        )
