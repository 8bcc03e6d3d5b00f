"""What the driver asks and how it reads the answers."""

import base64
import datetime
import hashlib
import json

import pytest

from cloudmesh.errors import Full, Gone, Rejected
from cloudmesh.types import ServerSpec, ServerState
from clouds.drivers.ec2 import Ec2
from tests.clouds.drivers.ec2.endpoint import Endpoint

TAGS = """<item><key>Name</key><value>gregor_1</value></item>
    <item><key>cloudmesh:token</key><value>wish-1</value></item>"""
INSTANCE = """<instancesSet><item>
    <instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceType>t3.micro</instanceType><keyName>gregor</keyName>
    <instanceState><code>16</code><name>{state}</name></instanceState>
    <launchTime>2026-11-22T10:00:00.000Z</launchTime><privateIpAddress>10.0.0.5</privateIpAddress>
    <ipAddress>54.1.2.3</ipAddress><clientToken>x</clientToken><tagSet>{tags}</tagSet>
    <groupSet><item><groupId>sg-1</groupId><groupName>cloudmesh</groupName></item></groupSet>
    <stateReason><code>{reason}</code><message>{reason}: as Amazon says</message></stateReason>
    <networkInterfaceSet><item><attachment><attachTime>2026-11-20T10:00:00.000Z</attachTime></attachment>
    <ipv6AddressesSet><item><ipv6Address>2a05:d014::5</ipv6Address></item></ipv6AddressesSet></item></networkInterfaceSet>
    </item></instancesSet>"""
DEFAULT_VPC = "<vpcSet><item><vpcId>vpc-1</vpcId><isDefault>true</isDefault></item></vpcSet>"
GROUP = """<securityGroupInfo><item><groupId>sg-1</groupId><groupName>cloudmesh</groupName>
    <vpcId>vpc-1</vpcId><ipPermissions>{rules}</ipPermissions></item></securityGroupInfo>"""
PORT_22 = """<item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort>
    <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>"""
SPEC = ServerSpec(name="gregor_1", image="ami-1", flavor="t3.micro")


def ran(*, tags: str = TAGS) -> str:
    return "<reservationId>r-1</reservationId>" + INSTANCE.format(state="pending", tags=tags, reason="pending")


def described(state: str = "running", *, tags: str = TAGS, reason: str = "") -> str:
    instances = INSTANCE.format(state=state, tags=tags, reason=reason)
    return f"<reservationSet><item><reservationId>r-1</reservationId>{instances}</item></reservationSet>"


# -- servers -----------------------------------------------------------------------------------------------------


def test_a_server_is_read_whole(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeInstances", described())
    server = driver.server("i-1")
    assert (server.id, server.name, server.token) == ("i-1", "gregor_1", "wish-1")
    assert (server.image, server.flavor, server.key) == ("ami-1", "t3.micro", "gregor")
    assert server.addresses == ("10.0.0.5", "54.1.2.3", "2a05:d014::5")
    assert server.public_addresses == ("54.1.2.3",)
    assert server.security_groups == ("cloudmesh",)
    assert server.created == datetime.datetime(2026, 11, 20, 10, tzinfo=datetime.UTC), "not when last started"
    assert json.loads(json.dumps(server.native))["ReservationId"] == "r-1"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("pending", ServerState.BUILDING),
        ("running", ServerState.ACTIVE),
        ("stopping", ServerState.CHANGING),
        ("stopped", ServerState.STOPPED),
        ("shutting-down", ServerState.DELETING),
        ("of-the-next-century", ServerState.UNKNOWN),
    ],
)
def test_each_state(driver: Ec2, endpoint: Endpoint, theirs: str, ours: ServerState) -> None:
    endpoint.say("DescribeInstances", described(theirs))
    assert driver.server("i-1").state is ours


def test_a_terminated_server_is_gone_with_the_reason(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeInstances", described("terminated", reason="Client.VolumeLimitExceeded"))
    with pytest.raises(Gone, match=r"Client\.VolumeLimitExceeded: as Amazon says"):
        driver.server("i-1")


def test_what_its_owner_did_is_no_fault(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeInstances", described("stopped", reason="Client.UserInitiatedShutdown"))
    assert driver.server("i-1").fault == ""
    endpoint.say("DescribeInstances", described("stopped", reason="Server.ScheduledStop"))
    assert driver.server("i-1").fault == "Server.ScheduledStop: as Amazon says"


def test_a_server_without_a_name_is_called_by_its_id(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeInstances", described(tags=""))
    assert (driver.server("i-1").name, driver.server("i-1").token) == ("i-1", "")


def test_every_page_is_followed_and_the_dead_are_not_asked_for(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeInstances", described() + "<nextToken>more</nextToken>", described())
    assert len(list(driver.servers())) == 2
    assert [form.get("NextToken") for form in endpoint.asked] == [None, "more"]
    assert "terminated" not in endpoint.form("DescribeInstances").values()


# -- a wish ------------------------------------------------------------------------------------------------------


def test_a_wish_goes_with_its_token_name_and_labels(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("RunInstances", ran())
    spec = ServerSpec(
        name="gregor_1", image="ami-1", flavor="t3.micro", key="gregor", user_data="hi", labels={"a": "b"}
    )
    assert driver.create_server(spec, token="wish-1").state is ServerState.BUILDING
    form = endpoint.form("RunInstances")
    assert (form["ClientToken"], form["MinCount"], form["MaxCount"]) == ("wish-1", "1", "1")
    assert (form["ImageId"], form["InstanceType"], form["KeyName"]) == ("ami-1", "t3.micro", "gregor")
    assert base64.b64decode(form["UserData"]) == b"hi"
    tags = {form[f"TagSpecification.1.Tag.{at}.Key"]: form[f"TagSpecification.1.Tag.{at}.Value"] for at in (1, 2, 3)}
    assert tags == {"a": "b", "Name": "gregor_1", "cloudmesh:token": "wish-1"}


@pytest.mark.parametrize("token", ["w" * 65, "w" * 300, "Wunsch-äöü"])
def test_a_token_that_does_not_fit_is_hashed_alike_each_time(driver: Ec2, endpoint: Endpoint, token: str) -> None:
    endpoint.say("RunInstances", ran())
    driver.create_server(SPEC, token=token)
    first = endpoint.form("RunInstances")
    driver.create_server(SPEC, token=token)
    again = endpoint.form("RunInstances")
    assert first["ClientToken"] == again["ClientToken"] == hashlib.sha256(token.encode()).hexdigest()
    driver.find(token)
    assert endpoint.form("DescribeInstances")["Filter.1.Value.1"] == first["TagSpecification.1.Tag.2.Value"]


def test_a_cloud_that_forgets_tags_at_birth_is_told_again(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("RunInstances", ran(tags=""))
    endpoint.say("DescribeInstances", described("pending"))
    assert driver.create_server(SPEC, token="wish-1").token == "wish-1"
    assert endpoint.form("CreateTags")["ResourceId.1"] == "i-1"


def test_a_server_of_another_wish_is_not_taken_for_ours(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeInstances", described())
    assert driver.find("wish-*") is None
    assert getattr(driver.find("wish-1"), "id", "") == "i-1"


def test_no_room_at_amazon_is_full(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.fail("RunInstances", "InsufficientInstanceCapacity", 500)
    with pytest.raises(Full):
        driver.create_server(SPEC, token="wish-1")


# -- where it stands -----------------------------------------------------------------------------------------------


def boot_with(driver: Ec2, endpoint: Endpoint, **wanted: object) -> dict[str, str]:
    endpoint.say("RunInstances", ran())
    endpoint.say("DescribeSecurityGroups", GROUP.format(rules=""))
    spec = ServerSpec(name="g", image="ami-1", flavor="t3.micro", security_groups=("cloudmesh",), **wanted)  # type: ignore[arg-type]
    driver.create_server(spec, token="wish-1")
    return endpoint.form("RunInstances")


def test_usually_it_goes_to_the_default_vpc(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeVpcs", DEFAULT_VPC)
    form = boot_with(driver, endpoint)
    assert form["SecurityGroupId.1"] == "sg-1"
    assert "SubnetId" not in form
    assert endpoint.form("DescribeSecurityGroups")["Filter.2.Value.1"] == "vpc-1"


def test_without_a_default_vpc_it_goes_to_the_roomiest_open_subnet(driver: Ec2, endpoint: Endpoint) -> None:
    subnet = """<item><subnetId>{}</subnetId><vpcId>vpc-2</vpcId><mapPublicIpOnLaunch>{}</mapPublicIpOnLaunch>
        <availableIpAddressCount>{}</availableIpAddressCount></item>"""
    rooms = [("subnet-1", "true", 5), ("subnet-2", "true", 50), ("subnet-3", "false", 500)]
    endpoint.say("DescribeSubnets", f"<subnetSet>{''.join(subnet.format(*room) for room in rooms)}</subnetSet>")
    form = boot_with(driver, endpoint)
    assert form["NetworkInterface.1.SubnetId"] == "subnet-2"
    assert form["NetworkInterface.1.SecurityGroupId.1"] == "sg-1"
    assert endpoint.form("DescribeSecurityGroups")["Filter.2.Value.1"] == "vpc-2"


def test_a_cloud_without_vpcs_is_asked_for_none(driver: Ec2, endpoint: Endpoint) -> None:
    form = boot_with(driver, endpoint)
    assert form["SecurityGroupId.1"] == "sg-1"
    assert not [name for name in form if "Subnet" in name or "Interface" in name]
    assert "Filter.2.Name" not in endpoint.form("DescribeSecurityGroups")


def test_subnets_that_are_named_are_taken_in_their_order(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeSubnets", "<subnetSet><item><subnetId>b</subnetId><vpcId>vpc-3</vpcId></item></subnetSet>")
    form = boot_with(driver, endpoint, networks=("b", "a"), floating_ip=True)
    assert [form[f"NetworkInterface.{at}.SubnetId"] for at in (1, 2)] == ["b", "a"]
    assert "NetworkInterface.1.AssociatePublicIpAddress" not in form, "EC2 gives none to a server with two interfaces"


def test_a_public_address_from_birth(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeVpcs", DEFAULT_VPC)
    form = boot_with(driver, endpoint, floating_ip=True)
    assert form["NetworkInterface.1.AssociatePublicIpAddress"] == "true"
    assert form["NetworkInterface.1.SecurityGroupId.1"] == "sg-1"


def test_a_security_group_that_is_not_there_is_said_before_anything_runs(driver: Ec2, endpoint: Endpoint) -> None:
    with pytest.raises(Rejected, match="There is no security group nowhere"):
        driver.create_server(ServerSpec(name="g", image="a", flavor="t", security_groups=("nowhere",)), token="wish-1")
    assert "RunInstances" not in endpoint.actions()


# -- and beside


def test_the_last_lines_of_the_console(driver: Ec2, endpoint: Endpoint) -> None:
    text = base64.b64encode(b"one\ntwo\nthree").decode()
    endpoint.say("GetConsoleOutput", f"<output>{text}</output>")
    assert driver.console_log("i-1", lines=2) == "two\nthree"
    endpoint.say("GetConsoleOutput", "")
    assert driver.console_log("i-1") == ""


def test_an_action_nobody_knows_is_rejected(driver: Ec2, endpoint: Endpoint) -> None:
    with pytest.raises(Rejected, match="no action explode"):
        driver.act("i-1", "explode")
    assert endpoint.asked == []
