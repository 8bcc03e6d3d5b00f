"""`cm quota`: how much a project and its members may have."""

import click

from cloudmesh.client import Client
from cloudmesh.errors import Invalid
from cloudmesh.shell.options import Show, listing, pass_client

columns = listing("resource", "where", "whose", "limit", "used", "left", "source")
of_project = click.option("--project", default="", help="Of this project; of your default one if not said.")


@click.group()
def quota() -> None:
    """The limits of a project and of its members: list, set."""


@quota.command("list")
@of_project
@columns
@pass_client
def list_(client: Client, show: Show, project: str) -> None:
    """List all limits and what is taken of each."""
    show(client.quotas(client.project(project)), empty="No limits.")


@quota.command("set")
@click.argument("resource")
@click.argument("limit")
@of_project
@click.option("--user", help="A member's share; the whole project's if not said.")
@click.option("--cloud", "where", help="On this cloud; everywhere if not said.")
@columns
@pass_client
def set_(client: Client, /, show: Show, project: str, resource: str, limit: str, **where: str | None) -> None:
    """Set the LIMIT of a RESOURCE such as instances, cores or ram; none takes the limit away.

    Example: cm quota set cores 8 --user ada
    """
    if limit != "none" and not (limit.isascii() and limit.isdigit() and len(limit) < 19):
        raise Invalid(f"The limit is a whole number or none, not {limit[:40]!r}.")
    amount = None if limit == "none" else int(limit)
    changed = client.set_quota(client.project(project), resource, amount, **where)
    show(row for row in changed if row["resource"] == resource)
