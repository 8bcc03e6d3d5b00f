"""What is asked of EC2 for labels, sizes and images, and what its answers mean."""

import pytest

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import ImageState
from clouds.drivers.ec2 import Ec2
from tests.clouds.drivers.ec2.endpoint import Endpoint
from tests.clouds.drivers.ec2.test_driver import described

IMAGE = """<imagesSet><item><imageId>ami-1</imageId><name>golden</name><imageState>available</imageState>
    <blockDeviceMapping><item><ebs><snapshotId>snap-1</snapshotId></ebs></item>
    <item><virtualName>ephemeral0</virtualName></item></blockDeviceMapping></item></imagesSet>"""
NONE = "<imagesSet/>"


def test_labels_are_the_tags_that_are_not_ours(driver: Ec2, endpoint: Endpoint) -> None:
    tags = "".join(
        f"<item><key>{key}</key><value>x</value></item>" for key in ("Name", "cloudmesh:token", "stage", "aws:asg")
    )
    endpoint.say("DescribeInstances", described(tags=tags))
    assert driver.server("i-1").labels == {"stage": "x", "aws:asg": "x"}


def test_labels_are_set_and_taken_away_by_key(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeInstances", described())
    driver.label_server("i-1", {"stage": "prod"}, remove=["tier"])
    assert endpoint.actions()[-2:] == ["CreateTags", "DeleteTags"]
    assert endpoint.form("CreateTags")["Tag.1.Value"] == "prod"
    deleted = endpoint.form("DeleteTags")
    assert (deleted["Tag.1.Key"], "Tag.1.Value" in deleted) == ("tier", False), "a value would spare other values"


def test_a_type_that_ec2_does_not_know_is_refused_in_its_words(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.fail("ModifyInstanceAttribute", "InvalidAttributeValue")
    with pytest.raises(Rejected, match="InvalidAttributeValue"):
        driver.resize_server("i-1", "x9.enormous")
    assert endpoint.form("ModifyInstanceAttribute")["InstanceType.Value"] == "x9.enormous"
    assert driver.resizes_stopped
    assert driver.keep_size("i-1")


def test_a_snapshot_does_not_stop_the_server_and_carries_the_token(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeImages", NONE)
    endpoint.say("CreateImage", "<imageId>ami-1</imageId>")
    made = driver.snapshot_server("i-1", "golden", token="wish-1")
    assert (made.id, made.state, made.own) == ("ami-1", ImageState.PENDING, True)
    asked = endpoint.form("CreateImage")
    assert asked["NoReboot"] == "true"
    assert (asked["TagSpecification.1.ResourceType"], asked["TagSpecification.1.Tag.1.Value"]) == ("image", "wish-1")
    endpoint.say("DescribeImages", IMAGE)
    assert driver.snapshot_server("i-1", "golden", token="wish-1").id == "ami-1"
    assert endpoint.actions().count("CreateImage") == 1


def test_with_an_image_go_the_disks_it_was(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeImages", IMAGE)
    endpoint.fail("DeleteSnapshot", "InvalidSnapshot.InUse")
    driver.delete_image("ami-1")
    assert endpoint.actions()[-2:] == ["DeregisterImage", "DeleteSnapshot"]
    assert endpoint.form("DeleteSnapshot")["SnapshotId"] == "snap-1"


def test_an_image_of_another_account_is_left_alone(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeImages", IMAGE, NONE)
    with pytest.raises(Rejected, match="golden is another account's"):
        driver.delete_image("ami-1")
    assert "DeregisterImage" not in endpoint.actions()


def test_an_image_that_is_not_there_is_gone_and_deleted_already(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.fail("DescribeImages", "InvalidAMIID.NotFound")
    with pytest.raises(Gone):
        driver.image("ami-1")
    driver.delete_image("ami-1")
    assert "DeregisterImage" not in endpoint.actions()
