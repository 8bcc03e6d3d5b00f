"""What is read from a clouds.yaml, and what is said about one that makes no sense."""

import pytest

from cloudmesh.errors import Invalid
from cloudmesh.imports import cloudsyaml, openstack_entry
from cloudmesh.imports.openstack_entry import Entry
from clouds.drivers.openstack import OpenStack

WHOLE = """
# a comment
clouds:
  india:
    auth:
      auth_url: https://india.example.org:5000/v3
      username: gregor
      password: 0123456
      project_name: "yes"
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    interface: internal
    identity_api_version: 3
  sierra:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://sierra.example.org/identity
      application_credential_id: abc
      application_credential_secret: se: cret
    verify: false
    regions:
      - name: north
      - south
"""
AUTH = "auth_url: https://x/v3, username: u, password: p"


def one(entry: str) -> Entry:
    (found,) = cloudsyaml.read(f"clouds: {{x: {entry}}}")
    return found


def test_several_clouds_are_read_in_their_order() -> None:
    india, sierra = cloudsyaml.read(WHOLE.replace("se: cret", "'se: cret'"))
    assert (india.name, sierra.name) == ("india", "sierra")
    assert india.credential == {
        "auth_url": "https://india.example.org:5000/v3",
        "username": "gregor",
        "password": "0123456",
        "project_name": "yes",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": "RegionOne",
        "interface": "internal",
    }
    assert sierra.credential == {
        "auth_url": "https://sierra.example.org/identity",
        "application_credential_id": "abc",
        "application_credential_secret": "se: cret",
        "verify": "false",
        "region_name": "north",
    }
    assert [(each.missing, each.problem) for each in (india, sierra)] == [((), ""), ((), "")]


def test_it_fills_fields_that_the_driver_has() -> None:
    declared = {field.name for field in OpenStack.fields}
    assert {*openstack_entry.PLAIN, "interface", "verify", "cacert"} <= declared


def test_a_file_of_bytes_with_a_byte_order_mark_is_read() -> None:
    (entry,) = cloudsyaml.read(b"\xef\xbb\xbfclouds: {x: {auth: {auth_url: https://x}}}")
    assert entry.name == "x"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("{auth: {%s, tenant_name: t}}", {"project_name": "t"}),
        ("{auth: {%s, project-id: t}}", {"project_id": "t"}),
        ("{auth: {%s}, endpoint_type: internalURL}", {"interface": "internal"}),
        ("{auth: {%s}, verify: no}", {"verify": "false"}),
        ("{auth: {%s}, insecure: True}", {"verify": "false"}),
        ("{auth: {%s}, verify: true, region_name: ~, networks: [{name: a}]}", {}),
        ("{auth: {%s}, regions: [a, b]}", {"region_name": "a"}),
        ("{auth: {%s}, regions: ''}", {}),
    ],
)
def test_other_spellings(said: str, expected: dict[str, str]) -> None:
    usual = {"auth_url": "https://x/v3", "username": "u", "password": "p"}
    assert one(said % AUTH).credential == usual | expected


def test_what_is_elsewhere_is_asked_for() -> None:
    assert one("{auth: {auth_url: https://x, username: u}}").missing == ("password",)
    assert one("{auth: {auth_url: https://x, application_credential_id: i}}").missing == (
        "application_credential_secret",
    )
    found = one(f"{{auth: {{{AUTH}}}, cacert: /etc/ssl/cloud.pem}}")
    assert found.missing == ("cacert",)
    assert "cacert" not in found.credential, "a path of somebody else's machine"


def test_a_certificate_in_the_file_is_taken() -> None:
    pem = "|\n      -----BEGIN CERTIFICATE-----\n      AAAA\n"
    (entry,) = cloudsyaml.read(f"clouds:\n  x:\n    auth: {{{AUTH}}}\n    cacert: {pem}")
    assert entry.credential["cacert"] == "-----BEGIN CERTIFICATE-----\nAAAA"
    assert entry.missing == ()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("{profile: rackspace, auth: {username: u}}", "no auth_url.*vendor profile rackspace"),
        ("{auth: {username: u}}", "no auth_url"),
        ("{auth: {auth_url: https://x/v2.0, username: u}}", "version 2"),
        ("{identity_api_version: 2.0, auth: {auth_url: https://x, username: u}}", "version 2"),
        ("{auth_type: v3oidcpassword, auth: {auth_url: https://x}}", "logs in by v3oidcpassword"),
        ("{auth: {auth_url: https://x, user_id: 17}}", "no username"),
        ("{auth_type: v3applicationcredential, auth: {auth_url: https://x}}", "no application_credential_id"),
        ("{}", "no auth_url"),
    ],
)
def test_an_entry_that_cannot_be_used_says_why_when_it_is_chosen(entry: str, sentence: str) -> None:
    entries = (one(entry), *cloudsyaml.read(f"clouds: {{good: {{auth: {{{AUTH}}}}}}}"))
    assert cloudsyaml.choose(entries, "good").name == "good", "the others can be"
    with pytest.raises(Invalid, match=f"The cloud x cannot be used. It .*{sentence}"):
        cloudsyaml.choose(entries, "x")


def test_choosing() -> None:
    entries = cloudsyaml.read(WHOLE.replace("se: cret", "secret"))
    assert cloudsyaml.choose(entries, "sierra").name == "sierra"
    assert cloudsyaml.choose(entries[:1]).name == "india"
    with pytest.raises(Invalid, match=r"several clouds: india, sierra\. Say which one"):
        cloudsyaml.choose(entries)
    with pytest.raises(Invalid, match=r"no cloud inda, but india, sierra\. Did you mean india"):
        cloudsyaml.choose(entries, "inda")
    with pytest.raises(Invalid, match="names no cloud"):
        cloudsyaml.choose(())


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("clouds:\n  india:\n\tauth: x", 3, "a tab stands where"),
        ("clouds:\n  india: {auth: [}", 2, "Correct it there"),
        ("clouds:\n  india:\n    auth_url: a: b", 3, "Correct it there"),
        ("clouds: 'open", 1, "Correct it there"),
        ("clouds: {}\n---\nclouds: {}", 2, "Correct it there"),
        ("clouds:\n  - india", 2, "`clouds` should be lines of `name: value`"),
        ("clouds:\n  india: https://x", 2, "the cloud india should be lines"),
        ("clouds:\n  india:\n    auth: gregor", 3, "`auth` of india should be lines"),
        ("clouds:\n  india:\n    auth:\n      username: [a, b]", 4, "`username` of india should be a single value"),
        ("clouds:\n  ? [a]\n  : {}", 2, "a name should be a single value"),
        ("clouds:\n  '': {}", 2, "a cloud needs a name"),
        ("- clouds", 1, "the file should be lines"),
        ("hello", 1, "the file should be lines"),
        ("a: &x {}\nclouds:\n  india: *x", 3, r"the alias \*x is not read here. Write the values out"),
        ("a: &x [1]\nclouds: {<<: *x}", 2, "alias"),
        ("clouds: " + "[" * 50_000, 1, "nested too deeply"),
    ],
)
def test_a_malformed_file_is_answered_with_its_line(text: str, line: int, sentence: str) -> None:
    with pytest.raises(Invalid, match=rf"^Line {line}, column \d+ of this clouds.yaml: .*{sentence}") as caught:
        cloudsyaml.read(text)
    assert (caught.value.facts["field"], caught.value.facts["line"]) == ("clouds_yaml", line)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("", "has no `clouds`. It should begin with"),
        ("# nothing", "has no `clouds`"),
        ("cloud: {}", "has no `clouds`"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        ("clouds: \x00", "characters that are no text"),
        ("clouds: " + "x" * 262_144, "at most 256 KiB"),
    ],
)
def test_what_is_no_clouds_yaml_is_said_to_be_none(file: str | bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        cloudsyaml.read(file)
    assert caught.value.facts["field"] == "clouds_yaml"


def test_nothing_in_it_is_made_into_an_object() -> None:
    (entry,) = cloudsyaml.read("clouds: {x: {auth: {auth_url: !!python/name:os.system https://x, username: u}}}")
    assert entry.credential["auth_url"] == "https://x"


def test_secrets_are_in_no_message_and_no_repr() -> None:
    assert "tops3cret" not in repr(one("{auth: {auth_url: https://x, username: u, password: tops3cret}}"))
    with pytest.raises(Invalid) as caught:
        cloudsyaml.read("clouds:\n  x:\n    auth:\n      password: tops3cret: tops3cret")
    assert "tops3cret" not in caught.value.message + str(caught.value.facts)
