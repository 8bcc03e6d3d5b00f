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
columns = ("username", "name", "institution", "state", "email", "roles:portal_roles", "last_login", "id")
details = listing(*columns, "reason:state_reason", "source", "created:created_at", "expires:expires_at")


@click.group()
def user() -> None:
    """People: list, show; for the staff approve, deny, reconsider, suspend, block, expire, activate."""


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
