"""What is read from each form of file, and what it comes to with the drivers there are."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from cloudmesh.errors import Invalid
from cloudmesh.imports import kinds
from cloudmesh.imports.found import Found, joined
from cloudmesh.imports.settling import Cloud, settle
from clouds.drivers.ec2 import Ec2
from clouds.drivers.openstack import OpenStack
from clouds.drivers.simulator import Simulator

SAMPLES = Path(__file__).parent / "samples"
DRIVERS = {
    name: {field.name: dataclasses.asdict(field) for field in driver.fields}
    for name, driver in (("openstack", OpenStack), ("ec2", Ec2), ("simulator", Simulator))
}
SECRETS = ("sample-of-a-password", "sample-of-a-secret", "sample-of-a-token")


def found(*names: str) -> Found:
    return joined(kinds.read((SAMPLES / name).read_bytes(), name) for name in names)


def settled(*names: str) -> dict[str, Cloud]:
    return {cloud.name: cloud for cloud in (settle(draft, DRIVERS) for draft in found(*names).clouds)}


def shown(cloud: Cloud) -> tuple[Any, ...]:
    return cloud.driver, cloud.endpoint, cloud.user, cloud.project, cloud.missing


def defaults(*names: str) -> set[tuple[str, str, str]]:
    return {(each.key, each.cloud, each.value) for each in found(*names).defaults}


def left(*names: str) -> dict[str, str]:
    return {each.name: each.reason for each in found(*names).left}


def test_of_1_x_all_is_read() -> None:
    clouds = settled("cloudmesh-1.yaml")
    assert list(clouds) == ["india", "alamo", "india_eucalyptus", "aws", "azure"]
    assert shown(clouds["alamo"]) == (
        "openstack", "https://alamo.example.org:5000/v3", "gregor", "fg82", ("password",),
    )  # fmt: skip
    assert clouds["alamo"].credential["region_name"] == "RegionOne"
    assert clouds["alamo"].label == "Alamo OpenStack"
    assert clouds["india"].credential["password"] == "sample-of-a-password"
    assert clouds["india"].files == {"cacert": "~/.cloudmesh/india.pem"}
    assert defaults("cloudmesh-1.yaml") == {
        ("cloud", "", "india"),
        ("key", "", "laptop"),
        ("project", "", "fg82"),
        ("prefix", "", "gregor"),
        ("image", "india", "futuregrid/ubuntu-14.04"),
        ("flavor", "india", "m1.small"),
        ("flavor", "alamo", "m1.tiny"),
    }
    keys = {key.name: key.path or key.text for key in found("cloudmesh-1.yaml").keys}
    assert keys["laptop"] == "~/.ssh/id_rsa.pub"
    assert (keys["inline"].startswith("ssh-ed25519 AAAA"), "none" in keys) == (True, False)
    assert left("cloudmesh-1.yaml").keys() == {"profile", "hpc", "shell", "security"}


def test_what_cannot_be_registered_says_why() -> None:
    clouds = settled("cloudmesh-1.yaml")
    assert "version 2" in clouds["india"].reason
    assert "https://india.example.org:5000/v3" in clouds["india"].reason
    assert "Eucalyptus 2.0.3" in clouds["india_eucalyptus"].reason
    assert "no driver for azure" in clouds["azure"].reason
    assert "--only" in clouds["aws"].reason, "it is not among the active ones and has no secret"
    assert shown(clouds["aws"])[1:] == ("us-west-2", "AKIASAMPLE", "", ("secret_access_key",))


def test_a_me_yaml_fills_what_the_template_or_tbd_left_open() -> None:
    alone = settled("me.yaml")
    assert "cloudmesh.yaml beside it" in alone["india"].reason
    assert (alone["aws"].driver, alone["aws"].missing, alone["aws"].reason) == ("ec2", (), "")
    assert "no driver for azure" in alone["azure"].reason
    template = settled("cloudmesh-1-template.yaml")["india"]
    assert shown(template) == (
        "openstack", "https://india.example.org:5000/v3", "", "", ("username", "password"),
    )  # fmt: skip
    assert "4 lines" not in left("cloudmesh-1-template.yaml")["{{ }}"]
    assert "the first is 4" in left("cloudmesh-1-template.yaml")["{{ }}"]
    both = settled("cloudmesh-1-template.yaml", "me.yaml")["india"]
    assert shown(both) == ("openstack", "https://india.example.org:5000/v3", "gregor", "fg82", ())
    assert both.credential["password"] == "sample-of-a-password"
    assert ("prefix", "", "greg") in defaults("me.yaml")


def test_of_4_1_the_v3_names_are_read() -> None:
    clouds = settled("cloudmesh-4.1.yaml")
    assert shown(clouds["kilo"]) == (
        "openstack", "https://kilo.example.org:5000/v3", "gregor", "fg491", ("password",),
    )  # fmt: skip
    assert clouds["kilo"].credential["user_domain_id"] == "default"
    assert (clouds["kilo"].files, clouds["kilo"].reason) == ({}, "")
    assert clouds["chameleon"].missing == ("username",)
    assert "--only" in clouds["cybera"].reason
    assert {("cloud", "", "kilo"), ("login", "kilo", "ubuntu")} <= defaults("cloudmesh-4.1.yaml")
    assert {"hpc", "comet", "system", "logging", "plugins", "github", "portal"} <= left("cloudmesh-4.1.yaml").keys()


def test_of_v4_the_nested_names_and_its_references_are_read() -> None:
    clouds = settled("cloudmesh-v4.yaml")
    assert shown(clouds["chameleon"]) == (
        "openstack", "https://kvm.example.org:5000/v3", "gregor", "CH-819337", ("password",),
    )  # fmt: skip
    assert shown(clouds["aws"]) == ("ec2", "us-west-2", "AKIASAMPLE", "", ())
    assert "no driver for google" in clouds["google"].reason
    assert "no driver for virtualbox" in clouds["vagrant"].reason
    assert {("flavor", "chameleon", "m1.medium"), ("network", "chameleon", "sharednet1")} <= defaults(
        "cloudmesh-v4.yaml"
    )
    assert found("cloudmesh-v4.yaml").keys[0].path == "~/.ssh/id_rsa.pub"


def test_of_openstack_s_own_files() -> None:
    assert settled("clouds.yaml")["india"].missing == ("password",)
    clouds = settled("clouds.yaml", "secure.yaml")
    assert (clouds["india"].missing, clouds["india"].credential["password"]) == ((), "sample-of-a-password")
    assert clouds["sierra"].user == "abc"
    assert shown(settled("openrc.sh")["fg82"]) == (
        "openstack", "https://india.example.org:5000/v3", "gregor", "fg82", ("password",),
    )  # fmt: skip


def test_of_aws_each_profile_with_a_key_is_a_cloud() -> None:
    clouds = settled("aws-credentials", "aws-config")
    assert shown(clouds["aws"]) == ("ec2", "eu-central-1", "AKIASAMPLE", "", ())
    assert clouds["work"].missing == ("secret_access_key",)
    assert clouds["work"].endpoint == "us-west-2"
    assert set(clouds) == {"aws", "work"}
    reasons = left("aws-credentials", "aws-config")
    assert ("session" in reasons["visitor"], "role" in reasons["boss"]) == (True, True)


def test_of_ssh_hosts_and_keys_are_read() -> None:
    assert defaults("ssh-config") == {("login", "india", "gregor"), ("login", "sierra", "gregor")}
    assert [key.path for key in found("ssh-config").keys] == ["~/.ssh/id_rsa", "~/.ssh/id ed25519"]
    assert "Include config.d/*" in left("ssh-config")


def test_an_endpoint_that_is_not_amazon_s_stays() -> None:
    text = b"""cloudmesh: {clouds: {E: {cm_type: eucalyptus, cm_type_version: 4.4, credentials: {
        EC2_URL: "https://e.example.org:8773/services/compute", EC2_ACCESS_KEY: a, EC2_SECRET_KEY: b}}}}"""
    [cloud] = [settle(draft, DRIVERS) for draft in kinds.read(text, "x").clouds]
    assert (cloud.name, cloud.called, cloud.driver) == ("e", "E", "ec2")
    assert cloud.credential["endpoint_url"] == "https://e.example.org:8773/services/compute"


def test_where_the_address_is_in_an_openrc_that_file_is_named() -> None:
    text = b"cloudmesh: {clouds: {a: {cm_type: openstack, cm_openrc: ~/a/openrc.sh, credentials: {OS_PASSWORD: TBD}}}}"
    [cloud] = [settle(draft, DRIVERS) for draft in kinds.read(text, "x").clouds]
    assert "no auth_url" in cloud.reason
    assert "cm config import ~/a/openrc.sh" in cloud.reason


def test_any_driver_of_the_portal_can_be_named_with_its_own_fields() -> None:
    text = b"cloudmesh: {clouds: {lab: {cm_type: simulator, credentials: {world: lab, password: TBD, other: x}}}}"
    [cloud] = [settle(draft, DRIVERS) for draft in kinds.read(text, "x").clouds]
    assert (cloud.credential, cloud.missing, cloud.endpoint) == ({"world": "lab"}, ("password",), "lab")


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir() if "server" not in path.name))
def test_no_secret_is_in_any_repr(name: str) -> None:
    drafts = found(name).clouds
    text = repr(found(name)) + repr([settle(draft, DRIVERS) for draft in drafts])
    assert not [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "x is empty"),
        (b"\n  \n", "x is empty"),
        (b"\x7fELF\0\0", "binary"),
        (b"\xff\xfea", "not text in UTF-8"),
        (b"clouds: " + b"a" * 300_000, "at most 256 KiB"),
        (b"hello", "no file that can be imported"),
        (b"a: 1", "no file that can be imported"),
        (b"- a", "no file that can be imported"),
        (b"cloudmesh: {server: {loglevel: DEBUG}}", "about server"),
        ((SAMPLES / "cloudmesh_server.yaml").read_bytes(), "about server"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nabc", "private key"),
        (b"cloudmesh:\n  clouds:\n    a: b: c", r"^Line 3, column 9 of x"),
        (b"cloudmesh:\n\tclouds: {}", r"^Line 2, column 1 of x: a tab stands"),
        (b"cloudmesh:\n  clouds:\n    a: {}\n    a: {}", r"^Line 4, column 5 of x: 'a' stands twice"),
        (b"a: &a [x]\nb: [*a, *a]\ncloudmesh: {}", "alias"),
        (b"a: " + b"[" * 1000, "nested too deeply"),
        (b"cloudmesh:\n{% for a in b %}\n  clouds: {}", r"^Line 2 of x is an instruction of a template"),
        (b"[default]\nregion", "^Line 2 of x"),
        (b"[default]\nregion = a\n[default]", "^Line 3 of x: this profile stands twice"),
        (b"[default]\nregion = a\nregion = b", "^Line 3 of x: region stands here twice"),
        (b'Host a\n  User "b', "^Line 2 of x"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        kinds.read(text, "x")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"cloudmesh:\n  clouds: a: b", "  clouds: a: b"),
        (b"cloudmesh:\n  OS_PASSWORD: s3cret: s3cret", "  OS_PASSWORD: …"),
        (b"cloudmesh:\n  EC2_SECRET_KEY: {s3cret: s3cret, ]", "  EC2_SECRET_KEY: …"),
        (b"cloudmesh:\n  OS_PASSWORD: 's3\n   cret' s3cret\n  a: b", "…"),
        (b"[x]\naws_secret_access_key: a\naws_secret_access_key: s3cret", "aws_secret_access_key: …"),
    ],
)
def test_the_line_is_shown_without_its_secret(text: bytes, shown: str) -> None:
    with pytest.raises(Invalid) as caught:
        kinds.read(text, "x")
    assert caught.value.facts["hint"] == shown
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_kind_that_is_said_is_taken(kind: str) -> None:
    samples = {
        "cloudmesh": "cloudmesh-4.1.yaml", "me": "me.yaml", "clouds.yaml": "clouds.yaml", "openrc": "openrc.sh",
        "aws": "aws-config", "ssh": "ssh-config",
    }  # fmt: skip
    text = (SAMPLES / samples[kind]).read_bytes()
    assert kinds.read(text, "x", kind) == kinds.read(text, "x")
