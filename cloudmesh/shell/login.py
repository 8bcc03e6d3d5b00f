"""`cm login`: which portal the next commands talk to."""

from typing import TextIO

import click

from cloudmesh.client import Client
from cloudmesh.config import Portal, remember, standalone_portal
from cloudmesh.shell import talk


@click.command()
@click.argument("url")
@click.option("--token-file", type=click.File(), help="The file with the API token; - for standard input.")
def login(url: str, token_file: TextIO | None) -> None:
    """Sign in to the portal at URL with an API token, made on its page "Tokens".

    \b
    cm login https://portal.example.org
    cm login https://portal.example.org --token-file - < token
    """
    if not token_file and not talk.can_ask():
        raise click.UsageError("Nobody can be asked for the token here: give it with --token-file.")
    token = token_file.read().strip() if token_file else talk.ask("API token", secret=True).strip()
    me = Client(url, token).me()
    kept = remember(Portal(url, token))
    talk.say(f"Signed in as {me['username']}; kept in {kept}, readable by you only.")
    if url.startswith("http://"):
        talk.warn("without https others on the network can read the token.")
    if standalone_portal():
        talk.warn("in this clone cm goes on to use the clone's own portal; set CLOUDMESH_URL to use another.")
