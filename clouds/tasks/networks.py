"""What is done to security groups and public addresses; each can be begun again at any point after a crash."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from cloudmesh import types
from cloudmesh.errors import Gone
from cloudmesh.types import Json, Rule
from clouds.models import CloudAccount, FloatingIp, SecurityGroup, Server, Sync
from clouds.sync import catalogue, connect, schedule
from clouds.tasks.steps import MINUTES, learn, server_of
from operations import engine
from operations.engine import Done, Outcome, handles
from operations.models import Operation

DEADLINE = 5 * MINUTES


@handles("secgroup.create", deadline=DEADLINE)
def create_group(operation: Operation) -> Outcome:
    """Have one group of that name: whoever asked owns it, unless the cloud had it before."""
    account, name = _account(operation), str(operation.params["name"])
    with connect.reaching(account) as driver:
        if "is_ours" not in operation.result:
            is_ours = all(group.name != name for group in driver.security_groups())
            engine.report(operation, step=f"asking {account}", progress=20, result={"is_ours": is_ours})
        group = driver.ensure_security_group(name, _rules(operation.params["rules"]))
    owner = operation.owner_id if operation.result["is_ours"] else None
    catalogue.remember_group(account, group, by=operation, owner=owner)
    step = "made" if owner else f"{account} had it already; it has the rules"
    return Done(step=step, result={"provider_id": group.id})


@handles("secgroup.change", deadline=DEADLINE)
def change_group(operation: Operation) -> Outcome:
    group, params = _held(SecurityGroup, operation), operation.params
    with connect.reaching(group.account) as driver:
        changed = driver.change_security_group(
            group.provider_id, add=_rules(params["add"]), remove=_rules(params["remove"])
        )
    catalogue.remember_group(group.account, changed, by=operation)
    return Done(step=f"has {len(changed.rules)} rules")


@handles("secgroup.delete", deadline=DEADLINE)
def delete_group(operation: Operation) -> Outcome:
    """One that is gone already is what was wished for."""
    group = SecurityGroup.objects.select_related("account__cloud").filter(pk=str(operation.target_id)).first()
    if group is None:
        return Done(step="deleted already")
    with connect.reaching(group.account) as driver:
        driver.delete_security_group(group.provider_id)
    catalogue.forget(group, by=operation)
    schedule.hurry(group.account, Sync.Kind.SECURITY_GROUPS)
    return Done(step="deleted")


def _undo_reserve(operation: Operation) -> Outcome:
    """The address is not wanted any more: give back what may have been reserved."""
    account = _account(operation)
    with connect.reaching(account) as driver:
        for address in [each for each in driver.floating_ips() if each.token == operation.token]:
            driver.drop_floating_ip(address.id)
    return Done(step="cancelled")


@handles("ip.create", deadline=DEADLINE, cancel=_undo_reserve)
def reserve_address(operation: Operation) -> Outcome:
    """Have exactly one address for this wish."""
    account = _account(operation)
    with connect.reaching(account) as driver:
        address = driver.reserve_floating_ip(token=operation.token)
    catalogue.remember_address(account, address, by=operation, owner=operation.owner_id)
    return Done(step=f"{address.address} is reserved", result={"address": address.address})


@handles("ip.release", deadline=DEADLINE)
def release_address(operation: Operation) -> Outcome:
    """One that is given back already is what was wished for."""
    address = FloatingIp.objects.select_related("account__cloud").filter(pk=str(operation.target_id)).first()
    if address is None:
        return Done(step="given back already")
    with connect.reaching(address.account) as driver:
        driver.drop_floating_ip(address.provider_id, is_used=bool(operation.params["is_used"]))
    catalogue.forget(address, by=operation)
    for kind in (Sync.Kind.FLOATING_IPS, Sync.Kind.SERVERS):
        schedule.hurry(address.account, kind)
    return Done(step="given back")


# -- of servers ------------------------------------------------------------------------------------------------


@handles("server.assign_ip", deadline=DEADLINE)
def assign_ip(operation: Operation) -> Outcome:
    server = server_of(operation)
    with connect.reaching(server.account) as driver:
        address = driver.assign_floating_ip(
            server.provider_id,
            address=str(operation.params.get("address", "")),
            but=kept_by_others(operation, server.account),
        )
        learn(operation, server, driver.server(server.provider_id))
    remember_given(operation, server, address)
    schedule.hurry(server.account)
    return Done(step=f"has {address.address}", result={"address": address.address})


@handles("server.unassign_ip", deadline=DEADLINE)
def unassign_ip(operation: Operation) -> Outcome:
    return _take_off(operation, is_kept=True)


@handles("server.release_ip", deadline=DEADLINE)
def release_ip(operation: Operation) -> Outcome:
    """What somebody else reserved is only taken off."""
    server = server_of(operation)
    others = _addresses_of(server).exclude(owner=None).exclude(owner=operation.owner_id)
    return _take_off(operation, is_kept=others.exists())


def _take_off(operation: Operation, *, is_kept: bool) -> Outcome:
    server = server_of(operation)
    with connect.reaching(server.account) as driver:
        take = driver.unassign_floating_ip if is_kept else driver.release_floating_ip
        take(server.provider_id)
        learn(operation, server, driver.server(server.provider_id))
    for address in _addresses_of(server).select_related("account__cloud"):
        if is_kept:
            catalogue.freed(address, by=operation)
        else:
            catalogue.forget(address, by=operation)
    for kind in (Sync.Kind.FLOATING_IPS, Sync.Kind.SERVERS):
        schedule.hurry(server.account, kind)
    return Done(step="its public address is taken off" if is_kept else "its public address is given back")


def kept_by_others(operation: Operation, account: CloudAccount) -> list[str]:
    """The addresses that colleagues reserved; those without an owner are for whoever needs one."""
    theirs = FloatingIp.objects.filter(account=account).exclude(owner=None).exclude(owner=operation.owner_id)
    return list(theirs.values_list("name", flat=True))


def remember_given(operation: Operation, server: Server, address: types.FloatingIp) -> None:
    """Note which server has an address; one that was not there before belongs to whoever asked."""
    known = FloatingIp.objects.filter(account=server.account, provider_id=address.id).exists()
    catalogue.remember_address(server.account, address, by=operation, owner=None if known else operation.owner_id)


def _addresses_of(server: Server) -> QuerySet[FloatingIp]:
    return FloatingIp.objects.filter(account=server.account, server_provider_id=server.provider_id)


# -- shared ----------------------------------------------------------------------------------------------------


def _account(operation: Operation) -> CloudAccount:
    """Of what is not there yet the lane tells the cloud."""
    pk = uuid.UUID(operation.lane.partition(":")[2])
    account = CloudAccount.objects.select_related("cloud", "project").filter(pk=pk).first()
    if account is None:
        raise Gone("The cloud was removed meanwhile.")
    return account


def _held(model: Any, operation: Operation) -> Any:
    held = model.objects.select_related("account__cloud", "account__project").filter(pk=operation.target_id).first()
    if held is None:
        raise Gone(f"{operation.target_name} is not there any more.")
    return held


def _rules(told: Sequence[Json]) -> list[Rule]:
    return [Rule(**rule) for rule in told]
