"""The translation of what a real OpenStack (2026.1) said."""

import datetime

import pytest

from cloudmesh.errors import Rejected
from cloudmesh.types import ImageState, Json, Limit, Rule, Server, ServerState
from clouds.drivers.openstack import records
from tests.clouds.drivers.openstack.replay import recorded, spec

NOVA_STATUSES = """
    ACTIVE BUILD DELETED ERROR HARD_REBOOT MIGRATING PASSWORD PAUSED REBOOT REBUILD RESCUE RESIZE REVERT_RESIZE
    SHELVED SHELVED_OFFLOADED SHUTOFF SOFT_DELETED SUSPENDED UNKNOWN VERIFY_RESIZE
"""


def servers(name: str = "servers") -> dict[str, Server]:
    return {server.name: server for server in map(records.server, recorded(name)["servers"])}


def native(**changes: object) -> Json:
    return {"id": "1", "name": "gregor_1", "status": "ACTIVE", **changes}


def test_a_server_with_all_it_can_have() -> None:
    seen = servers()["gregor_1"]
    private, public = seen.addresses
    assert seen.state is ServerState.ACTIVE
    assert private.startswith("10.10.")
    assert public.startswith("198.51.100.")
    assert seen.public_addresses == (public,)
    assert (seen.key, seen.token, seen.flavor) == ("gregor", "wish-gregor_1", "m1.nano")
    assert sorted(seen.security_groups) == ["default", "web"]
    assert seen.image == seen.native["image"]["id"]
    assert seen.created == datetime.datetime.fromisoformat(seen.native["created"])
    assert seen.native == next(each for each in recorded("servers")["servers"] if each["id"] == seen.id)


def test_states_and_faults_as_recorded() -> None:
    assert {name: (server.state, server.fault) for name, server in servers().items()} == {
        "gregor_1": (ServerState.ACTIVE, ""),
        "gregor_2": (ServerState.STOPPED, ""),
        "gregor_3": (ServerState.ERROR, "No valid host was found. "),
        "gregor_4": (ServerState.ERROR, servers()["gregor_4"].fault),
    }
    assert "m1.broken never boots" in servers()["gregor_4"].fault
    assert records.server(recorded("building")["server"]).state is ServerState.BUILDING
    assert records.server(recorded("stopping")["server"]).state is ServerState.CHANGING
    assert servers("changes")["gregor_5"].state is ServerState.DELETED


def test_an_old_nova_tells_the_same_but_for_the_flavors_name() -> None:
    def told(server: Server) -> tuple[object, ...]:
        return server.id, server.name, server.state, server.addresses, server.token, server.created, server.key

    old, new = servers("servers-2.1"), servers()
    assert [told(server) for server in old.values()] == [told(server) for server in new.values()]
    flavors = {flavor["id"]: flavor["name"] for flavor in recorded("flavors")["flavors"]}
    assert {name: flavors[server.flavor] for name, server in old.items()} == {
        name: server.flavor for name, server in new.items()
    }


@pytest.mark.parametrize("status", NOVA_STATUSES.split())
def test_every_status_of_nova_has_a_state(status: str) -> None:
    state = records.server(native(status=status)).state
    assert (state is ServerState.UNKNOWN) == (status == "UNKNOWN")


@pytest.mark.parametrize("status", ["BRAND_NEW", "", None])
def test_a_status_nobody_knows_is_unknown(status: str | None) -> None:
    assert records.server(native(status=status)).state is ServerState.UNKNOWN


@pytest.mark.parametrize(
    ("status", "task", "state"),
    [
        ("ACTIVE", None, ServerState.ACTIVE),
        ("ACTIVE", "deleting", ServerState.DELETING),
        ("ERROR", "deleting", ServerState.DELETING),
        ("BUILD", "deleting", ServerState.DELETING),
        ("SHUTOFF", "soft-deleting", ServerState.DELETING),
        ("DELETED", "deleting", ServerState.DELETED),
        ("ACTIVE", "powering-off", ServerState.CHANGING),
        ("SHUTOFF", "powering-on", ServerState.CHANGING),
        ("SHELVED_OFFLOADED", "spawning", ServerState.CHANGING),
        ("ACTIVE", "a-task-of-tomorrow", ServerState.CHANGING),
        ("ACTIVE", "image_uploading", ServerState.ACTIVE),
        ("BUILD", "spawning", ServerState.BUILDING),
        ("REBOOT", "rebooting", ServerState.REBOOTING),
    ],
)
def test_a_task_under_way_unsettles_the_state(status: str, task: str | None, state: ServerState) -> None:
    assert records.server(native(status=status, **{"OS-EXT-STS:task_state": task})).state is state


def test_a_cell_that_is_down_tells_little_and_breaks_nothing() -> None:
    seen = records.server({"id": "1", "status": "UNKNOWN", "tenant_id": "2", "created": "2026-11-22T12:00:00Z"})
    assert (seen.name, seen.state, seen.addresses) == ("", ServerState.UNKNOWN, ())


def test_a_server_booted_from_a_volume_has_no_image() -> None:
    assert records.server(native(image="")).image == ""


@pytest.mark.parametrize(("address", "public"), [("10.1.2.3", False), ("172.16.0.1", False), ("8.8.8.8", True)])
def test_an_address_of_the_internet_is_public_without_floating(address: str, public: bool) -> None:
    fixed = {"addr": address, "version": 4, "OS-EXT-IPS:type": "fixed"}
    assert bool(records.server(native(addresses={"net": [fixed]})).public_addresses) is public


def test_what_was_just_accepted_keeps_no_password() -> None:
    promised = records.promised(spec(key="gregor"), "wish-1", {"id": "1", "adminPass": "secret"})
    assert (promised.state, promised.token, promised.key) == (ServerState.BUILDING, "wish-1", "gregor")
    assert promised.native == {"id": "1"}


def test_images_know_how_to_log_in() -> None:
    images = [records.image(each, "mine") for each in recorded("images")["images"]]
    assert {image.name: image.login for image in images} == {"cirros-0.6": "cirros", "ubuntu-24.04": "ubuntu"}
    assert {(image.state, image.size, image.min_disk) for image in images} == {(ImageState.ACTIVE, 1 << 20, 1)}
    assert records.image({"id": "1", "status": "active", "os_admin_user": "admin"}, "mine").login == "admin"
    assert records.image({"id": "1", "status": "melted"}, "mine").state is ImageState.UNKNOWN
    assert [records.image({"id": "1", "owner": owner}, "mine").own for owner in ("mine", "theirs")] == [True, False]


def test_flavors() -> None:
    flavors = {each.name: each for each in map(records.flavor, recorded("flavors")["flavors"])}
    assert (flavors["m1.large"].cores, flavors["m1.large"].ram, flavors["m1.large"].disk) == (4, 8192, 80)


def test_unlimited_is_none() -> None:
    assert records.limits(recorded("limits")["limits"])[:3] == [
        Limit(resource="instances", limit=500, used=4),
        Limit(resource="cores", limit=2000, used=4),
        Limit(resource="ram", limit=None, used=recorded("limits")["limits"]["absolute"]["totalRAMUsed"]),
    ]
    assert Limit(resource="floating_ips", limit=50, used=1) in records.network_limits(recorded("quotas")["quota"])


def test_rules_that_let_networks_in() -> None:
    groups = {
        group.name: group for group in map(records.security_group, recorded("security-groups")["security_groups"])
    }
    assert set(groups["web"].rules) == {
        Rule(protocol="tcp", first_port=22, last_port=22),
        Rule(protocol="tcp", first_port=80, last_port=80, cidr="10.0.0.0/8"),
        Rule(protocol="icmp"),
        Rule(protocol="icmp", cidr="::/0"),
    }
    assert groups["default"].rules == ()  # it lets in its own members only


@pytest.mark.parametrize(
    "rule",
    [
        Rule(protocol="tcp", first_port=22, last_port=22),
        Rule(protocol="udp", first_port=1024, last_port=65535, cidr="10.0.0.0/8"),
        Rule(protocol="icmp", cidr="2001:db8::/32"),
        Rule(protocol="tcp"),
    ],
)
def test_a_rule_comes_back_as_it_was_asked_for(rule: Rule) -> None:
    asked = records.asked_rule(rule, "group-1")
    group = {"id": "1", "name": "web", "security_group_rules": [asked]}
    assert records.security_group(group).rules == (rule,)


def test_a_key_is_the_same_whatever_its_comment() -> None:
    known = records.listed_key(recorded("keypairs")["keypairs"][0])
    kind, body, _ = known.native["public_key"].split()
    assert records.same_key(known, f"{kind} {body} someone@elsewhere") is known
    with pytest.raises(Rejected, match=r"different key named gregor \([0-9a-f:]+\)"):
        records.same_key(known, f"{kind} {body[:-4]}AAAA gregor@laptop")
