"""`cm review`: what the committee does with applications."""

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.application import KINDS, columns
from cloudmesh.shell.options import Show, by_id, in_project, listing, pass_client

VOTES = ("approve", "deny", "change", "abstain", "conflict")
DECISIONS = ("approve", "deny", "return")

details = listing(
    *(*columns, "reason", "changes:differences", "missing:gaps", "votes:reviews", "remarks"),
    *("approving:standing.approving", "denying:standing.denying", "quorum:standing.quorum"),
    *("my_vote:standing.my_vote", "conflict:standing.conflict", "not_yet:standing.missing"),
)


@click.group()
def review() -> None:
    """The committee's work: list what waits, show, diff, vote, remark, decide, undo."""


@review.command("list")
@in_project
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@listing(*columns)
@pass_client
def list_(client: Client, /, show: Show, **filters: str) -> None:
    """List the applications that wait for the committee."""
    show(client.applications(state="submitted", **filters), empty="Nothing waits for the committee.")


@review.command("show")
@by_id
@details
@pass_client
def show_(client: Client, show: Show, id: str) -> None:
    """Show an application with votes and remarks; with --format yaml also its answers. See: cm review diff"""
    show.one(client.application(id))


@review.command()
@by_id
@listing("section", "question", "before", "after")
@pass_client
def diff(client: Client, show: Show, id: str) -> None:
    """List the answers that an application changes."""
    show(client.application(id)["differences"], empty="It changes no answers.")


@review.command()
@by_id
@click.argument("vote", type=click.Choice(VOTES))
@click.option("--comment", help="Needed to deny and to ask for changes.")
@details
@pass_client
def vote(client: Client, show: Show, id: str, vote: str, comment: str | None) -> None:
    """Vote on an application, or declare a conflict of interest.

    Example: cm review vote ID deny --comment 'No data plan.'
    """
    show.one(client.review(id, vote, comment))


@review.command()
@by_id
@click.argument("text")
@click.option("--internal", is_flag=True, help="Among reviewers only.")
@pass_client
def remark(client: Client, id: str, text: str, internal: bool) -> None:
    """Ask or answer something about an application."""
    client.remark(id, text, is_internal=internal)
    talk.say("The reviewers can read it." if internal else "The reviewers and the applicant can read it.")


@review.command()
@by_id
@click.argument("decision", type=click.Choice(DECISIONS))
@click.option("--reason", help="The applicant reads it; needed to deny and to return.")
@click.option("--ends", metavar="DAY", help="Granted end date, if not as asked for.")
@details
@pass_client
def decide(client: Client, show: Show, id: str, decision: str, reason: str | None, ends: str | None) -> None:
    """Approve an application, deny it, or return it for changes; see also: cm review undo"""
    show.one(client.decide(id, decision, reason, ends))


@review.command()
@by_id
@click.option("--reason", help="Why, for the record.")
@details
@pass_client
def undo(client: Client, show: Show, id: str, reason: str | None) -> None:
    """Take a decision back while nothing followed from it."""
    show.one(client.undo_decision(id, reason))
