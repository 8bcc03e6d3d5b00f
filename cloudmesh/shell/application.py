"""`cm application`: what projects ask of the committee."""

from typing import TextIO

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.files import read
from cloudmesh.shell.options import Show, in_project, listing, pass_client

KINDS = ("new", "change", "renewal", "allocation")
STATES = ("draft", "submitted", "returned", "approved", "denied", "withdrawn")
columns = ("kind", "project", "state", "title", "applicant", "submitted:submitted_at", "id")


@click.group()
def application() -> None:
    """Applications for projects, changes, renewals and allocations: list, show, questions, apply, submit, withdraw."""


@application.command("list")
@in_project
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@listing(*columns)
@pass_client
def list_(client: Client, /, show: Show, **filters: str) -> None:
    """List your applications; as a reviewer all that were submitted."""
    show(client.applications(**filters), empty="No applications.")


@application.command("show")
@click.argument("id")
@listing(*columns, "reason", "round", "decided:decided_at")
@pass_client
def show_(client: Client, show: Show, id: str) -> None:
    """Show an application; with --format yaml all its answers, what is missing and what was said of it."""
    show.one(client.application(id))


@application.command()
@click.argument("kind", type=click.Choice(KINDS), default="new")
@listing("section", "name", "kind", "required", "label")
@pass_client
def questions(client: Client, show: Show, kind: str) -> None:
    """List what an application of KIND asks; see: cm application apply."""
    show({"section": section["name"], **each} for section in client.sections(kind) for each in section["questions"])


@application.command()
@click.option("--file", type=click.File(), required=True, help="Its answers as YAML or JSON; - reads them from a pipe.")
@click.option("--draft", is_flag=True, help="Keep it as a draft; without it, it is submitted at once.")
@listing(*columns)
@pass_client
def apply(client: Client, show: Show, file: TextIO, draft: bool) -> None:
    """Apply for a project, or for a change, a renewal or an allocation of one.

    The file says what: title and answers; for other kinds than new also kind and project. What is missing is named,
    and stays as a draft.

    \b
    Example of a file:
      title: Quantum weather
      answers:
        information: {category: education, keywords: rain}
        details: {abstract: We measure rain.}
    """
    made = client.apply(**read(file, "title and answers"))
    if draft:
        show.one(made)
        return
    talk.say(f"The draft {made['id']} is kept.")
    show.one(client.submit_application(made["id"]))


@application.command()
@click.argument("id")
@listing(*columns)
@pass_client
def submit(client: Client, show: Show, id: str) -> None:
    """Hand a draft in."""
    show.one(client.submit_application(id))


@application.command()
@click.argument("id")
@click.option("--reason", help="Why, for the committee.")
@listing(*columns)
@pass_client
def withdraw(client: Client, show: Show, id: str, reason: str | None) -> None:
    """Take an application back; its answers stay."""
    show.one(client.withdraw_application(id, reason))
