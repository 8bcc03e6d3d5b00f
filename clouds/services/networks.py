"""Promises about security groups and public addresses: recorded in one transaction; nothing here waits for a cloud.

Every worker of a project may make a group or reserve an address, as they may boot: what is new opens and takes
nothing of anybody else's. To change or delete one is for whoever asked for it and for the project's leaders, since a
rule opens all servers of the group, colleagues' too, and an address that is given back is lost.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import transaction

from accounts.models import User
from cloudmesh.errors import Conflict, Invalid, NotFound, near
from cloudmesh.types import Json, Rule, expand_names, is_glob
from clouds import defaults
from clouds.models import CloudAccount, FloatingIp, Held, Owned, SecurityGroup, Server
from clouds.services import rules as writing
from clouds.services.servers import ask, require_able
from clouds.sync import connect
from operations import services as operations
from operations.models import Operation
from projects import access
from projects.access.naming import ID, named
from projects.models import Project

Found = TypeVar("Found", bound=Held)
MOST_ADDRESSES = 50  # at once


# -- security groups -------------------------------------------------------------------------------------------


@transaction.atomic
def create_group(*, actor: User, project: Project, name: str, rules: Sequence[str] = (), cloud: str = "") -> Operation:
    """Have a security group with these rules. Raises NotAllowed, Invalid, Conflict, NotFound."""
    access.require(actor, "secgroup.create", project)
    if not defaults.NAME.match(name):
        raise Invalid(
            f"{name[:40]!r} cannot be a security group's name: use up to 63 letters, digits, dots, dashes and "
            "underscores.",
            field="name",
        )
    wanted = writing.parse_new(rules)
    account = _account(actor, project, cloud, "security_groups")
    if SecurityGroup.objects.filter(account=account, name=name).exists():
        raise Conflict(
            f"There is a security group {name} on {account} already. Give it rules with: cm secgroup rule add {name}",
            field="name",
        )
    group = SecurityGroup(account=account, name=name, owner=actor)
    return _request("secgroup.create", [group], actor, {"name": name, "rules": _told(wanted)})


@transaction.atomic
def change_group(
    *, actor: User, group: SecurityGroup, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> Operation:
    """Have rules in a group, and others not any more. Raises NotAllowed, Invalid, NotFound, Conflict."""
    _require(group, actor, "secgroup.change")
    new, old = writing.parse_new(add), list(map(writing.parse, remove))
    if not new and not old:
        raise Invalid("Say which rules to add or to remove.", field="add")
    there = [Rule(**rule) for rule in group.rules]
    for rule in old:
        if rule not in there:
            text, known = writing.spell(rule), list(map(writing.spell, there))
            raise NotFound(f"{group} on {group.account} has no rule {text}.{near(text, known)}", wanted=text)
    return _request("secgroup.change", [group], actor, {"add": _told(new), "remove": _told(old)})


@transaction.atomic
def delete_groups(*, actor: User, groups: Sequence[SecurityGroup]) -> Operation:
    """Delete security groups that no server uses. Raises NotAllowed, Invalid, Conflict."""
    for group in groups:
        _require(group, actor, "secgroup.delete")
    return _request("secgroup.delete", groups, actor, {})


# -- public addresses ------------------------------------------------------------------------------------------


@transaction.atomic
def reserve_addresses(*, actor: User, project: Project, cloud: str = "", count: int = 1) -> Operation:
    """Have public addresses, to be given to servers later. Raises NotAllowed, Invalid, Conflict, NotFound."""
    access.require(actor, "ip.create", project)
    if not 1 <= count <= MOST_ADDRESSES:
        raise Invalid(f"count must be between 1 and {MOST_ADDRESSES}, not {count}.", field="count")
    account = _account(actor, project, cloud, "floating_ips")
    new = [FloatingIp(account=account, name=f"an address on {account}", owner=actor) for _ in range(count)]
    return _request("ip.create", new, actor, {})


@transaction.atomic
def release_addresses(*, actor: User, addresses: Sequence[FloatingIp], is_used: bool = False) -> Operation:
    """Give addresses back to their cloud; those that servers have only where `is_used`.

    Raises NotAllowed, Invalid, Conflict.
    """
    for address in addresses:
        _require(address, actor, "ip.release")
        if address.server_provider_id and not is_used:
            raise Conflict(
                f"{address} is used by {_user_of(address)}. Take it off with: cm ip unassign, or give it back with "
                "--force.",
                address=address.name,
            )
    return _request("ip.release", addresses, actor, {"is_used": is_used})


def assign_ip(*, actor: User, server: Server, address: str = "") -> Operation:
    """Give a server a public address; where none is said one that is nobody's.

    Raises NotAllowed, Conflict, NotFound.
    """
    require_able(server, "assign_ip")
    params = {"address": _usable(actor, server, address) if address else ""}
    return ask("server.assign_ip", [server], actor=actor, permission="server.change", params=params)


def unassign_ip(*, actor: User, server: Server) -> Operation:
    """Take a server's public address off it; the project keeps it. Raises NotAllowed, Conflict."""
    require_able(server, "unassign_ip")
    return ask("server.unassign_ip", [server], actor=actor, permission="server.change", params={})


def release_ip(*, actor: User, server: Server) -> Operation:
    """Give a server's public address back, but one that somebody else reserved. Raises NotAllowed, Conflict."""
    require_able(server, "release_ip")
    return ask("server.release_ip", [server], actor=actor, permission="server.change", params={})


def _usable(actor: User, server: Server, address: str) -> str:
    """This address, if the server may be given it."""
    mine = access.visible(FloatingIp, actor).filter(account=server.account_id)
    found = access.first_named(mine.select_related("account__project"), address, kind="address")
    if found.owner_id not in (None, actor.pk):
        access.permitted(found, actor=actor, permission="ip.release")
    if found.server_provider_id not in ("", server.provider_id):
        raise Conflict(f"{found} is used by {_user_of(found)}. Take it off there first, with: cm ip unassign")
    return found.name


# -- shared ----------------------------------------------------------------------------------------------------


def find_held(
    model: type[Found], *, actor: User, names: Sequence[str], permission: str, cloud: str = ""
) -> list[Found]:
    """Those that names, ids, hostlists and globs mean. Raises NotFound, Ambiguous, NotAllowed, Invalid."""
    if not names:
        raise Invalid(f"Name at least one {model._meta.verbose_name}.", field="names")
    mine = access.visible(model, actor).select_related("account__cloud", "account__project")
    mine = mine.filter(account__cloud__name=cloud) if cloud else mine
    ids = [name for name in names if ID.fullmatch(name)]
    found: dict[Any, Found] = {each.pk: each for each in mine.filter(pk__in=ids)} if ids else {}
    for name in expand_names(*(name for name in names if name not in set(map(str, found)))):
        matches = list(mine.filter(named(name))) if is_glob(name) else [access.first_named(mine, name)]
        if not matches:
            raise NotFound(f"No {model._meta.verbose_name} matches {name[:80]!r}.", wanted=name[:80])
        found |= {each.pk: each for each in matches}
    return [access.permitted(each, actor=actor, permission=permission) for each in found.values()]


def _request(kind: str, held: Sequence[Owned], actor: User, params: Json) -> Operation:
    """One wish about things of one project; what is new is told by its record-to-be."""
    if len({each.account.project_id for each in held}) != 1:
        raise Invalid("Choose things of one project at a time.", field="names")
    return operations.request(
        kind,
        targets=held,
        project=held[0].account.project,
        actor=actor,
        lanes=[each.account.lane for each in held],
        params=params,
    )


def _require(held: Owned, actor: User, permission: str) -> None:
    access.permitted(held, actor=actor, permission=permission)
    if not held.account.is_usable:
        why = held.account.state if held.account.is_enabled else "switched off"
        raise Conflict(f"The cloud {held.account} is {why}; nothing can be changed there.")


def _account(actor: User, project: Project, cloud: str, ability: str) -> CloudAccount:
    """The cloud that is meant, which must be able to. Raises NotFound, Conflict."""
    account, _ = defaults.choose_cloud(actor, project, cloud, defaults.Values(actor, project))
    if reason := connect.drivers.named(account.cloud.driver).abilities.reason(ability):
        raise Conflict(reason)
    return account


def _user_of(address: FloatingIp) -> str:
    servers = Server.objects.filter(account=address.account_id, provider_id=address.server_provider_id)
    return servers.values_list("name", flat=True).first() or "a server"


def _told(rules: Sequence[Rule]) -> list[Json]:
    return [dataclasses.asdict(rule) for rule in rules]
