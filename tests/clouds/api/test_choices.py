"""What is one's own, over REST: keys and defaults."""

from collections.abc import Callable

import pytest

from accounts.models import SshKey, User
from clouds.models import CloudAccount, Default, Server
from tests import factories
from tests.rest import Api

Login = Callable[..., Api]


def chosen(api: Api, **query: str) -> dict[str, tuple[str, str]]:
    return {
        " ".join(filter(None, (row["cloud"], row["key"]))): (row["value"], row["source"])
        for row in api.get("defaults/", query).results
    }


# -- keys ------------------------------------------------------------------------------------------------------


def test_a_key_is_kept_told_and_forgotten(api: Login, member: User, project: object) -> None:
    asking = api(member)
    answer = asking.post("keys/", {"name": "laptop", "public_key": factories.public_key("gregor@home")})
    assert (answer.status, answer["comment"], answer["is_default"]) == (201, "gregor@home", True)
    assert answer["fingerprint"].startswith("SHA256:")
    assert asking.get("keys/laptop/").body == asking.get("keys/").results[0] == answer.body
    assert asking.delete("keys/laptop/").status == 204
    assert asking.get("keys/").results == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({}, "public_key is required"),
        ({"name": "x", "public_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA"}, "private key"),
        ({"name": "x", "public_key": "hello"}, "no OpenSSH public key"),
        ({"name": "a b", "public_key": "KEY"}, "not possible"),
        ({"name": "x" * 65, "public_key": "KEY"}, "not possible"),
        ({"name": "taken", "public_key": "KEY"}, "already"),
        ({"name": "x", "public_key": "KEY", "comment": "y"}, "no field 'comment'"),
    ],
)
def test_a_key_that_cannot_be_is_refused(api: Login, member: User, wish: dict[str, str], words: str) -> None:
    factories.make_key(member, "taken")
    if wish.get("public_key") == "KEY":
        wish = {**wish, "public_key": factories.public_key()}
    answer = api(member).post("keys/", wish)
    assert answer.status in (400, 409)
    assert words in answer.detail
    assert SshKey.objects.count() == 1


def test_a_key_without_a_project_is_kept_too(api: Login, db: None) -> None:
    loner = factories.make_user("loner")
    assert api(loner).post("keys/", {"public_key": factories.public_key("me@x")})["is_default"] is False


# -- defaults --------------------------------------------------------------------------------------------------


def test_what_is_used_is_told_with_its_source(api: Login, account: CloudAccount, member: User) -> None:
    factories.make_key(member)
    assert chosen(api(member)) == {
        "cloud": ("india", "first"),
        "key": ("laptop", "first"),
        "security_group": ("cloudmesh", "first"),
        "group": ("default", "first"),
        "prefix": ("gregor", "first"),
        "schema": ("{prefix}_{number}", "first"),
        "width": ("1", "first"),
        "format": ("table", "first"),
        "last_server": ("", "none"),
        "india image": ("ubuntu-24.04", "first"),
        "india flavor": ("m1.small", "first"),
        "india network": ("", "none"),
        "india login": ("ubuntu", "first"),
    }


def test_defaults_are_set_and_removed(api: Login, account: CloudAccount, member: User, lead: User) -> None:
    asking = api(member)
    wish = {"prefix": "web", "images": {"india": "debian-12"}, "flavors": {"india": "m1.large"}, "format": "json"}
    answer = asking.change("defaults/", wish)
    assert answer.status == 200
    found = chosen(asking)
    assert found["prefix"] == ("web", "own")
    assert (found["india image"], found["india flavor"]) == (("debian-12", "own"), ("m1.large", "own"))
    assert asking.post("servers/")["servers"][0]["name"] == "web_1"
    assert chosen(asking)["last_server"] == ("web_1", "own")
    api(lead).change("defaults/", {"images": {"india": "rocky-9"}, "for_project": True})
    assert chosen(asking)["india image"] == ("debian-12", "own")
    asking.change("defaults/", {"images": {"india": ""}, "prefix": ""})
    assert chosen(asking)["india image"] == ("rocky-9", "project")
    assert chosen(asking)["prefix"] == ("gregor", "first")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"prefx": "x"}, "Did you mean prefix"),
        ({"cloud": "indai"}, "Did you mean india"),
        ({"images": {"india": "debian"}}, "Did you mean debian-12"),
        ({"images": {"indai": "debian-12"}}, "Did you mean india"),
        ({"images": "debian-12"}, "images must be an object"),
        ({"flavors": {"india": 1}}, "must be text"),
        ({"networks": {"india": "nowhere"}}, "no network"),
        ({"key": "laptop"}, "no key named"),
        ({"prefix": "a b"}, "cannot be a prefix"),
        ({"format": "xml"}, "format is one of"),
        ({"group": "x" * 64}, "cannot be a group"),
        ({"prefix": "web", "group": "a b"}, "cannot be a group"),
        ({"prefix": "web", "for_project": True}, "As member of fg101"),
        ({"prefix": "web", "project": "elsewhere"}, "no project named 'elsewhere'"),
    ],
)
def test_a_default_that_means_nothing_is_refused_and_none_is_set(
    api: Login, account: CloudAccount, member: User, wish: object, words: str
) -> None:
    answer = api(member).change("defaults/", wish)
    assert answer.status in (400, 403, 404), answer.body
    assert words in answer.detail
    assert not Default.objects.exists()


def test_defaults_without_a_cloud_say_that_there_is_none(api: Login, member: User, project: object) -> None:
    assert chosen(api(member))["cloud"] == ("", "none")


def test_defaults_of_the_project_and_of_the_portal_are_set_by_those_who_may(
    api: Login, account: CloudAccount, member: User, lead: User, admin: User
) -> None:
    assert api(member).change("defaults/", {"group": "class", "for_portal": True}).status == 403
    root = api(admin)
    answer = root.change("defaults/", {"group": "class", "for_portal": True})
    assert (answer.status, chosen(api(member))["group"]) == (200, ("class", "portal"))
    api(lead).change("defaults/", {"group": "course", "for_project": True, "security_groups": {"india": "web"}})
    found = chosen(api(member))
    assert (found["group"], found["india security_group"]) == (("course", "project"), ("web", "project"))
    assert chosen(api(member), scope="portal")["group"] == ("class", "portal")
    assert "not for both" in api(admin).change("defaults/", {"for_portal": True, "for_project": True}).detail


def test_the_last_server_is_told_with_its_id(api: Login, server: Server, member: User) -> None:
    [row] = [row for row in api(member).get("defaults/").results if row["key"] == "last_server"]
    assert (row["value"], row["id"], row["source"]) == ("gregor_1", str(server.pk), "first")


# -- the next name ---------------------------------------------------------------------------------------------


def test_the_next_name_is_told_and_changed(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    answer = asking.get("next-name/")
    assert answer.body == {
        "name": "gregor_1",
        "number": 1,
        "prefix": "gregor",
        "width": "1",
        "schema": "{prefix}_{number}",
        "sources": {"prefix": "first", "width": "first", "schema": "first"},
    }
    changed = asking.change("next-name/", {"prefix": "gregor-", "width": "3", "number": 7})
    assert (changed["name"], changed["number"], changed["sources"]["width"]) == ("gregor-007", 7, "own")
    assert asking.post("servers/")["servers"][0]["name"] == "gregor-007"
    assert asking.get("servers/next/")["name"] == asking.get("next-name/")["name"] == "gregor-008"
    assert "has {number} once" in asking.change("next-name/", {"schema": "{user}"}).detail


def test_the_next_name_is_for_those_who_boot(api: Login, account: CloudAccount, stranger: User) -> None:
    assert api(stranger).get("next-name/", {"project": "fg101"}).status == 404
