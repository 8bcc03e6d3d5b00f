"""`cm config show` and `cm config path`: which portal is meant, by whom, and in which files that stands."""

import os

import click
from click.core import ParameterSource

from cloudmesh.client import Client
from cloudmesh.config import Portal, logins_file, standalone_file
from cloudmesh.errors import CloudmeshError
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, listing

columns = listing("key", "value", "source")


@click.command()
@columns
@click.pass_context
def show(context: click.Context, show: Show) -> None:
    """Show which portal is talked to, as whom and in which project, and what said so; never a secret.

    Example: cm config show --format json
    """
    client: Client = context.find_object(Client) or Client()
    portal = client.session.portal
    where = portal.source or "the command line"
    rows = [
        {"key": "url", "value": portal.url, "source": _said(context, "url") or where},
        {"key": "profile", "value": portal.profile, "source": _said(context, "profile") or where},
        {"key": "token", "value": "set" if portal.token else "", "source": _token(context, portal)},
    ]
    show([*rows, *_person(client)])


@click.command()
@listing("what", "path", "exists")
def path(show: Show) -> None:
    """Show in which files `cm` keeps and finds its portals.

    Example: cm config path --format plain --columns path
    """
    files = {"logins": logins_file(), "standalone portal": standalone_file()}
    show({"what": what, "path": path, "exists": os.path.exists(path)} for what, path in files.items())


def _person(client: Client) -> list[dict[str, str]]:
    """Who one is there; nothing where the portal cannot be asked."""
    try:
        me = client.me()
    except CloudmeshError as error:
        talk.warn(error.message)
        return []
    known = (("user", me["username"]), ("project", me["project"]))
    return [{"key": key, "value": value or "", "source": "the portal"} for key, value in known]


def _said(context: click.Context, option: str) -> str:
    """What of the command line or the environment says it."""
    root = context.find_root()
    sources = {ParameterSource.COMMANDLINE: f"--{option}", ParameterSource.ENVIRONMENT: f"CLOUDMESH_{option.upper()}"}
    source = root.get_parameter_source(option)
    return sources.get(source, "") if source and root.params.get(option) else ""


def _token(context: click.Context, portal: Portal) -> str:
    return _said(context, "token") or ("the keyring" if portal.in_keyring else portal.source if portal.token else "")
