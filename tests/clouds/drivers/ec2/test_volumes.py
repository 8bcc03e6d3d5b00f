"""Volumes of EC2, beside the contract: zones, devices and states."""

import pytest

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import VolumeSpec, VolumeState
from clouds.drivers.ec2 import Ec2
from tests.clouds.drivers.ec2.endpoint import Endpoint


def volume(status: str = "available", zone: str = "eu-central-1a", held: str = "") -> str:
    attachment = f"<item><instanceId>i-1</instanceId><device>/dev/sdf</device>{held}</item>" if held else ""
    return (
        f"<volumeId>vol-1</volumeId><size>8</size><status>{status}</status><availabilityZone>{zone}</availabilityZone>"
        f"<createTime>2026-10-11T12:13:14.000Z</createTime><attachmentSet>{attachment}</attachmentSet>"
    )


def listed(text: str) -> str:
    return f"<volumeSet><item>{text}</item></volumeSet>"


def servers(*zones: str, devices: str = "") -> str:
    items = "".join(
        f"<item><instanceId>i-{number}</instanceId><instanceState><name>running</name></instanceState>"
        f"<placement><availabilityZone>{zone}</availabilityZone></placement>"
        f"<blockDeviceMapping>{devices}</blockDeviceMapping></item>"
        for number, zone in enumerate(zones)
    )
    return f"<reservationSet><item><instancesSet>{items}</instancesSet></item></reservationSet>"


def device(name: str) -> str:
    return f"<item><deviceName>/dev/sd{name}</deviceName></item>"


def test_a_volume_is_made_where_its_server_is(endpoint: Endpoint, driver: Ec2) -> None:
    endpoint.say("DescribeInstances", servers("eu-central-1c"))
    endpoint.say("CreateVolume", volume("creating", "eu-central-1c"))
    made = driver.create_volume(VolumeSpec(name="data", size=8, server="i-0"), token="wish")
    asked = endpoint.form("CreateVolume")
    assert (asked["AvailabilityZone"], asked["Size"], asked["ClientToken"]) == ("eu-central-1c", "8", "wish")
    assert (made.name, made.token, made.state) == ("data", "wish", VolumeState.CREATING)
    assert "CreateTags" in endpoint.actions()  # this endpoint made it without


def test_a_volume_for_no_server_is_made_where_most_are(endpoint: Endpoint, driver: Ec2) -> None:
    endpoint.say("DescribeInstances", servers("eu-central-1a", "eu-central-1b", "eu-central-1b"))
    endpoint.say("CreateVolume", volume("creating"))
    driver.create_volume(VolumeSpec(name="data", size=8), token="wish")
    assert endpoint.form("CreateVolume")["AvailabilityZone"] == "eu-central-1b"


def test_without_servers_it_is_made_in_the_first_zone_that_is_open(endpoint: Endpoint, driver: Ec2) -> None:
    zones = "".join(
        f"<item><zoneName>eu-central-1{letter}</zoneName><zoneState>{state}</zoneState></item>"
        for letter, state in (("a", "impaired"), ("c", "available"), ("b", "available"))
    )
    endpoint.say("DescribeAvailabilityZones", f"<availabilityZoneInfo>{zones}</availabilityZoneInfo>")
    endpoint.say("CreateVolume", volume("creating"))
    driver.create_volume(VolumeSpec(name="data", size=8), token="wish")
    assert endpoint.form("CreateVolume")["AvailabilityZone"] == "eu-central-1b"


def test_a_volume_in_another_zone_is_refused_with_both(endpoint: Endpoint, driver: Ec2) -> None:
    endpoint.say("DescribeVolumes", listed(volume(zone="eu-central-1a")))
    endpoint.say("DescribeInstances", servers("eu-central-1b"))
    with pytest.raises(Rejected, match=r"in eu-central-1a and the server in eu-central-1b.*one availability zone"):
        driver.attach_volume("vol-1", "i-0")
    assert "AttachVolume" not in endpoint.actions()


def test_the_next_free_device_is_taken(endpoint: Endpoint, driver: Ec2) -> None:
    endpoint.say("DescribeVolumes", listed(volume()))
    endpoint.say("DescribeInstances", servers("eu-central-1a", devices=device("a") + device("f")))
    driver.attach_volume("vol-1", "i-0")
    assert endpoint.form("AttachVolume")["Device"] == "/dev/sdg"
    full = "".join(map(device, "fghijklmnop"))
    endpoint.say("DescribeInstances", servers("eu-central-1a", devices=full))
    with pytest.raises(Rejected, match="name a device"):
        driver.attach_volume("vol-1", "i-0")


@pytest.mark.parametrize(
    ("status", "held", "state"),
    [
        ("in-use", "<status>attaching</status>", VolumeState.ATTACHING),
        ("in-use", "<status>attached</status>", VolumeState.IN_USE),
        ("in-use", "<status>detaching</status>", VolumeState.DETACHING),
        ("available", "<status>detached</status>", VolumeState.AVAILABLE),
        ("entangled", "", VolumeState.UNKNOWN),
    ],
)
def test_states(endpoint: Endpoint, driver: Ec2, status: str, held: str, state: VolumeState) -> None:
    endpoint.say("DescribeVolumes", listed(volume(status, held=held)))
    seen = driver.volume("vol-1")
    assert (seen.state, seen.server) == (state, "i-1" if held and "detached" not in held else "")


def test_the_disk_that_a_server_was_made_with_ends_with_it(endpoint: Endpoint, driver: Ec2) -> None:
    held = "<status>attached</status><deleteOnTermination>true</deleteOnTermination>"
    endpoint.say("DescribeVolumes", listed(volume("in-use", held=held)))
    assert driver.volume("vol-1").is_bound


def test_a_volume_that_was_deleted_is_gone(endpoint: Endpoint, driver: Ec2) -> None:
    endpoint.say("DescribeVolumes", listed(volume("deleted")))
    with pytest.raises(Gone):
        driver.volume("vol-1")
    endpoint.fail("DeleteVolume", "InvalidVolume.NotFound")
    driver.delete_volume("vol-1")
