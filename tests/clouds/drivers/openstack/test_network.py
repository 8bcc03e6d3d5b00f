"""Networks, security groups and public addresses."""

from collections.abc import Callable

import pytest

from cloudmesh.errors import Busy, Full, Rejected
from cloudmesh.types import Json, Rule
from clouds.drivers.openstack import OpenStack
from tests.clouds.drivers.openstack.replay import Answer, Asked, Replay, recorded, spec

OWN = recorded("token")["token"]["project"]["id"]
NETWORKS, GROUPS, RULES = (
    "/network/v2.0/networks",
    "/network/v2.0/security-groups",
    "/network/v2.0/security-group-rules",
)
FLOATING, PORTS = "/network/v2.0/floatingips", "/network/v2.0/ports"
SSH = Rule(protocol="tcp", first_port=22, last_port=22)
WEB = Rule(protocol="tcp", first_port=80, last_port=80)


def network(name: str, project: str = OWN, **changes: object) -> Json:
    facts = {"subnets": ["s1"], "admin_state_up": True, "shared": False, "router:external": False}
    return {"id": name, "name": name, "project_id": project, **facts, **changes}


# -- networks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ([network("only")], "only"),
        ([network("b"), network("a")], "a"),
        ([network("alpha"), network("india-net")], "india-net"),
        ([network("my-india-lab"), network("india")], "india"),
        ([network("shared", "x", shared=True), network("own")], "own"),
        ([network("provider", "x", shared=True), network("public", "x", **{"router:external": True})], "provider"),
        ([network("outside", "x", shared=True, **{"router:external": True})], "outside"),
        ([network("a", subnets=[]), network("b", admin_state_up=False), network("c")], "c"),
        ([network("of others, shown to an administrator", "x"), network("own")], "own"),
    ],
)
def test_a_server_gets_a_sensible_network(replay: Replay, driver: OpenStack, there: list[Json], chosen: str) -> None:
    replay.on("GET", NETWORKS, Answer({"networks": there}))
    assert wished(replay, driver)["networks"] == [{"uuid": chosen}]


@pytest.mark.parametrize(
    ("newest", "wish"), [("2.96", {"networks": "auto"}), ("2.37", {"networks": "auto"}), ("2.36", {})]
)
def test_without_a_usable_network_nova_decides(replay: Replay, driver: OpenStack, newest: str, wish: Json) -> None:
    replay.on("GET", "/compute/v2.1/", Answer({"version": {"version": newest}}))
    replay.on("GET", NETWORKS, Answer({"networks": [network("public", "x", **{"router:external": True})]}))
    asked = wished(replay, driver)
    assert {name: asked[name] for name in asked if name == "networks"} == wish


def test_a_cloud_without_neutron_is_asked_for_none_of_it(replay: Replay, driver: OpenStack) -> None:
    replay.catalog = {"compute": "/compute/v2.1"}
    assert wished(replay, driver)["networks"] == "auto"


def wished(replay: Replay, driver: OpenStack) -> Json:
    replay.on("POST", "/compute/v2.1/servers", Answer({"server": {"id": "id-1"}}, 202))
    driver.create_server(spec(), token="wish-1")
    wish: Json = replay.to("POST", "/compute/v2.1/servers")[0].body["server"]
    return wish


def test_networks_of_others_are_not_shown(replay: Replay, driver: OpenStack) -> None:
    there = [network("own"), network("foreign", "x"), network("public", "x", **{"router:external": True})]
    replay.on("GET", NETWORKS, Answer({"networks": there}))
    replay.on("GET", "/network/v2.0/subnets", Answer({"subnets": [{"id": "s1", "cidr": "10.1.0.0/24"}]}))
    assert {each.name: each.usable for each in driver.networks()} == {"own": True, "public": False}


def test_networks_have_the_ranges_of_the_subnets_that_may_be_seen(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", NETWORKS, Answer({"networks": [network("own", subnets=["s2", "hidden", "s1"])]}))
    subnets = [{"id": "s1", "cidr": "10.1.0.0/24"}, {"id": "s2", "cidr": "fd00::/64"}]
    replay.on("GET", "/network/v2.0/subnets", Answer({"subnets": subnets}))
    assert [each.subnets for each in driver.networks()] == [("fd00::/64", "10.1.0.0/24")]


# -- security groups -----------------------------------------------------------------------------------------------


def group(name: str = "web", rules: tuple[Rule, ...] = (SSH,), **changes: object) -> Json:
    made = [
        {
            "direction": "ingress", "ethertype": "IPv4", "protocol": rule.protocol, "remote_ip_prefix": rule.cidr,
            "port_range_min": rule.first_port, "port_range_max": rule.last_port,
        }
        for rule in rules
    ]  # fmt: skip
    return {"id": "group-1", "name": name, "security_group_rules": made, **changes}


def listed(*groups: Json) -> Answer:
    return Answer({"security_groups": list(groups)})


def test_a_group_that_has_its_rules_is_only_read(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", GROUPS, listed(group()))
    assert driver.ensure_security_group("web", [SSH]).id == "group-1"
    assert {asked.method for asked in replay.asked if asked.path.startswith("/network")} == {"GET"}
    assert replay.to("GET", GROUPS)[0].query.items() >= {"project_id": OWN, "name": "web"}.items()


def test_only_missing_rules_are_added(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", GROUPS, [listed(group()), listed(group()), listed(group(rules=(SSH, WEB)))])
    replay.on("POST", RULES, Answer({"security_group_rule": {}}, 201))
    assert set(driver.ensure_security_group("web", [SSH, WEB, WEB]).rules) == {SSH, WEB}
    assert [asked.body["security_group_rule"]["port_range_min"] for asked in replay.to("POST", RULES)] == [80]


def test_a_rule_that_someone_else_just_added_is_fine(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", GROUPS, [listed(group()), listed(group()), listed(group(rules=(SSH, WEB)))])
    exists = recorded("errors")["rule-exists"]
    replay.on("POST", RULES, Answer(exists["body"].encode(), exists["status"]))
    assert WEB in driver.ensure_security_group("web", [SSH, WEB]).rules


def test_a_group_that_two_made_at_once_stays_one(replay: Replay, driver: OpenStack) -> None:
    ours = group(rules=(), id="ours", created_at="2026-11-22T12:00:02Z")
    theirs = group(id="theirs", created_at="2026-11-22T12:00:01Z")
    replay.on("GET", GROUPS, [listed(), listed(), listed(ours, theirs)])
    replay.on("POST", GROUPS, Answer({"security_group": ours}, 201))
    replay.on("DELETE", f"{GROUPS}/ours", Answer(status=204))
    assert driver.ensure_security_group("web", [SSH]).id == "theirs"
    assert len(replay.to("DELETE", f"{GROUPS}/ours")) == 1


def test_too_many_groups_is_full(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", GROUPS, listed())
    over = recorded("errors")["network-quota"]
    replay.on("POST", GROUPS, Answer(over["body"].encode(), over["status"]))
    with pytest.raises(Full, match="Quota exceeded for resources"):
        driver.ensure_security_group("web", [SSH])


# -- public addresses ----------------------------------------------------------------------------------------------


def floating(number: int, port: str | None = None, **changes: object) -> Json:
    address = {"floating_ip_address": f"198.51.100.{number}", "floating_network_id": "public", "revision_number": 7}
    return {"id": f"ip-{number}", "port_id": port, **address, **changes}


@pytest.fixture
def addresses(replay: Replay) -> Callable[..., None]:
    """A server id-1 with a port behind a router to `public`, and these floating addresses."""

    def ports(asked: Asked) -> Answer:
        mine = {"id": "port-1", "network_id": "net-1", "device_id": "id-1", "device_owner": "compute:nova"}
        router = {"id": "port-2", "network_id": "net-1", "device_id": "r1", "device_owner": "network:router_interface"}
        return Answer({"ports": [mine] if asked.query.get("device_id") == "id-1" else [mine, router]})

    def there(*known: Json) -> None:
        replay.on("GET", FLOATING, Answer({"floatingips": list(known)}))

    replay.on("GET", "/compute/v2.1/servers/id-1", Answer({"server": {"id": "id-1", "name": "vm", "status": "ACTIVE"}}))
    replay.on("GET", PORTS, ports)
    router = {"id": "r1", "external_gateway_info": {"network_id": "public"}}
    replay.on("GET", "/network/v2.0/routers/r1", Answer({"router": router}))
    replay.on("POST", FLOATING, Answer({"floatingip": floating(99, "port-1")}, 201))
    for number in range(1, 4):
        replay.on("PUT", f"{FLOATING}/ip-{number}", Answer({"floatingip": floating(number, "port-1")}))
    return there


def test_the_address_it_has_already(replay: Replay, driver: OpenStack, addresses: Callable[..., None]) -> None:
    addresses(floating(1), floating(2, "port-1"))
    assert driver.assign_floating_ip("id-1").address == "198.51.100.2"
    assert {asked.method for asked in replay.asked if asked.path.startswith("/network")} == {"GET"}


def test_an_unused_address_comes_first(replay: Replay, driver: OpenStack, addresses: Callable[..., None]) -> None:
    addresses(floating(1, "of another"), floating(2, floating_network_id="elsewhere"), floating(3))
    given = driver.assign_floating_ip("id-1")
    (asked,) = replay.to("PUT", f"{FLOATING}/ip-3")
    assert (given.address, given.server) == ("198.51.100.3", "id-1")
    assert asked.headers["If-Match"] == "revision_number=7"
    assert replay.to("POST", FLOATING) == []


@pytest.mark.parametrize("lost", [recorded("errors")["floating-ip-changed"], {"status": 404, "body": ""}])
def test_an_address_that_another_took_is_left_to_it(
    replay: Replay, driver: OpenStack, addresses: Callable[..., None], lost: Json
) -> None:
    addresses(floating(1), floating(2))
    replay.on("PUT", f"{FLOATING}/ip-1", Answer(lost["body"].encode(), lost["status"]))
    assert driver.assign_floating_ip("id-1").address == "198.51.100.2"


def test_a_new_address_comes_from_behind_the_router(
    replay: Replay, driver: OpenStack, addresses: Callable[..., None]
) -> None:
    addresses()
    assert driver.assign_floating_ip("id-1").address == "198.51.100.99"
    wish = replay.to("POST", FLOATING)[0].body["floatingip"]
    assert wish == {"floating_network_id": "public", "port_id": "port-1"}


def test_without_a_router_of_ones_own_the_first_network_to_the_outside_must_do(
    replay: Replay, driver: OpenStack, addresses: Callable[..., None]
) -> None:
    addresses()
    replay.on("GET", "/network/v2.0/routers/r1", Answer(status=404))
    replay.on("GET", NETWORKS, Answer({"networks": [network("own"), network("out", "x", **{"router:external": True})]}))
    driver.assign_floating_ip("id-1")
    assert replay.to("POST", FLOATING)[0].body["floatingip"]["floating_network_id"] == "out"


def test_a_cloud_without_an_outside_has_no_addresses(
    replay: Replay, driver: OpenStack, addresses: Callable[..., None]
) -> None:
    addresses()
    replay.on("GET", "/network/v2.0/routers/r1", Answer({"router": {"external_gateway_info": None}}))
    replay.on("GET", NETWORKS, Answer({"networks": [network("own")]}))
    with pytest.raises(Rejected, match="no external network"):
        driver.assign_floating_ip("id-1")


@pytest.mark.parametrize(("status", "error"), [("BUILD", Busy), ("ACTIVE", Rejected)])
def test_a_server_without_a_port(
    replay: Replay, driver: OpenStack, status: str, error: type[Exception], addresses: Callable[..., None]
) -> None:
    addresses()
    replay.on("GET", "/compute/v2.1/servers/id-1", Answer({"server": {"id": "id-1", "name": "vm", "status": status}}))
    replay.on("GET", PORTS, Answer({"ports": []}))
    with pytest.raises(error, match="vm has no network port"):
        driver.assign_floating_ip("id-1")


def test_an_address_is_given_back(replay: Replay, driver: OpenStack, addresses: Callable[..., None]) -> None:
    addresses(floating(1, "of another"), floating(2, "port-1"), floating(3))
    replay.on("DELETE", f"{FLOATING}/ip-2", [Answer(status=204), Answer(status=404)])
    driver.release_floating_ip("id-1")
    driver.release_floating_ip("id-1")
    assert [asked.path for asked in replay.asked if asked.method == "DELETE"] == [f"{FLOATING}/ip-2"] * 2


def test_who_has_which_address(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", FLOATING, Answer(recorded("floatingips")))
    (seen,) = driver.floating_ips()
    assert seen.server == recorded("floatingips")["floatingips"][0]["port_details"]["device_id"]
    assert replay.to("GET", PORTS) == []


def test_an_older_neutron_is_asked_for_the_ports_too(
    replay: Replay, driver: OpenStack, addresses: Callable[..., None]
) -> None:
    addresses(floating(1, "port-1"), floating(2))
    assert {each.address: each.server for each in driver.floating_ips()} == {
        "198.51.100.1": "id-1",
        "198.51.100.2": "",
    }
