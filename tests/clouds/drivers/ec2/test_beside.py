"""Security groups, keys, addresses, images, flavors and limits: what is beside a server."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloudmesh.errors import Rejected
from cloudmesh.types import ImageState, Rule
from clouds.drivers.ec2 import Ec2, records
from tests.clouds.drivers.ec2.endpoint import Endpoint

DEFAULT_VPC = "<vpcSet><item><vpcId>vpc-1</vpcId><isDefault>true</isDefault></item></vpcSet>"
GROUP = """<securityGroupInfo><item><groupId>sg-1</groupId><groupName>cloudmesh</groupName>
    <vpcId>vpc-1</vpcId><ipPermissions>{rules}</ipPermissions></item></securityGroupInfo>"""
PORT_22 = """<item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort>
    <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>"""
PORT_22 = """<item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort>
    <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>"""
SSH = Rule(protocol="tcp", first_port=22, last_port=22)


# -- security groups -----------------------------------------------------------------------------------------------


def test_a_group_gets_only_what_it_misses(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeVpcs", DEFAULT_VPC)
    endpoint.say("DescribeSecurityGroups", GROUP.format(rules=PORT_22))
    ping = Rule(protocol="icmp", cidr="2001:db8::/32")
    assert driver.ensure_security_group("cloudmesh", [SSH, ping]).rules == (SSH,)
    assert endpoint.actions().count("AuthorizeSecurityGroupIngress") == 1
    asked = endpoint.form("AuthorizeSecurityGroupIngress")
    assert asked["IpPermissions.1.IpProtocol"] == "icmpv6"
    assert (asked["IpPermissions.1.FromPort"], asked["IpPermissions.1.ToPort"]) == ("-1", "-1")
    assert asked["IpPermissions.1.Ipv6Ranges.1.CidrIpv6"] == "2001:db8::/32"


def test_a_new_group_is_made_in_the_vpc_even_if_somebody_was_faster(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeVpcs", DEFAULT_VPC)
    endpoint.say("DescribeSecurityGroups", "", GROUP.format(rules=""), GROUP.format(rules=PORT_22))
    endpoint.fail("CreateSecurityGroup", "InvalidGroup.Duplicate")
    endpoint.fail("AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate")
    assert driver.ensure_security_group("cloudmesh", [SSH]).rules == (SSH,)
    assert endpoint.form("CreateSecurityGroup")["VpcId"] == "vpc-1"


def test_a_group_that_opens_everything_says_so(driver: Ec2, endpoint: Endpoint) -> None:
    rules = "<item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges></item>"
    endpoint.say("DescribeSecurityGroups", GROUP.format(rules=rules))
    (group,) = driver.security_groups()
    assert group.rules == (Rule(protocol="any", cidr="10.0.0.0/8"),)


def test_a_rule_is_revoked_as_ec2_wrote_it(driver: Ec2, endpoint: Endpoint) -> None:
    echo = """<item><ipProtocol>icmp</ipProtocol><fromPort>8</fromPort><toPort>-1</toPort><ipRanges>
        <item><cidrIp>10.0.0.0/8</cidrIp></item><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>"""
    endpoint.say("DescribeSecurityGroups", GROUP.format(rules=echo + PORT_22))
    ping = Rule(protocol="icmp", first_port=8, cidr="0.0.0.0/0")
    driver.change_security_group("sg-1", remove=[ping])
    asked = endpoint.form("RevokeSecurityGroupIngress")
    told = {name.removeprefix("IpPermissions.1."): asked[name] for name in asked if name.startswith("IpPermissions.")}
    assert told == {"IpProtocol": "icmp", "FromPort": "8", "ToPort": "-1", "IpRanges.1.CidrIp": "0.0.0.0/0"}


def test_a_group_in_use_stays(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.fail("DeleteSecurityGroup", "DependencyViolation")
    with pytest.raises(Rejected, match="DependencyViolation"):
        driver.delete_security_group("sg-1")


def test_a_group_belongs_to_its_vpc(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeSecurityGroups", GROUP.format(rules=""))
    assert [group.network for group in driver.security_groups()] == ["vpc-1"]


# -- keys ----------------------------------------------------------------------------------------------------------


def line(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " gregor@laptop"


ED25519, OTHER = line(ed25519.Ed25519PrivateKey.generate()), line(ed25519.Ed25519PrivateKey.generate())
RSA_KEY = rsa.generate_private_key(65537, 2048)
RSA = line(RSA_KEY)


def pair(**shown: str) -> str:
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in {"keyName": "gregor", **shown}.items())
    return f"<keySet><item>{fields}</item></keySet>"


@pytest.mark.parametrize("public_key", [ED25519, RSA], ids=["ed25519", "rsa"])
def test_a_missing_key_is_uploaded(driver: Ec2, endpoint: Endpoint, public_key: str) -> None:
    endpoint.say("DescribeKeyPairs", "", pair(publicKey=public_key, keyFingerprint="x"))
    assert driver.ensure_key("gregor", public_key).name == "gregor"
    assert base64.b64decode(endpoint.form("ImportKeyPair")["PublicKeyMaterial"]).decode() == public_key


def test_a_key_with_another_comment_is_the_same(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeKeyPairs", pair(publicKey=" ".join(ED25519.split()[:2])))
    driver.ensure_key("gregor", ED25519)
    assert "ImportKeyPair" not in endpoint.actions()


def test_another_key_of_that_name_is_rejected(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeKeyPairs", pair(publicKey=OTHER))
    with pytest.raises(Rejected, match="Another key is called gregor"):
        driver.ensure_key("gregor", ED25519)


def test_clouds_that_show_only_fingerprints_are_believed(driver: Ec2, endpoint: Endpoint) -> None:
    blob = base64.b64decode(ED25519.split()[1])
    der = RSA_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    endpoint.say("DescribeKeyPairs", pair(keyFingerprint=base64.b64encode(hashlib.sha256(blob).digest()).decode()))
    assert driver.ensure_key("gregor", ED25519).name == "gregor"
    endpoint.say("DescribeKeyPairs", pair(keyFingerprint=hashlib.md5(der).digest().hex(":")))
    assert driver.ensure_key("gregor", RSA).name == "gregor"
    with pytest.raises(Rejected, match="Another key is called gregor"):
        driver.ensure_key("gregor", OTHER)


@pytest.mark.parametrize("nonsense", ["", "hello", "ssh-ed25519 AAAA", "ssh-rsa !!! x", "-----BEGIN PRIVATE KEY-----"])
def test_what_is_no_key_is_not_sent(driver: Ec2, endpoint: Endpoint, nonsense: str) -> None:
    with pytest.raises(Rejected, match="ssh-ed25519 or ssh-rsa"):
        driver.ensure_key("gregor", nonsense)
    assert endpoint.asked == []


def test_a_key_that_is_gone_is_no_error(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.fail("DeleteKeyPair", "InvalidKeyPair.NotFound")
    driver.delete_key("gregor")
    assert endpoint.actions() == ["DeleteKeyPair"]


# -- public addresses ----------------------------------------------------------------------------------------------


def test_an_address_that_cannot_be_used_is_given_back(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("AllocateAddress", "<publicIp>54.9.9.9</publicIp><allocationId>eipalloc-1</allocationId>")
    endpoint.fail("AssociateAddress", "IncorrectInstanceState")
    with pytest.raises(Rejected, match="IncorrectInstanceState"):
        driver.assign_floating_ip("i-1")
    assert endpoint.form("ReleaseAddress")["AllocationId"] == "eipalloc-1"


def test_an_unused_address_of_the_account_is_taken_first(driver: Ec2, endpoint: Endpoint) -> None:
    addresses = """<addressesSet><item><publicIp>54.1.1.1</publicIp><allocationId>eipalloc-1</allocationId>
        <associationId>eipassoc-1</associationId><instanceId>i-9</instanceId></item>
        <item><publicIp>54.2.2.2</publicIp><allocationId>eipalloc-2</allocationId></item></addressesSet>"""
    endpoint.say("DescribeAddresses", "", addresses)
    assert driver.assign_floating_ip("i-1").address == "54.2.2.2"
    assert "AllocateAddress" not in endpoint.actions()


# -- images, flavors, limits ---------------------------------------------------------------------------------------


def test_of_each_current_name_the_newest_image_is_offered(driver: Ec2, endpoint: Endpoint) -> None:
    image = """<item><imageId>{}</imageId><name>{}</name><creationDate>{}</creationDate>
        <imageState>available</imageState></item>"""
    debian = [
        ("ami-1", "debian-13-amd64-20260101-1", "2026-01-01T00:00:00.000Z"),
        ("ami-2", "debian-13-amd64-20261101-1", "2026-11-01T00:00:00.000Z"),
        ("ami-3", "debian-12-amd64-20261001-1", "2026-10-01T00:00:00.000Z"),
    ]
    mine = [("ami-9", "mine", "2020-01-01T00:00:00.000Z")]
    pages = [f"<imagesSet>{''.join(image.format(*row) for row in rows)}</imagesSet>" for rows in (mine, [], [], debian)]
    endpoint.say("DescribeImages", *pages, "")
    found = {image.id: image for image in driver.images()}
    assert found.keys() == {"ami-9", "ami-2", "ami-3"}
    assert (found["ami-2"].login, found["ami-9"].login) == ("admin", "")
    assert found["ami-2"].state is ImageState.ACTIVE
    assert all("Owner.1" in form or "ExecutableBy.1" in form for form in endpoint.asked), "never all of EC2's"


def test_owners_that_are_named_replace_the_current_ones(
    credential: dict[str, str], driver: Ec2, endpoint: Endpoint
) -> None:
    list(Ec2({**credential, "image_owners": "111, 222,"}, driver.site).images())
    assert [endpoint.asked[-1].get(f"Owner.{at}") for at in (1, 2, 3)] == ["111", "222", None]
    assert len(endpoint.asked) == 3


def test_a_deprecated_image_says_so() -> None:
    old = {"ImageId": "ami-1", "State": "available", "DeprecationTime": "2020-01-01T00:00:00.000Z"}
    assert records.image(old, own=True).state is ImageState.DEPRECATED
    assert records.image(old | {"DeprecationTime": "2999-01-01T00:00:00.000Z"}, own=True).state is ImageState.ACTIVE


def test_eucalyptus_tells_its_types_in_its_own_words(driver: Ec2, endpoint: Endpoint) -> None:
    item = "<item><name>m1.small</name><cpu>1</cpu><disk>5</disk><memory>256</memory></item>"
    endpoint.say("DescribeInstanceTypes", f"<instanceTypeDetails>{item}</instanceTypeDetails>")
    (flavor,) = driver.flavors()
    assert (flavor.id, flavor.cores, flavor.ram, flavor.disk) == ("m1.small", 1, 256, 5)


def test_limits_count_what_runs(driver: Ec2, endpoint: Endpoint) -> None:
    attribute = """<item><attributeName>{}</attributeName><attributeValueSet><item>
        <attributeValue>{}</attributeValue></item></attributeValueSet></item>"""
    told = [("max-instances", "20"), ("vpc-max-elastic-ips", "5"), ("default-vpc", "vpc-1")]
    sets = "".join(attribute.format(*each) for each in told)
    endpoint.say("DescribeAccountAttributes", f"<accountAttributeSet>{sets}</accountAttributeSet>")
    instance = """<instancesSet><item><instanceId>i-1</instanceId><instanceType>t3.micro</instanceType>
        <instanceState><name>running</name></instanceState></item></instancesSet>"""
    endpoint.say("DescribeInstances", f"<reservationSet><item>{instance}</item></reservationSet>")
    endpoint.say(
        "DescribeInstanceTypes",
        """<instanceTypeSet><item><instanceType>t3.micro</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo>
        <memoryInfo><sizeInMiB>1024</sizeInMiB></memoryInfo></item></instanceTypeSet>""",
    )
    disk = "<volumeId>vol-1</volumeId><size>8</size><status>in-use</status>"
    endpoint.say("DescribeVolumes", f"<volumeSet><item>{disk}</item></volumeSet>")
    limits = {limit.resource: (limit.used, limit.limit) for limit in driver.limits()}
    servers = {"instances": (1, 20), "cores": (2, None), "ram": (1024, None), "floating_ips": (0, 5)}
    assert limits == {**servers, "volumes": (1, None), "disk": (8, None)}
