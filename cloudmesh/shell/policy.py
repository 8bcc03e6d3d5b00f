"""`cm policy`: who may use what, how much of it and when."""

from typing import TYPE_CHECKING, TextIO

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.files import read
from cloudmesh.shell.options import Show, listing, pass_client, sure

if TYPE_CHECKING:
    from cloudmesh.types import Json

EFFECTS = ("allow", "ask", "deny")
KINDS = ("everyone", "role", "project", "user", "rule")
STATES = ("draft", "proposed", "approved", "retired")

columns = ("name", "edition", "state", "effect", "service", "for:subject_kind", "subject", "limits", "ends:ends_at")
details = listing(*columns, "starts:starts_at", "reason", "note", "proposed_by", "approved_by", "decided_at", "id")
because = click.option("--reason", required=True, help="Why; kept with the policy.")


@click.group()
def policy() -> None:
    """Policies: list, show, add, propose, approve, return, retire; and check what they say together."""


@policy.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--effect", type=click.Choice(EFFECTS), help="Only of this effect.")
@click.option("--search", help="Only where this text occurs.")
@listing(*columns)
@pass_client
def list_(client: Client, /, show: Show, **filters: str) -> None:
    """List the policies in force; as the portal's staff every edition."""
    show(client.policies(**filters), empty="No policies.")


@policy.command("show")
@click.argument("name")
@details
@pass_client
def show_(client: Client, show: Show, name: str) -> None:
    """Show a policy by name, or one edition of it by id."""
    show.one(client.policy(name))


@policy.command()
@click.argument("name", required=False)
@click.option("--effect", type=click.Choice(EFFECTS))
@click.option("--service", help="Of what: cloud:india, cloud:*, queue:india/batch.")
@click.option("--for", "subject_kind", type=click.Choice(KINDS), help="For whom; everyone if not said.")
@click.option("--subject", help="Their names with commas between, or the rule.")
@click.option("--limit", "limits", multiple=True, metavar="RESOURCE=N", help="How much; may be given several times.")
@click.option("--starts", help="+3d2h, +1w, 2026-12-24, 2026-12-24T18:00")
@click.option("--ends", help="The same; a duration counts from the start.")
@click.option("--note", help="What it is good for.")
@click.option("--file", type=click.File(), help="Its fields as YAML or JSON; options go before what the file says.")
@click.option("--propose", is_flag=True, help="Put it before those who may approve it.")
@details
@pass_client
def add(
    client: Client, /, show: Show, file: TextIO | None, limits: tuple[str, ...], propose: bool, **said: str | None
) -> None:
    """Draft a policy; it holds for nobody before somebody else has approved it.

    \b
    cm policy add small --effect allow --service 'cloud:*' --limit cores=8 --ends +1w
    cm policy add --file small.yaml --propose
    Example of a file:
      name: small
      effect: allow
      service: cloud:*
      limits: {cores: 8}
    """
    wanted = read(file, "name, effect and service") if file else {}
    wanted |= {key: value for key, value in said.items() if value is not None}
    if limits:
        wanted["limits"] = _amounts(limits)
    made = client.draft_policy(**wanted)
    if propose:
        talk.say(f"The draft {made['id']} is kept.")
        made = client.move_policy(made["id"], "propose")
    show.one(made)


@policy.command("propose")
@click.argument("name")
@details
@pass_client
def propose_(client: Client, show: Show, name: str) -> None:
    """Put a draft before those who may approve it."""
    show.one(client.move_policy(_edition(client, name, "draft"), "propose"))


@policy.command()
@click.argument("name")
@details
@pass_client
def approve(client: Client, show: Show, name: str) -> None:
    """Put what somebody else proposed in force."""
    show.one(client.move_policy(_edition(client, name, "proposed"), "approve"))


@policy.command("return")
@click.argument("name")
@because
@details
@pass_client
def return_(client: Client, show: Show, name: str, reason: str) -> None:
    """Make a draft again of what is proposed."""
    show.one(client.move_policy(_edition(client, name, "proposed"), "return", reason))


@policy.command()
@click.argument("name")
@because
@sure
@details
@pass_client
def retire(client: Client, show: Show, name: str, reason: str, yes: bool) -> None:
    """Put a policy out of force for good."""
    found = client.policy(name)
    if not yes:
        talk.confirm(f"Retire {found['name']}, edition {found['edition']}: {found['effect']} {found['service']}?")
    show.one(client.move_policy(found["id"], "retire", reason))


@policy.command()
@click.argument("service")
@click.option("--user", default="", help="To this person; to you if not said.")
@click.option("--project", default="", help="In this project; in your default one if not said.")
@listing("effect", "reasons", "next")
@pass_client
def check(client: Client, show: Show, service: str, user: str, project: str) -> None:
    """Tell what all policies together say about a SERVICE.

    Example: cm policy check cloud:india --user ada --project fg101
    """
    show.one(client.effective_policy(service, user, project))


def _edition(client: Client, name: str, state: str) -> str:
    """The id of the edition of this name and state; of another one where there is none: the portal says why not."""
    newest: list[Json] = sorted(client.policies(name=name, state=state), key=lambda each: -each["edition"])
    found: str = (newest[0] if newest else client.policy(name))["id"]
    return found


def _amounts(pairs: tuple[str, ...]) -> dict[str, int]:
    amounts = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        if not number.isascii() or not number.isdigit():
            raise click.UsageError(f"A limit is written RESOURCE=N, such as cores=8; not {pair!r}.")
        amounts[name] = int(number)
    return amounts
