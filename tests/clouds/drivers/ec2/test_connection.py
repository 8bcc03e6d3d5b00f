"""How the driver reaches an endpoint, and what it says when something is wrong on the way."""

import dataclasses
import pathlib
import socket
import time

import pytest

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected, Unreachable
from clouds.drivers import Site
from clouds.drivers.ec2 import Ec2
from tests.clouds.drivers.ec2.endpoint import Endpoint, certificate

GROUPS = "<securityGroupInfo><item><ownerId>123456789012</ownerId><groupId>sg-1</groupId></item></securityGroupInfo>"


def test_check_says_as_whom_and_where(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.say("DescribeSecurityGroups", GROUPS)
    assert driver.check() == "AKIAEXAMPLE of account 123456789012 in eu-central-1"


CODES: list[tuple[str, int, type[DriverError]]] = [
    ("AuthFailure", 401, Refused),
    ("InvalidClientTokenId", 403, Refused),
    ("SignatureDoesNotMatch", 403, Refused),
    ("UnrecognizedClientException", 400, Refused),
    ("ExpiredToken", 400, Refused),
    ("InvalidInstanceID.NotFound", 400, Gone),
    ("InvalidInstanceID.Malformed", 400, Gone),
    ("VcpuLimitExceeded", 400, Full),
    ("InstanceLimitExceeded", 400, Full),
    ("AddressLimitExceeded", 400, Full),
    ("InsufficientInstanceCapacity", 500, Full),
    ("InsufficientFreeAddressesInSubnet", 400, Full),
    ("RequestLimitExceeded", 503, Busy),
    ("Throttling", 400, Busy),
    ("InternalError", 500, Busy),
    ("Unavailable", 503, Busy),
    ("NeverHeardOf", 500, Busy),
    ("NeverHeardOf", 429, Busy),
    ("NeverHeardOf", 400, Rejected),
    ("UnauthorizedOperation", 403, Rejected),
    ("InvalidAMIID.NotFound", 400, Gone),
    ("InvalidKeyPair.NotFound", 400, Rejected),
    ("IncorrectInstanceState", 400, Rejected),
    ("IdempotentParameterMismatch", 400, Rejected),
]


@pytest.mark.parametrize(("code", "status", "kind"), CODES)
def test_each_code_is_one_of_our_errors_in_amazons_words(
    driver: Ec2, endpoint: Endpoint, code: str, status: int, kind: type[DriverError]
) -> None:
    endpoint.fail("DescribeInstances", code, status)
    with pytest.raises(DriverError) as caught:
        driver.server("i-1")
    assert type(caught.value) is kind
    assert caught.value.message == f"Amazon's words about {code}. ({code})"
    assert endpoint.actions() == ["DescribeInstances"], "asked once, the engine repeats"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "<html>The proxy is unwell</html>"),
        (503, ""),
        (502, "not even HTML"),
        (429, "slow down"),
        (200, "<html><body>Welcome to our captive portal</body>"),
        (200, "\x00\x01\x02"),
        (200, "<html><body>A well-formed page</body></html>"),
        (200, "<DescribeInstancesResponse><reservationSet><item>"),
        (200, "<DescribeInstancesResponse/>"),
        (200, "<DescribeInstancesResponse><reservationSet><item/></reservationSet></DescribeInstancesResponse>"),
    ],
)
def test_garbage_is_busy(driver: Ec2, endpoint: Endpoint, status: int, body: str) -> None:
    endpoint.raw("DescribeInstances", status, body)
    with pytest.raises(Busy, match=r"\w"):
        driver.server("i-1")
    with pytest.raises(Busy, match=r"\w"):
        list(driver.servers())  # and no empty list, for which every server would vanish
    assert len(endpoint.asked) == 2


def test_an_answer_that_does_not_come_is_busy(driver: Ec2, endpoint: Endpoint, site: Site) -> None:
    endpoint.before = lambda: time.sleep(1)
    with pytest.raises(Busy, match="in time") as caught:
        Ec2(driver.credential, dataclasses.replace(site, timeout=0.2)).server("i-1")
    assert not isinstance(caught.value, Unreachable), "it may have been done"


def test_a_connection_that_breaks_off_is_busy(driver: Ec2, endpoint: Endpoint) -> None:
    def hang_up() -> None:
        raise ConnectionAbortedError

    endpoint.before = hang_up
    with pytest.raises(Busy, match="broke off") as caught:
        driver.server("i-1")
    assert not isinstance(caught.value, Unreachable), "it may have been done"


def test_a_page_of_another_server_is_no_reason_to_try_again(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.raw("DescribeInstances", 404, "<html>Not found</html>")
    with pytest.raises(Rejected, match=r"does not speak EC2.*check the endpoint URL"):
        driver.server("i-1")


def test_a_redirect_is_named_and_not_followed(driver: Ec2, endpoint: Endpoint) -> None:
    endpoint.raw("DescribeInstances", 307, "", Location="http://169.254.169.254/latest/")
    with pytest.raises(Rejected, match=r"sends on to http://169\.254\.169\.254/latest/: give that URL"):
        driver.server("i-1")


def test_nothing_is_sent_where_the_guard_forbids(driver: Ec2, endpoint: Endpoint, site: Site) -> None:
    def guard(address: str) -> None:
        raise Rejected(f"{address} is out of bounds.")

    with pytest.raises(Rejected, match=r"127\.0\.0\.1 is out of bounds"):
        Ec2(driver.credential, dataclasses.replace(site, guard=guard)).check()
    assert endpoint.asked == []


def test_a_closed_port_is_unreachable(driver: Ec2, site: Site) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        there = {**driver.credential, "endpoint_url": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with pytest.raises(Unreachable, match=r"^No connection to the EC2 endpoint: .*refused"):
            Ec2(there, site).check()


def test_a_name_nobody_knows_is_unreachable(driver: Ec2, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match=r"Failed to resolve 'cloud\.example'"):
        Ec2({**driver.credential, "endpoint_url": "http://cloud.example"}, site).check()


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint_url": "cloud.example.org"},
        {"endpoint_url": "ftp://cloud.example.org"},
        {"endpoint_url": "http://cloud.example.org:99999"},
        {"endpoint_url": "http://[::1"},
        {"region": "not a region"},
        {"region": "evil.example/#"},
        {"ca_bundle": "this is no certificate"},
        {"ca_bundle": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
    ],
)
def test_what_makes_no_sense_is_rejected(driver: Ec2, site: Site, wrong: dict[str, str]) -> None:
    with pytest.raises(Rejected, match=r"\w+ \w+"):
        Ec2({**driver.credential, "endpoint_url": "", **wrong}, dataclasses.replace(site, guard=refuse)).check()


def refuse(address: str) -> None:
    raise AssertionError(f"A connection to {address} was near.")


def test_only_a_known_certificate_is_trusted(credential: dict[str, str], site: Site, tmp_path: pathlib.Path) -> None:
    tls, pem = certificate(tmp_path)
    with Endpoint().serving(tls) as endpoint:
        endpoint.say("DescribeSecurityGroups", GROUPS)
        with pytest.raises(Rejected, match=r"not trusted.*CA bundle"):
            Ec2({**credential, "endpoint_url": endpoint.url}, site).check()
        assert endpoint.asked == []
        assert "123456789012" in Ec2({**credential, "endpoint_url": endpoint.url, "ca_bundle": pem}, site).check()


def test_what_speaks_no_tls_is_unreachable(driver: Ec2, endpoint: Endpoint, site: Site) -> None:
    with pytest.raises(Unreachable, match="No secure connection"):
        Ec2({**driver.credential, "endpoint_url": endpoint.url.replace("http", "https")}, site).check()


def test_nothing_comes_from_the_environment(
    driver: Ec2, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "config").write_text("[profile other]\nendpoint_url = http://elsewhere.invalid\n")
    for name, value in {
        "AWS_PROFILE": "missing",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ENDPOINT_URL": "http://elsewhere.invalid",
        "AWS_ENDPOINT_URL_EC2": "http://elsewhere.invalid",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_MAX_ATTEMPTS": "5",
        "HTTP_PROXY": "http://elsewhere.invalid",
        "http_proxy": "http://elsewhere.invalid",
    }.items():
        monkeypatch.setenv(name, value)
    endpoint.say("DescribeSecurityGroups", GROUPS)
    assert driver.check().endswith("in eu-central-1")


def test_without_an_endpoint_it_is_amazons_of_the_region(driver: Ec2, site: Site) -> None:
    amazon = Ec2({**driver.credential, "endpoint_url": ""}, site)
    assert amazon._ec2.meta.endpoint_url == "https://ec2.eu-central-1.amazonaws.com"
