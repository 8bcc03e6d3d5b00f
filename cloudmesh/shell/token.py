"""`cm token`: what programs sign in with."""

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, by_id, listing, pass_client, sure


@click.group()
def token() -> None:
    """Your API tokens: list, create, revoke."""


@token.command("list")
@listing("name", "scopes", "created:created_at", "expires:expires_at", "last_used:last_used_at", "id")
@pass_client
def list_(client: Client, show: Show) -> None:
    """List your tokens; their secrets are not kept."""
    show(client.tokens(), empty="No tokens.")


@token.command()
@click.argument("name")
@click.option("--read-only", is_flag=True, help="It can look, and change nothing.")
@click.option("--days", type=int, help="How long it is good for; a year if not said.")
@pass_client
def create(client: Client, name: str, read_only: bool, days: int | None) -> None:
    """Make a token and print its secret, this once.

    Example: (umask 077; cm token create laptop --days 30 > token)
    """
    made = client.create_token(name=name, scopes=["read"] if read_only else None, expires_days=days)
    click.echo(made["token"])
    talk.say(f"Good until {made['expires_at'][:10]}; it is shown this once. Its id is {made['id']}.")


@token.command()
@by_id
@sure
@pass_client
def revoke(client: Client, id: str, yes: bool) -> None:
    """End a token at once."""
    if not yes:
        talk.confirm(f"End the token {id}? What signs in with it is locked out at once.")
    client.revoke_token(id)
