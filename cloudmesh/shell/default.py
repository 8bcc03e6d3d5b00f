"""`cm default`: what is taken where nothing is said; shared with the web."""

from collections.abc import Sequence
from typing import Any

import click

from cloudmesh.client import Client
from cloudmesh.errors import NotFound, near
from cloudmesh.shell.options import Show, listing, pass_client

#: Of one cloud, and the field that sets them; the last two may also be for all clouds.
PER_CLOUD = {"image": "images", "flavor": "flavors", "network": "networks", "login": "logins"}
EITHER = {"key": "keys", "security_group": "security_groups"}
KEYS = {
    "cloud": "the cloud where servers are booted",
    "image": "what they are made from, on each cloud",
    "flavor": "their size, on each cloud",
    "key": "which of your keys opens them",
    "network": "the network that they are in, on each cloud",
    "security_group": "the rules that they are behind",
    "login": "who logs in to them, on each cloud",
    "group": "the group that they belong to",
    "prefix": "what their names begin with",
    "width": "how many digits the number in their names has",
    "schema": "how their names look: {user}-{group}-{number}",
    "last_server": "the server that is meant where none is named",
    "format": "how lists are shown: table, json, yaml, csv or plain",
}
columns = listing("key", "cloud", "value", "source")
for_all = (
    click.option("--project", help="In this project; the one you work in if not said."),
    click.option("--for-project", is_flag=True, default=None, help="For everybody in the project."),
    click.option("--for-portal", is_flag=True, default=None, help="For everybody."),
)


class Keys(click.Group):
    """A command for each default; `KEY=VALUE` is `KEY VALUE`, as it always was."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        key, equals, value = args[0].partition("=")
        if equals:
            args = [key, value, *args[1:]]
        if args[0] not in self.commands and not args[0].startswith("-"):
            known = {*KEYS, *self.commands}
            raise click.UsageError(
                f"There is no default {args[0]}.{near(args[0], known)} There are: {', '.join(KEYS)}."
            )
        return super().resolve_command(ctx, args)


@click.group(cls=Keys, invoke_without_command=True)
@click.pass_context
def default(context: click.Context) -> None:
    """What is taken where you say nothing; the web shows and sets the same.

    \b
    cm default
    cm default image ubuntu-24.04 --cloud india
    cm default cloud=india
    cm default delete image --cloud india
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


def _scoped(command: Any) -> Any:
    for option in reversed(for_all):
        command = option(command)
    return command


@default.command("list")
@_scoped
@columns
@pass_client
def list_(client: Client, /, show: Show, **where: Any) -> None:
    """List the defaults and where each comes from; with --for-project or --for-portal what is said there."""
    show(client.defaults(scope=_scope(where), project=where["project"]))


def _define(key: str) -> None:
    @click.command(key, help=f"Show or set {KEYS[key]}.\n\nExample: cm default {key} VALUE")
    @click.argument(key, required=False, metavar="[VALUE]")
    @_on_cloud(key)
    @click.option("--raw", is_flag=True, help="Only the value.")
    @_scoped
    @columns
    @pass_client
    def command(client: Client, /, show: Show, raw: bool, **given: Any) -> None:
        value, cloud = given.pop(key), given.pop("cloud", None)
        row = _set(client, key, value, cloud, given) if value is not None else _shown(client, key, cloud, given)
        if raw:
            click.echo(row["value"])
        else:
            show([row])

    default.add_command(command)


def _on_cloud(key: str) -> Any:
    """The option --cloud, for those that may be of one cloud."""
    if key in PER_CLOUD:
        return click.option("--cloud", help="On which cloud; your default one if not said.")
    if key in EITHER:
        return click.option("--cloud", help="On which cloud; all if not said.")
    return lambda command: command


@default.command("set")
@click.argument("key", type=click.Choice([*KEYS]))
@click.argument("value")
@click.option("--cloud", help="On which cloud, for what is of one; your default one if not said.")
@_scoped
@columns
@pass_client
def set_(client: Client, /, show: Show, key: str, value: str, cloud: str | None, **where: Any) -> None:
    """Set a default; an empty VALUE removes it.

    \b
    cm default set cloud india
    cm default set image ubuntu-24.04 --cloud india
    """
    show([_set(client, key, value, cloud, where)])


@default.command()
@click.argument("key", type=click.Choice([*KEYS]))
@click.option("--cloud", help="On which cloud, for what is of one; your default one if not said.")
@_scoped
@columns
@pass_client
def delete(client: Client, /, show: Show, key: str, cloud: str | None, **where: Any) -> None:
    """Remove a default, and show what is taken instead. Example: cm default delete image --cloud india"""
    show([_set(client, key, "", cloud, where)])


def _set(client: Client, key: str, value: str, cloud: str | None, where: dict[str, Any]) -> dict[str, Any]:
    cloud = cloud or (_usual_cloud(client, where["project"]) if key in PER_CLOUD else None)
    fields = PER_CLOUD | EITHER
    if cloud and key not in fields:
        raise click.UsageError(f"The default {key} is the same for all clouds; leave --cloud out.")
    values = {fields[key]: {cloud: value}} if cloud else {key: value}
    return _row(client.set_defaults(**values, **where), key, cloud)


def _shown(client: Client, key: str, cloud: str | None, where: dict[str, Any]) -> dict[str, Any]:
    rows = client.defaults(scope=_scope(where), project=where["project"])
    return _row(rows, key, cloud or _row(rows, "cloud", None)["value"])


def _row(rows: Sequence[dict[str, Any]], key: str, cloud: str | None) -> dict[str, Any]:
    """The default for this cloud, or the one for all. Raises NotFound for a cloud that is not used."""
    found = {row["cloud"]: row for row in rows if row["key"] == key}
    row = found.get(cloud) or found.get(None)
    if row:
        return row
    if not cloud:
        raise NotFound("There is no cloud that can be used. Add one with: cm cloud register NAME --driver openstack")
    used = {each["cloud"] for each in rows if each["cloud"]}
    if key in PER_CLOUD and cloud in used:
        return {"key": key, "cloud": cloud, "value": "", "source": "none"}
    raise NotFound(f"No cloud named {cloud} is used here.{near(cloud, used)}")


def _usual_cloud(client: Client, project: str | None) -> str:
    cloud: str = _row(client.defaults(project=project), "cloud", None)["value"]
    if not cloud:
        raise NotFound("There is no cloud that can be used. Say one with --cloud, or add one with: cm cloud register")
    return cloud


def _scope(where: dict[str, Any]) -> str | None:
    return "portal" if where["for_portal"] else "project" if where["for_project"] else None


for each in KEYS:
    _define(each)
