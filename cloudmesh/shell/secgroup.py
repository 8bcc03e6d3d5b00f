"""`cm secgroup`: who may reach servers."""

from typing import TYPE_CHECKING

import click

from cloudmesh.client import Client
from cloudmesh.errors import Invalid
from cloudmesh.shell import talk
from cloudmesh.shell.follow import check, follow
from cloudmesh.shell.options import Show, in_cloud, in_project, listing, names, pass_client, preview, sure, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudmesh.types import Json

rows = listing("name", "group", "protocol", "ports", "cidr", "cloud", "default")


@click.group()
def secgroup() -> None:
    """Security groups: list, show, create, delete, and their rules.

    A rule is tcp:22, tcp:8000-8100, udp:53:10.0.0.0/8, icmp, any:192.0.2.7, or a word such as ssh, http or https.
    Where no network is said, it lets everybody in.
    """


@secgroup.command("list")
@click.argument("names", nargs=-1, metavar="[NAMES]")
@in_cloud
@in_project
@click.option("--owner", help="Only what this person, or me, asked for.")
@rows
@pass_client
def list_(client: Client, /, show: Show, names: tuple[str, ...], **filters: str | None) -> None:
    """List security groups, a line for each rule.

    Example: cm secgroup list "web*" --cloud india
    """
    groups = client.security_groups(name=",".join(names) or None, **filters)
    show(_rules(groups), empty="No security groups. Make one with: cm secgroup create web --rule http")


@secgroup.command("show")
@click.argument("security_group", metavar="GROUP")
@in_cloud
@listing(
    *("id", "name", "cloud", "project", "owner", "network", "opens", "default:is_default", "provider_id"),
)
@pass_client
def show_(client: Client, show: Show, security_group: str, cloud: str | None) -> None:
    """Show one security group; --format json has what the cloud says of it, too."""
    found = client.security_group(security_group, cloud=cloud)
    show.one({**found, "opens": [rule["rule"] for rule in found["rules"]]})


@secgroup.command()
@click.argument("name")
@click.option("--rule", "rules", multiple=True, help="Such as tcp:22 or ssh; say it again for more.")
@click.option("--cloud", help="Where; on your default cloud if not said.")
@click.option("--project", help="For which project.")
@waiting
@rows
@pass_client
def create(client: Client, /, show: Show, name: str, rules: tuple[str, ...], wait: bool, **where: str | None) -> None:
    """Make a security group; boot into it with: cm vm boot --security-group NAME

    \b
    cm secgroup create web --rule http --rule https
    cm secgroup create lab --rule tcp:8888:192.0.2.0/24 --cloud india
    """
    operation = client.create_security_group(name, rules, **where)["operation"]
    _finish(client, show, operation, name, where["cloud"], wait=wait)


@secgroup.command()
@names
@in_cloud
@sure
@waiting
@pass_client
def delete(client: Client, names: tuple[str, ...], cloud: str | None, yes: bool, wait: bool) -> None:
    """Delete security groups that no server uses, after showing which.

    Example: cm secgroup delete "web[1-3]" --cloud india
    """
    groups = client.select_security_groups(*names, cloud=cloud)
    if not yes:
        counted = [{**group, "rules": len(group["rules"])} for group in groups]
        preview(counted, "name", "cloud", "rules", "owner")
        talk.confirm(f"Delete {'this security group' if len(groups) == 1 else f'these {len(groups)} security groups'}?")
    operation = client.delete_security_groups(groups)["operation"]
    _follow(client, operation, wait=wait)


@secgroup.group()
def rule() -> None:
    """The rules of a security group: add, delete."""


@rule.command("add")
@click.argument("security_group", metavar="GROUP")
@click.argument("rules", nargs=-1, required=True)
@in_cloud
@waiting
@rows
@pass_client
def add_rules(
    client: Client, show: Show, security_group: str, rules: tuple[str, ...], cloud: str | None, wait: bool
) -> None:
    """Let somebody in: RULES such as tcp:80, tcp:80-90 or tcp:80-90:10.0.0.0/8.

    \b
    cm secgroup rule add web https
    cm secgroup rule add web tcp:8000-8100:10.0.0.0/8 udp:53
    """
    found = _one(client, security_group, cloud)
    operation = client.change_rules(found, add=rules)["operation"]
    _finish(client, show, operation, found["id"], None, wait=wait)


@rule.command("delete")
@click.argument("security_group", metavar="GROUP")
@click.argument("rules", nargs=-1, required=True)
@in_cloud
@sure
@waiting
@rows
@pass_client
def delete_rules(
    client: Client, show: Show, security_group: str, rules: tuple[str, ...], cloud: str | None, yes: bool, wait: bool
) -> None:
    """Let somebody in no more: RULES as they are listed, or as they were added.

    Example: cm secgroup rule delete web tcp:80
    """
    found = _one(client, security_group, cloud)
    if not yes:
        preview(
            [{"group": found["name"], "cloud": found["cloud"], "rule": rule} for rule in rules],
            "group",
            "cloud",
            "rule",
        )
        talk.confirm(f"Delete {'this rule' if len(rules) == 1 else f'these {len(rules)} rules'}?")
    operation = client.change_rules(found, remove=rules)["operation"]
    _finish(client, show, operation, found["id"], None, wait=wait)


def _one(client: Client, name: str, cloud: str | None) -> "Json":
    found = client.select_security_groups(name, cloud=cloud)
    if len(found) != 1:
        raise Invalid(f"{name} means {len(found)} security groups; rules are changed in one at a time.")
    return found[0]


def _finish(client: Client, show: Show, operation: "Json", name: str, cloud: str | None, *, wait: bool) -> None:
    """Follow the operation, and show the group's rules as they are then."""
    if _follow(client, operation, wait=wait):
        show(_rules(iter(client.select_security_groups(name, cloud=cloud))))


def _follow(client: Client, operation: "Json", *, wait: bool) -> bool:
    """Whether it has come to its end; fails if it failed."""
    if wait:
        check(client, follow(client, operation))
    else:
        talk.say(f"Follow it with: cm operation wait {operation['id']}")
    return wait


def _rules(groups: "Iterator[Json]") -> "Iterator[Json]":
    """A row for each rule; for a group without any a row that says so by its emptiness."""
    nothing = {"rule": "", "name": "", "protocol": "", "ports": "", "cidr": ""}
    for group in groups:
        place = {
            "group": group["name"],
            "cloud": group["cloud"],
            "default": group["is_default"],
            "group_id": group["id"],
        }
        for each in group["rules"] or [nothing]:
            yield {**each, **place}
