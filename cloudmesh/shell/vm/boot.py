"""`cm vm boot`: new servers."""

from typing import TYPE_CHECKING, Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import PolicyDenied, QuotaExceeded
from cloudmesh.shell.options import Command, Show, pass_client, waiting
from cloudmesh.shell.vm.ending import brief, finish
from cloudmesh.shell.vm.labels import pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudmesh.types import Json

PLAN = (
    *("outcome", "names", "cloud", "image", "flavor", "key", "network", "group", "project", "cores:resources.cores"),
    *("ram:resources.ram", "policies:decision.reasons", "next:decision.next", "approvers"),
)
QUOTAS = ("resource", "where", "whose", "limit", "used", "wanted", "left")


OPTIONS: "tuple[Callable[[Command], Command], ...]" = (
    click.option("--count", type=int, help="How many; one if not said."),
    click.option("--name", help="Its name, or a hostlist for several; the next of yours if not said."),
    click.option("--cloud", help="Where."),
    click.option("--image", help="From which image."),
    click.option("--flavor", help="Of which size."),
    click.option("--key", help="Which of your keys opens it."),
    click.option("--group", help="To which group it belongs."),
    click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="With this label; may be repeated."),
    click.option("--project", help="For which project."),
    click.option("--network", help="In which network."),
    click.option("--security-group", help="Behind which rules."),
    click.option("--floating-ip", is_flag=True, default=None, help="With a public address."),
    click.option("--if-down", type=click.Choice(["wait", "fail"]), help="What to do while the cloud does not answer."),
    click.option("--dryrun", is_flag=True, help="Only show what would happen: names, policies, quotas."),
)


def booting(command: Command) -> Command:
    """Gives a command the options of a boot, for `make`."""
    command = waiting(brief(command))
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@booting
@pass_client
def boot(client: Client, /, show: Show, **wanted: Any) -> None:
    """Boot servers. What you do not say comes from your defaults.

    \b
    cm vm boot
    cm vm boot --count 5 --image ubuntu-24.04 --cloud india
    cm vm boot --count 50 --dryrun
    cm vm boot --label stage=prod --label owner=ada
    """
    make(client, show, **wanted)


def make(client: Client, show: Show, *, labels: tuple[str, ...], wait: bool, dryrun: bool, **wanted: Any) -> None:
    """Boot what is wanted and follow it, or show what would happen."""
    wanted["labels"] = pairs(labels) or None
    if dryrun:
        _show_plan(show, client.plan(**wanted))
        return
    wish = client.boot(**wanted)
    finish(client, show, wish["operation"], wish["servers"], wait=wait)


def _show_plan(show: Show, plan: "Json") -> None:
    """What a boot would come to; fails as the boot would."""
    show._replace(declared=PLAN).one(plan)
    if plan["quotas"] and show.form in ("table", "plain") and not show.wanted:
        show._replace(declared=QUOTAS, sort=None)(plan["quotas"])
    if plan["refusal"]:
        denied = plan["decision"]["effect"] == "deny"
        raise PolicyDenied(plan["refusal"]) if denied else QuotaExceeded(plan["refusal"])
