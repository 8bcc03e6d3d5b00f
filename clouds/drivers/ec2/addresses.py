"""Elastic IPs: EC2's public addresses that can be moved between servers."""

from typing import Any

from cloudmesh.errors import DriverError
from cloudmesh.types import Json
from clouds.drivers.ec2.failures import translated


def of_account(ec2: Any) -> list[Json]:
    with translated():
        addresses: list[Json] = ec2.describe_addresses()["Addresses"]
    return addresses


def of_server(ec2: Any, server_id: str) -> list[Json]:
    with translated():
        addresses: list[Json] = ec2.describe_addresses(Filters=[{"Name": "instance-id", "Values": [server_id]}])[
            "Addresses"
        ]
    return addresses


def assign(ec2: Any, server_id: str) -> Json:
    """The server's address; an unused one of the account, or a new one, which is given back if it cannot be used."""
    if held := of_server(ec2, server_id):
        return held[0]
    unused = next(
        (address for address in of_account(ec2) if not address.get("InstanceId") and "AssociationId" not in address),
        None,
    )
    if unused:
        return _associate(ec2, unused, server_id)
    with translated():
        new = ec2.allocate_address()
    try:
        return _associate(ec2, new, server_id)
    except DriverError:
        with translated():
            ec2.release_address(**_name(new))
        raise


def release(ec2: Any, server_id: str) -> None:
    for address in of_server(ec2, server_id):
        with translated():
            ec2.disassociate_address(**_association(address))
            ec2.release_address(**_name(address))


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
