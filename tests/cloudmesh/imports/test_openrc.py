"""What is read from an openrc file, which is a shell script and is never run."""

import pathlib

import pytest

from cloudmesh.errors import Invalid
from cloudmesh.imports import openrc

HORIZON = """#!/usr/bin/env bash
# To use an OpenStack cloud you need to authenticate against the Identity service.
export OS_AUTH_URL=https://india.example.org:5000/v3
# With the addition of Keystone we have standardized on the term **project**.
export OS_PROJECT_ID=1234abcd
export OS_PROJECT_NAME="fg82"
export OS_USER_DOMAIN_NAME="Default"
if [ -z "$OS_USER_DOMAIN_NAME" ]; then unset OS_USER_DOMAIN_NAME; fi
export OS_PROJECT_DOMAIN_ID="default"
if [ -z "$OS_PROJECT_DOMAIN_ID" ]; then unset OS_PROJECT_DOMAIN_ID; fi
# unset v2.0 items in case set
unset OS_TENANT_ID
unset OS_TENANT_NAME
# In addition to the owning entity (tenant), OpenStack stores the entity performing the action as the **user**.
export OS_USERNAME="gregor"
# With Keystone you pass the keystone password.
echo "Please enter your OpenStack Password for project $OS_PROJECT_NAME as user $OS_USERNAME: "
read -sr OS_PASSWORD_INPUT
export OS_PASSWORD=$OS_PASSWORD_INPUT
# If your configuration has multiple regions, we set that information here.
export OS_REGION_NAME="RegionOne"
# Don't leave a blank variable, unset it if it was empty
if [ -z "$OS_REGION_NAME" ]; then unset OS_REGION_NAME; fi
export OS_INTERFACE=public
export OS_IDENTITY_API_VERSION=3
"""
APPLICATION = """#!/usr/bin/env bash
export OS_AUTH_TYPE=v3applicationcredential
export OS_AUTH_URL=https://sierra.example.org/identity
export OS_IDENTITY_API_VERSION=3
export OS_REGION_NAME="north"
export OS_INTERFACE=public
export OS_APPLICATION_CREDENTIAL_ID=abc
export OS_APPLICATION_CREDENTIAL_SECRET=s3cr3t
"""
START = "OS_AUTH_URL=https://x/v3\nOS_USERNAME=u\n"


def test_a_file_from_horizon_lacks_only_the_password() -> None:
    entry = openrc.read(HORIZON)
    assert entry.name == "fg82"
    assert entry.missing == ("password",)
    assert entry.credential == {
        "auth_url": "https://india.example.org:5000/v3",
        "username": "gregor",
        "user_domain_name": "Default",
        "project_name": "fg82",
        "project_id": "1234abcd",
        "project_domain_id": "default",
        "region_name": "RegionOne",
        "interface": "public",
    }


def test_an_application_credential_lacks_nothing() -> None:
    entry = openrc.read(APPLICATION.encode().replace(b"\n", b"\r\n"))
    assert entry.missing == ()
    assert entry.credential["application_credential_secret"] == "s3cr3t"
    assert entry.credential["region_name"] == "north"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("simple", "simple"),
        ("with#hash # and a comment", "with#hash"),
        ("two;echo owned", "two"),
        (r"a\ b\$c", "a b$c"),
        ("'it is $literal `too` \\ \"'", 'it is $literal `too` \\ "'),
        (r'"say \"hi\" for 5\$ \\ \n"', r'say "hi" for 5$ \ \n'),
        ("'it'\"'\"'s'", "it's"),
        ("a'b'\"c\"d", "abcd"),
        ("'ünï'", "ünï"),
        ("x=y", "x=y"),
    ],
)
def test_values_are_read_as_the_shell_would(written: str, meant: str) -> None:
    assert openrc.read(f"{START}export OS_PASSWORD={written}\n").credential["password"] == meant


@pytest.mark.parametrize(
    "written", ['"$SECRET"', "$(pass show cloud)", "`cat ~/.pw`", '"${OS_PASSWORD:-x}"', 'a"b$c"', ""]
)
def test_a_password_that_the_shell_would_compute_is_asked_for(written: str) -> None:
    entry = openrc.read(f"{START}export OS_PASSWORD={written}\n")
    assert entry.missing == ("password",)
    assert "password" not in entry.credential


def test_nothing_is_run(tmp_path: pathlib.Path) -> None:
    trap = tmp_path / "owned"
    openrc.read(f"touch {trap}\n{START}$(touch {trap})\nexport OS_PASSWORD=$(touch {trap})\nOS_FOO=a;touch {trap}\n")
    assert not trap.exists()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('export OS_PROJECT_NAME="$PROJECT"', "Line 3 .*the shell would compute OS_PROJECT_NAME.*Write its value"),
        ("export OS_REGION_NAME=`region`", "Line 3 .*the shell would compute OS_REGION_NAME"),
        ("export OS_PROJECT_NAME='open", "Line 3 .*OS_PROJECT_NAME is not closed or not plain"),
        ('export OS_PROJECT_NAME="open', "Line 3 .*OS_PROJECT_NAME is not closed"),
        ("export OS_PROJECT_NAME=a&b", "Line 3 .*single quotes"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(line: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        openrc.read(f"{START}{line}\n")
    assert caught.value.facts == {"field": "openrc", "line": 3}


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("", "sets no OS_AUTH_URL"),
        ("clouds:\n  india: {}\n", "sets no OS_AUTH_URL"),
        ("export OS_AUTH_URL=\n", "sets no OS_AUTH_URL"),
        (b"\x89PNG\xff", "not text in UTF-8"),
        ("#" * 262_145, "at most 256 KiB"),
        ("export OS_AUTH_URL=https://x/v2.0\nexport OS_USERNAME=u", "Identity version 2"),
        ("export OS_AUTH_URL=https://x/v3", "has no username"),
        ("export OS_AUTH_URL=https://x/v3\nexport OS_AUTH_TYPE=v3token", "logs in by v3token"),
    ],
)
def test_what_is_no_usable_openrc_is_explained(file: str | bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        openrc.read(file)
    assert caught.value.facts["field"] == "openrc"


def test_secrets_are_in_no_message_and_no_repr() -> None:
    assert "s3cr3t" not in repr(openrc.read(APPLICATION))
    with pytest.raises(Invalid) as caught:
        openrc.read(f"{START}export OS_PASSWORD='s3cr3t\n")
    assert "s3cr3t" not in caught.value.message
