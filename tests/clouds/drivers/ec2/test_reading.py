"""The quick reading of answers against botocore's own, with botocore's own model."""

import functools
from typing import Any

import botocore.parsers
import botocore.session
import pytest

from cloudmesh.errors import Busy
from clouds.drivers.ec2.reading import Reader

NAMESPACE = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
ANSWERS = {
    "DescribeInstances": """<reservationSet><item><ownerId>1</ownerId><groupSet/><instancesSet><item>
        <instanceId>i-1</instanceId><amiLaunchIndex>0</amiLaunchIndex><ebsOptimized>false</ebsOptimized><keyName/>
        <instanceState><code>16</code><name>running</name></instanceState><sourceDestCheck>true</sourceDestCheck>
        <launchTime>2026-11-22T10:00:00.000Z</launchTime><newSince2030>ignored</newSince2030><privateDnsName></privateDnsName>
        <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-1</volumeId></ebs></item>
        </blockDeviceMapping><tagSet><item><key>Name</key><value>äöü &lt;&amp;&gt;</value></item></tagSet>
        </item></instancesSet></item></reservationSet><nextToken>more</nextToken>""",
    "DescribeInstanceTypes": """<instanceTypeSet><item><instanceType>t3.micro</instanceType>
        <processorInfo><sustainedClockSpeedInGhz>2.5</sustainedClockSpeedInGhz><supportedArchitectures>
        <item>x86_64</item></supportedArchitectures></processorInfo><memoryInfo><sizeInMiB>1024</sizeInMiB></memoryInfo>
        </item></instanceTypeSet>""",
    "GetConsoleOutput": "<instanceId>i-1</instanceId><output>aGVsbG8=</output><timestamp>2026-11-22</timestamp>",
    "DescribeSecurityGroups": "<securityGroupInfo/>",
    "DeleteKeyPair": "<return>true</return>",
}


@functools.cache
def model() -> Any:
    return botocore.session.Session().get_service_model("ec2")


def read(action: str, body: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the reader makes of an answer, and what is left for botocore."""
    response = {"status_code": 200, "headers": {}, "body": body.encode()}
    found: dict[str, Any] = {}
    Reader().read(model().operation_model(action), response, found)
    return found, response


@pytest.mark.parametrize("action", ANSWERS)
def test_it_reads_what_botocore_reads(action: str) -> None:
    body = f"<{action}Response {NAMESPACE}><requestId>r</requestId>{ANSWERS[action]}</{action}Response>"
    factory = botocore.parsers.ResponseParserFactory()
    factory.set_parser_defaults(timestamp_parser=str)
    answer = {"status_code": 200, "headers": {}, "body": body.encode()}
    theirs = factory.create_parser("ec2").parse(answer, model().operation_model(action).output_shape)
    del theirs["ResponseMetadata"]
    ours, left = read(action, body)
    assert ours == theirs
    assert b"i-1" not in left["body"], "botocore reads the rest again"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html/>",
        "<DescribeImagesResponse/>",
        "<DescribeInstancesResponse>",
        "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><amiLaunchIndex>many</amiLaunchIndex></item>"
        "</instancesSet></item></reservationSet></DescribeInstancesResponse>",
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><DescribeInstancesResponse>&c;</DescribeInstancesResponse>',
    ],
)
def test_what_makes_no_sense_is_busy(body: str) -> None:
    with pytest.raises(Busy, match=r"DescribeInstances"):
        read("DescribeInstances", body)


def test_every_answer_of_ec2_has_a_reader() -> None:
    names = [name for name in model().operation_names if model().operation_model(name).output_shape]
    assert len(names) > 500
    for name in names:
        assert read(name, f"<{name}Response/>")[0] == {}
