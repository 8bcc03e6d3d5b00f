"""Where a server stands in EC2's networks: VPC, subnets and security groups.

Groups belong to a VPC. Unless a boot names subnets, servers and groups go to the account's default VPC; where
it has none, to that of its roomiest subnet; where there are no VPCs at all (Eucalyptus in EDGE mode), to none.
"""

from collections.abc import Iterable
from typing import Any

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import Json, Rule, ServerSpec
from clouds.drivers.ec2 import records
from clouds.drivers.ec2.failures import tolerated, translated


def attachment(ec2: Any, spec: ServerSpec) -> Json:
    """What RunInstances is told about networks."""
    vpc, subnets = _named_place(ec2, spec.networks) if spec.networks else _usual_place(ec2)
    groups = [_group_id(ec2, name, vpc) for name in spec.security_groups]
    if not subnets and not spec.floating_ip:
        return {"SecurityGroupIds": groups} if groups else {}
    interfaces: list[Json] = [{"DeviceIndex": at, "SubnetId": subnet} for at, subnet in enumerate(subnets)]
    interfaces = interfaces or [{"DeviceIndex": 0}]
    if groups:
        interfaces = [interface | {"Groups": groups} for interface in interfaces]
    if spec.floating_ip and len(interfaces) == 1:  # with more, EC2 gives no public address at birth
        interfaces[0]["AssociatePublicIpAddress"] = True
    return {"NetworkInterfaces": interfaces}


def ensure_group(ec2: Any, name: str, rules: Iterable[Rule]) -> Json:
    """The security group of that name where servers usually go, with at least these rules."""
    vpc, _ = _usual_place(ec2)
    group = _group(ec2, name, vpc)
    if not group:
        with tolerated("InvalidGroup.Duplicate"):  # somebody was faster
            ec2.create_security_group(
                GroupName=name, Description="Made by Cloudmesh", **({"VpcId": vpc} if vpc else {})
            )
        group = _group(ec2, name, vpc)
    there = records.security_group(group).rules
    missing = [rule for rule in rules if rule not in there]
    for rule in missing:
        with tolerated("InvalidPermission.Duplicate"):
            ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[records.permission(rule)])
    return _group(ec2, name, vpc) if missing else group


def change_group(ec2: Any, group_id: str, add: Iterable[Rule], remove: Iterable[Rule]) -> Json:
    """The group without the one and with the other rules."""
    group, unwanted = _group_called(ec2, group_id), set(remove)
    pieces = [piece for rule, piece in records.openings(group) if rule in unwanted]
    if pieces:
        with tolerated("InvalidPermission.NotFound"):
            ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=pieces)
    there = records.security_group(group).rules
    for rule in dict.fromkeys(add):
        if rule not in there:
            with tolerated("InvalidPermission.Duplicate"):
                ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[records.permission(rule)])
    return _group_called(ec2, group_id)


def delete_group(ec2: Any, group_id: str) -> None:
    with tolerated("InvalidGroup.NotFound", "InvalidGroupId.Malformed"):
        ec2.delete_security_group(GroupId=group_id)


def _group_called(ec2: Any, group_id: str) -> Json:
    with translated():
        found = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    if not found:
        raise Gone(f"There is no security group {group_id}.")
    group: Json = found[0]
    return group


def _usual_place(ec2: Any) -> tuple[str, list[str]]:
    """The VPC, and the subnets that must be named to get there."""
    with tolerated("InvalidAction", "UnsupportedOperation"):  # which knows no VPCs
        for vpc in ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]:
            return vpc["VpcId"], []
        for subnet in sorted(_open_subnets(ec2), key=_room, reverse=True):
            return subnet["VpcId"], [subnet["SubnetId"]]
    return "", []


def _open_subnets(ec2: Any) -> list[Json]:
    subnets: list[Json] = ec2.describe_subnets(Filters=[{"Name": "state", "Values": ["available"]}])["Subnets"]
    return subnets


def _room(subnet: Json) -> tuple[bool, int]:
    return subnet.get("MapPublicIpOnLaunch", False), subnet.get("AvailableIpAddressCount", 0)


def _named_place(ec2: Any, subnets: Iterable[str]) -> tuple[str, list[str]]:
    wanted = list(subnets)
    with translated():
        found = ec2.describe_subnets(SubnetIds=wanted)["Subnets"]
    return found[0]["VpcId"], wanted


def _group_id(ec2: Any, name: str, vpc: str) -> str:
    if name.startswith("sg-"):  # no group can be called so
        return name
    group = _group(ec2, name, vpc)
    if not group:
        raise Rejected(f"There is no security group {name} in {vpc or 'this cloud'}: make it there, or name another.")
    return str(group["GroupId"])


def _group(ec2: Any, name: str, vpc: str) -> Json:
    filters = [{"Name": "group-name", "Values": [name]}]
    if vpc:
        filters.append({"Name": "vpc-id", "Values": [vpc]})
    with translated():
        groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    return next((group for group in groups if group["GroupName"] == name), {})
