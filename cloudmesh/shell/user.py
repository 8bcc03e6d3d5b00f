"""`cm user`: people and their accounts."""

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, listing, pass_client, sure

STEPS = {
    "approve": "Let an applicant in; they are mailed a link to choose a password.",
    "reconsider": "Take a denial back, or an approval from which nothing followed yet.",
    "activate": "Let back in whoever was suspended, blocked or expired.",
}
ENDS = {
    "deny": "Refuse an application for an account.",
    "suspend": "Keep somebody out for a while; what signs them in ends at once.",
    "block": "Keep somebody out for good; what signs them in ends at once.",
    "expire": "End an account whose time is over.",
}
ROLES = ("reviewer", "operator", "auditor")
columns = ("username", "name", "institution", "state", "email", "roles:portal_roles", "last_login", "id")
details = listing(*columns, "reason:state_reason", "source", "created:created_at", "expires:expires_at")


@click.group()
def user() -> None:
    """People: list, show; for the staff roles, approve, deny, reconsider, suspend, block, expire, activate."""


@user.command("list")
@click.option("--state", help="For the staff: only in this state, such as active or suspended.")
@click.option("--search", help="Only where this occurs in the name.")
@listing(*columns)
@pass_client
def list_(client: Client, /, show: Show, **filters: str) -> None:
    """List whom you work with; as the staff everybody."""
    show(client.users(**filters), empty="Nobody.")


@user.command("show")
@click.argument("name")
@details
@pass_client
def show_(client: Client, show: Show, name: str) -> None:
    """Show a person, by user name or id."""
    show.one(client.user(name))


@user.command()
@click.option("--role", type=click.Choice(ROLES), default=None, help="Only these.")
@listing("username", "name", "roles:portal_roles", "institution", "email", "last_login", "id")
@pass_client
def roles(client: Client, show: Show, role: str | None) -> None:
    """List who reviews, operates or audits the portal. Example: cm user roles --role reviewer"""
    show(client.users(role=role or ",".join(ROLES)), empty="Nobody has such a role; administrators do all of it.")


@user.command()
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@click.option("--grant/--take", "is_granted", default=True, help="Give it to them, or take it away.")
@details
@pass_client
def role(client: Client, show: Show, name: str, role: str, is_granted: bool) -> None:
    """Say what somebody is in the portal as a whole; they are told.

    \b
    cm user role ada reviewer
    cm user role ada reviewer --take
    """
    found = client.user(name)
    others = {each for each in found["portal_roles"] or () if each != role}
    show.one(client.set_roles(found, sorted(others | ({role} if is_granted else set()))))


def _step(step: str, meaning: str) -> None:
    @user.command(step, help=meaning)
    @click.argument("name")
    @details
    @pass_client
    def take(client: Client, show: Show, name: str) -> None:
        show.one(client.move_user(client.user(name), step))


def _end(step: str, meaning: str) -> None:
    @user.command(step, help=f"{meaning}\n\nExample: cm user {step} ada --reason 'Asked for it'")
    @click.argument("name")
    @click.option("--reason", required=True, help="The person reads it.")
    @sure
    @details
    @pass_client
    def take(client: Client, show: Show, name: str, reason: str, yes: bool) -> None:
        found = client.user(name)
        if not yes:
            talk.confirm(f"{step.capitalize()} {found['username']} ({found['name']})?")
        show.one(client.move_user(found, step, reason=reason))


for each, meaning in STEPS.items():
    _step(each, meaning)
for each, meaning in ENDS.items():
    _end(each, meaning)
