"""`cm vm`: servers on all clouds."""

from typing import TYPE_CHECKING, Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import PolicyDenied, QuotaExceeded
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_cloud, in_project, listing, names, pass_client, preview, sure, waiting

if TYPE_CHECKING:
    from cloudmesh.types import Json

brief = listing("name", "addresses", "state", "cloud")
PLAN = (
    *("outcome", "names", "cloud", "image", "flavor", "key", "network", "group", "project", "cores:resources.cores"),
    *("ram:resources.ram", "policies:decision.reasons", "next:decision.next", "approvers"),
)
QUOTAS = ("resource", "where", "whose", "limit", "used", "wanted", "left")


@click.group()
def vm() -> None:
    """Servers: boot, list, show, start, stop, reboot, rename, delete.

    NAMES are names, hostlists such as sample[1-3,18], or globs such as "gregor_*".
    """


@vm.command()
@click.option("--count", type=int, help="How many; one if not said.")
@click.option("--name", help="Its name, or a hostlist for several; the next of yours if not said.")
@click.option("--cloud", help="Where.")
@click.option("--image", help="From which image.")
@click.option("--flavor", help="Of which size.")
@click.option("--key", help="Which of your keys opens it.")
@click.option("--group", help="To which group it belongs.")
@click.option("--project", help="For which project.")
@click.option("--network", help="In which network.")
@click.option("--security-group", help="Behind which rules.")
@click.option("--floating-ip", is_flag=True, default=None, help="With a public address.")
@click.option("--if-down", type=click.Choice(["wait", "fail"]), help="What to do while the cloud does not answer.")
@click.option("--dryrun", is_flag=True, help="Only show what would happen: names, policies, quotas.")
@waiting
@brief
@pass_client
def boot(client: Client, /, show: Show, wait: bool, dryrun: bool, **wanted: Any) -> None:
    """Boot servers. What you do not say comes from your defaults.

    \b
    cm vm boot
    cm vm boot --count 5 --image ubuntu-24.04 --cloud india
    cm vm boot --count 50 --dryrun
    """
    if dryrun:
        _show_plan(show, client.plan(**wanted))
        return
    wish = client.boot(**wanted)
    _finish(client, show, wish["operation"], wish["servers"], wait=wait)


@vm.command("list")
@click.argument("names", nargs=-1, metavar="[NAMES]")
@in_cloud
@in_project
@click.option("--state", help="Only in this state, such as active or error.")
@click.option("--owner", help="Only of this person.")
@click.option("--group", help="Only of this group.")
@click.option("--search", help="Only with this text in a name or an address.")
@listing("name", "state", "addresses", "cloud", "flavor", "image", "key", "project", "owner", "age:age_seconds")
@pass_client
def list_(client: Client, /, show: Show, names: tuple[str, ...], **filters: str) -> None:
    """List servers; filters narrow each other.

    \b
    cm vm list --cloud india --state active
    cm vm list "gregor_*" --format csv
    """
    show(client.servers(name=",".join(names), **filters), empty="No servers. Boot one with: cm vm boot")


@vm.command("show")
@click.argument("name")
@listing(
    *("id", "name", "state", "reason:state_reason", "addresses", "public:public_addresses", "cloud", "flavor", "image"),
    *("key", "group", "project", "owner", "provider_id", "created:created_at", "age:age_seconds", "operation"),
)
@pass_client
def show_(client: Client, show: Show, name: str) -> None:
    """Show one server; --format json has its events and what the cloud says of it, too."""
    show.one(client.server(name))


@vm.command()
@names
@in_cloud
@in_project
@sure
@waiting
@pass_client
def delete(client: Client, /, names: tuple[str, ...], yes: bool, wait: bool, **filters: str) -> None:
    """Delete servers, after showing which.

    \b
    cm vm delete gregor_1
    cm vm delete "sample[1-3,18]" --cloud india --yes
    """
    servers = client.select(*names, **filters)
    if not yes:
        preview(servers, "name", "state", "addresses", "cloud", "owner")
        talk.confirm(f"Delete {'this server' if len(servers) == 1 else f'these {len(servers)} servers'}?")
    operation = client.act("delete", servers)["operation"]
    if wait:
        check(client, follow(client, operation))


def _change(action: str, purpose: str) -> click.Command:
    """A command that does one thing to running servers and shows them afterwards."""

    @click.command(action, help=f'{purpose}\n\nExample: cm vm {action} "gregor_[1-3]"')
    @names
    @in_cloud
    @in_project
    @waiting
    @brief
    @pass_client
    def change(client: Client, /, show: Show, names: tuple[str, ...], wait: bool, **filters: str) -> None:
        servers = client.select(*names, **filters)
        _finish(client, show, client.act(action, servers)["operation"], servers, wait=wait)

    return change


for action, purpose in {
    "start": "Power servers on.",
    "stop": "Power servers off; they keep their disks and addresses.",
    "reboot": "Restart servers.",
    "suspend": "Put servers to sleep, memory and all.",
    "resume": "Wake suspended servers.",
}.items():
    vm.add_command(_change(action, purpose))


@vm.command()
@click.argument("name")
@click.argument("new")
@waiting
@brief
@pass_client
def rename(client: Client, /, show: Show, name: str, new: str, wait: bool) -> None:
    """Give the server NAME the name NEW, here and at its cloud."""
    server = client.server(name)
    operation = client.rename(server, new)["operation"]
    if wait:
        check(client, follow(client, operation))
    show.one(client.server(server["id"]))


def _show_plan(show: Show, plan: "Json") -> None:
    """What a boot would come to; fails as the boot would."""
    show._replace(declared=PLAN).one(plan)
    if plan["quotas"] and show.form in ("table", "plain") and not show.wanted:
        show._replace(declared=QUOTAS, sort=None)(plan["quotas"])
    if plan["refusal"]:
        denied = plan["decision"]["effect"] == "deny"
        raise PolicyDenied(plan["refusal"]) if denied else QuotaExceeded(plan["refusal"])


def _finish(client: Client, show: Show, operation: "Json", servers: "list[Json]", *, wait: bool) -> None:
    """Follow the operation, show what became of the servers, and fail if it failed."""
    if not wait:
        show(servers)
        talk.say(f"Follow it with: cm operation wait {operation['id']}")
        return
    ended = follow(client, operation)
    show(client.reread(servers))
    check(client, ended)
