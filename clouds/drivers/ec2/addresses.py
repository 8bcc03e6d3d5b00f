"""Elastic IPs: EC2's public addresses that can be moved between servers."""

from collections.abc import Collection
from typing import Any

from cloudmesh.errors import DriverError, Gone, Rejected
from cloudmesh.types import Json
from clouds.drivers.ec2 import records
from clouds.drivers.ec2.failures import tolerated, translated


def of_account(ec2: Any) -> list[Json]:
    with translated():
        addresses: list[Json] = ec2.describe_addresses()["Addresses"]
    return addresses


def of_server(ec2: Any, server_id: str) -> list[Json]:
    return _where(ec2, "instance-id", server_id)


def _where(ec2: Any, name: str, value: str) -> list[Json]:
    with translated():
        addresses: list[Json] = ec2.describe_addresses(Filters=[{"Name": name, "Values": [value]}])["Addresses"]
    return addresses


def reserve(ec2: Any, token: str) -> Json:
    """An address more; its tag says which wish wanted it, so that a second attempt finds it.

    Clouds without allocation ids keep no tags of addresses: there a lost answer costs an address that nobody uses.
    """
    if known := _where(ec2, f"tag:{records.TOKEN}", token):
        return known[0]
    tags = records.tags({records.TOKEN: token})
    with translated():
        made: Json = ec2.allocate_address(TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": tags}])
    return made | {"Tags": tags}


def drop(ec2: Any, name: str, *, is_used: bool) -> None:
    """By its allocation id or, where there is none, by itself."""
    for address in [each for each in of_account(ec2) if name in (each.get("AllocationId"), each["PublicIp"])]:
        if _is_used(address):
            if not is_used:
                raise Rejected(f"A server has {address['PublicIp']}: take it off that first.")
            _dissociate(ec2, address)
        with tolerated("InvalidAllocationID.NotFound", "InvalidAddress.NotFound"):
            ec2.release_address(**_name(address))


def assign(ec2: Any, server_id: str, address: str, but: Collection[str]) -> Json:
    """The server's address; an unused one of the account, or a new one, which is given back if it cannot be used."""
    held = of_server(ec2, server_id)
    if address:
        return _given(ec2, server_id, address, held)
    if held:
        return held[0]
    free = (each for each in of_account(ec2) if not _is_used(each) and each["PublicIp"] not in but)
    if unused := next(free, None):
        return _associate(ec2, unused, server_id)
    with translated():
        new = ec2.allocate_address()
    try:
        return _associate(ec2, new, server_id)
    except DriverError:
        with translated():
            ec2.release_address(**_name(new))
        raise


def _given(ec2: Any, server_id: str, address: str, held: list[Json]) -> Json:
    """This very address, which must be the account's and unused."""
    mine = next((each for each in held if each["PublicIp"] == address), None)
    if mine:
        return mine
    if held:
        raise Rejected(f"The server has {held[0]['PublicIp']} already: take that off it first.")
    found = next((each for each in of_account(ec2) if each["PublicIp"] == address), None)
    if found is None:
        raise Gone(f"This account has no address {address}.")
    if _is_used(found):
        raise Rejected(f"Another server has {address}: take it off that first.")
    return _associate(ec2, found, server_id)


def unassign(ec2: Any, server_id: str) -> None:
    for address in of_server(ec2, server_id):
        _dissociate(ec2, address)


def release(ec2: Any, server_id: str) -> None:
    for address in of_server(ec2, server_id):
        _dissociate(ec2, address)
        with translated():
            ec2.release_address(**_name(address))


def _is_used(address: Json) -> bool:
    return bool(address.get("InstanceId") or address.get("AssociationId"))


def _dissociate(ec2: Any, address: Json) -> None:
    with tolerated("InvalidAssociationID.NotFound"):
        ec2.disassociate_address(**_association(address))


def _associate(ec2: Any, address: Json, server_id: str) -> Json:
    with translated():
        ec2.associate_address(InstanceId=server_id, AllowReassociation=False, **_name(address))
    return address | {"InstanceId": server_id}


def _name(address: Json) -> Json:
    """How to name an address: clouds without VPCs have no allocation ids."""
    named = address.get("AllocationId")
    return {"AllocationId": named} if named else {"PublicIp": address["PublicIp"]}


def _association(address: Json) -> Json:
    named = address.get("AssociationId")
    return {"AssociationId": named} if named else {"PublicIp": address["PublicIp"]}
