"""`cm vm list`, watch and show: which servers there are, as the portal knows them."""

import click

from cloudmesh.client import Client
from cloudmesh.shell.options import Command, Show, in_cloud, in_project, listing, pass_client
from cloudmesh.shell.vm.choice import chosen_one, require_names

OPTIONS = (
    click.argument("names", nargs=-1, metavar="[NAMES]"),
    in_cloud,
    in_project,
    click.option("--state", help="Only in this state, such as active or error."),
    click.option("--owner", help="Only of this person."),
    click.option("--group", help="Only of this group."),
    click.option("--label", multiple=True, metavar="KEY=VALUE", help="Only with this label; KEY for any value."),
    click.option("--search", help="Only with this text in a name or an address."),
    listing("name", "state", "addresses", "cloud", "flavor", "image", "key", "project", "owner", "age:age_seconds"),
)


def narrowing(command: Command) -> Command:
    """Gives a command what narrows a list of servers, and the columns of one."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command("list")
@narrowing
@click.option("--watch", is_flag=True, help="Go on, and show what changes as it changes; see cm vm watch.")
@pass_client
def list_(
    client: Client, /, show: Show, names: tuple[str, ...], label: tuple[str, ...], watch: bool, **filters: str
) -> None:
    """List servers; filters narrow each other.

    \b
    cm vm list --cloud india --state active
    cm vm list "gregor_*" --format csv
    cm vm list --label stage=prod --columns name,labels
    """
    require_names(names)
    filters |= {"name": ",".join(names), "label": ",".join(label)}
    if watch:
        _watch(client, show, filters)
    else:
        show(client.servers(**filters), empty="No servers. Boot one with: cm vm boot")


@click.command("watch")
@narrowing
@pass_client
def watch_(client: Client, /, show: Show, names: tuple[str, ...], label: tuple[str, ...], **filters: str) -> None:
    """Watch servers until Ctrl-C: on a terminal their table, elsewhere a line for each that changes.

    Nothing is asked again and again, and a lost connection is taken up where it broke.

    \b
    cm vm watch "web[1-3]"
    cm vm watch --format json | jq .state
    """
    require_names(names)
    _watch(client, show, {**filters, "name": ",".join(names), "label": ",".join(label)})


@click.command("show")
@click.argument("name", required=False)
@listing(
    *("id", "name", "state", "reason:state_reason", "addresses", "public:public_addresses", "cloud", "flavor", "image"),
    *("key", "group", "labels", "project", "owner", "provider_id", "created:created_at", "age:age_seconds"),
    "operation",
)
@pass_client
def show_(client: Client, show: Show, name: str | None) -> None:
    """Show one server; --format json has its events and what the cloud says of it, too."""
    show.one(chosen_one(client, name))


def _watch(client: Client, show: Show, filters: dict[str, str]) -> None:
    from cloudmesh.shell.live import watch_servers

    watch_servers(client, show, **filters)
