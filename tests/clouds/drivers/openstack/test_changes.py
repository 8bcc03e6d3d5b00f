"""Rules that go, and addresses that are reserved, chosen, taken off and given back."""

import pytest

from cloudmesh.errors import Busy, Gone, Rejected
from cloudmesh.types import Json, Rule
from clouds.drivers.openstack import OpenStack
from tests.clouds.drivers.openstack.replay import Answer, Replay

GROUP, RULES = "/network/v2.0/security-groups/group-1", "/network/v2.0/security-group-rules"
FLOATING, PORTS = "/network/v2.0/floatingips", "/network/v2.0/ports"
ROUTERS = "/network/v2.0/routers"
WEB = Rule(protocol="tcp", first_port=80, last_port=80, cidr="10.0.0.0/8")


def rule(number: int, **changes: object) -> Json:
    usual = {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "remote_group_id": None}
    facts = {"port_range_min": 80, "port_range_max": 80, "remote_ip_prefix": "10.0.0.0/8"}
    return {"id": f"rule-{number}", **usual, **facts, **changes}


def group(*rules: Json) -> Answer:
    return Answer({"security_group": {"id": "group-1", "name": "web", "security_group_rules": list(rules)}})


def floating(number: int, port: str | None = None, **changes: object) -> Json:
    address = {"floating_ip_address": f"198.51.100.{number}", "floating_network_id": "public", "revision_number": 7}
    return {"id": f"ip-{number}", "port_id": port, **address, **changes}


@pytest.fixture
def server(replay: Replay) -> str:
    """A server with one port."""
    replay.on("GET", "/compute/v2.1/servers/id-1", Answer({"server": {"id": "id-1", "name": "vm", "status": "ACTIVE"}}))
    mine = {"id": "port-1", "network_id": "net-1", "device_id": "id-1", "device_owner": "compute:nova"}
    router = {"id": "port-2", "network_id": "net-1", "device_id": "r1", "device_owner": "network:router_interface"}
    replay.on("GET", PORTS, Answer({"ports": [mine, router]}))
    replay.on("GET", f"{ROUTERS}/r1", Answer({"router": {"external_gateway_info": {"network_id": "public"}}}))
    return "id-1"


def test_only_the_rules_that_are_meant_go(replay: Replay, driver: OpenStack) -> None:
    outgoing, of_group = rule(2, direction="egress"), rule(3, remote_group_id="group-2", remote_ip_prefix=None)
    replay.on("GET", GROUP, [group(rule(1), outgoing, of_group, rule(4, port_range_max=81)), group()])
    replay.on("DELETE", f"{RULES}/rule-1", Answer(status=204))
    driver.change_security_group("group-1", remove=[WEB])
    assert [asked.path for asked in replay.asked if asked.method == "DELETE"] == [f"{RULES}/rule-1"]


def test_every_protocol_is_asked_for_by_none(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", GROUP, group())
    replay.on("POST", RULES, Answer({"security_group_rule": {}}, 201))
    driver.change_security_group("group-1", add=[Rule(protocol="any", cidr="10.0.0.0/8")])
    wish = replay.to("POST", RULES)[0].body["security_group_rule"]
    assert (wish["protocol"], wish["remote_ip_prefix"], "port_range_min" in wish) == (None, "10.0.0.0/8", False)


def test_a_group_that_is_gone_is_told(replay: Replay, driver: OpenStack) -> None:
    with pytest.raises(Gone):
        driver.change_security_group("group-1", add=[WEB])
    driver.delete_security_group("group-1")


def test_an_address_is_reserved_where_ones_own_router_leads(replay: Replay, driver: OpenStack) -> None:
    inside, outside = {"external_gateway_info": None}, {"external_gateway_info": {"network_id": "public"}}
    replay.on("GET", FLOATING, Answer({"floatingips": []}))
    replay.on("GET", ROUTERS, Answer({"routers": [inside, outside]}))
    wish = {"floating_network_id": "public", "description": "cloudmesh:wish-1"}
    replay.on("POST", FLOATING, Answer({"floatingip": floating(1, **wish)}, 201))
    assert driver.reserve_floating_ip(token="wish-1").token == "wish-1"
    assert replay.to("POST", FLOATING)[0].body["floatingip"] == wish


def test_a_second_attempt_looks_for_the_first(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", FLOATING, Answer({"floatingips": [floating(1, description="cloudmesh:wish-1")]}))
    assert driver.reserve_floating_ip(token="wish-1").address == "198.51.100.1"
    assert replay.to("GET", FLOATING)[0].query["description"] == "cloudmesh:wish-1"
    assert replay.to("POST", FLOATING) == []


def test_an_address_that_a_server_has_is_not_given_back(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", f"{FLOATING}/ip-1", Answer({"floatingip": floating(1, "port-1")}))
    with pytest.raises(Rejected, match=r"A server has 198\.51\.100\.1"):
        driver.drop_floating_ip("ip-1")
    assert [asked.method for asked in replay.asked if asked.path == f"{FLOATING}/ip-1"] == ["GET"]


def test_an_address_that_a_server_gets_meanwhile_stays(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", f"{FLOATING}/ip-1", Answer({"floatingip": floating(1)}))
    lost = {"NeutronError": {"type": "RevisionNumberConstraintFailed", "message": "It is at revision 8."}}
    replay.on("DELETE", f"{FLOATING}/ip-1", Answer(lost, 412))
    with pytest.raises((Busy, Rejected), match="revision 8"):
        driver.drop_floating_ip("ip-1")
    assert replay.to("DELETE", f"{FLOATING}/ip-1")[0].headers["If-Match"] == "revision_number=7"


def test_this_very_address(replay: Replay, driver: OpenStack, server: str) -> None:
    replay.on("GET", FLOATING, Answer({"floatingips": [floating(1), floating(2)]}))
    replay.on("PUT", f"{FLOATING}/ip-2", Answer({"floatingip": floating(2, "port-1")}))
    assert driver.assign_floating_ip(server, address="198.51.100.2").id == "ip-2"
    assert [asked.path for asked in replay.asked if asked.method == "PUT"] == [f"{FLOATING}/ip-2"]


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [("198.51.100.1", Rejected, "Another server has"), ("198.51.100.9", Gone, "has no address 198")],
)
def test_an_address_that_cannot_be_had(
    replay: Replay, driver: OpenStack, server: str, address: str, error: type[Exception], words: str
) -> None:
    replay.on("GET", FLOATING, Answer({"floatingips": [floating(1, "port of another")]}))
    with pytest.raises(error, match=words):
        driver.assign_floating_ip(server, address=address)


def test_somebodys_unused_address_is_left_alone(replay: Replay, driver: OpenStack, server: str) -> None:
    replay.on("GET", FLOATING, Answer({"floatingips": [floating(1), floating(2)]}))
    replay.on("PUT", f"{FLOATING}/ip-2", Answer({"floatingip": floating(2, "port-1")}))
    assert driver.assign_floating_ip(server, but=["198.51.100.1"]).address == "198.51.100.2"


def test_an_address_is_taken_off_and_kept(replay: Replay, driver: OpenStack, server: str) -> None:
    replay.on("GET", FLOATING, Answer({"floatingips": [floating(1), floating(2, "port-1")]}))
    replay.on("PUT", f"{FLOATING}/ip-2", Answer({"floatingip": floating(2)}))
    driver.unassign_floating_ip(server)
    assert replay.to("PUT", f"{FLOATING}/ip-2")[0].body == {"floatingip": {"port_id": None}}
    assert [asked for asked in replay.asked if asked.method == "DELETE"] == []
