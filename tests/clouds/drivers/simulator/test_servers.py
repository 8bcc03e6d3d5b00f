"""What a simulated cloud does with servers, and what it refuses in which words."""

import time

import pytest

from cloudmesh.errors import Full, Rejected
from cloudmesh.types import Rule, ServerSpec, ServerState
from clouds.drivers.simulator import Simulator, control
from tests.clouds.drivers.contract import public_key


def test_a_build_takes_its_time_without_anybody_waiting(
    driver: Simulator, world: control.World, spec: ServerSpec
) -> None:
    control.set_latency(world, 0.3, kinds=["build"])
    made = driver.create_server(spec, token="t")
    assert (made.state, made.addresses) == (ServerState.BUILDING, ())
    time.sleep(0.35)
    built = driver.server(made.id)
    assert (built.state, len(built.addresses)) == (ServerState.ACTIVE, 1)
    assert built.native["updated"] > built.native["created"]


def test_a_second_create_with_a_token_makes_a_second_server(driver: Simulator, spec: ServerSpec) -> None:
    """Like Nova, unlike EC2: that nothing is doubled is the portal's promise, and must not be kept for it here."""
    first, second = (driver.create_server(spec, token="t") for _ in range(2))
    assert first.id != second.id
    found = driver.find("t")
    assert found is not None
    assert found.id == first.id


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": "nothing"}, "Image 'nothing' could not be found in india."),
        ({"flavor": "99"}, "Flavor '99' could not be found"),
        ({"flavor": "1"}, "m1.tiny has too little disk for image ubuntu-24.04: 1 GiB, and 4 GiB are needed"),
        ({"key": "nobody's"}, 'the key pair "nobody\'s" is not known'),
        ({"security_groups": ("none",)}, "Security group 'none' could not be found"),
        ({"networks": ("none",)}, "Network 'none' could not be found"),
        ({"name": ""}, "field name"),
        ({"name": "x" * 256}, "field name"),
    ],
)
def test_what_cannot_be_built_is_rejected_in_the_clouds_words(
    driver: Simulator, spec: ServerSpec, change: dict[str, str], words: str
) -> None:
    wanted = ServerSpec(**{"name": "web", "image": spec.image, "flavor": spec.flavor, **change})
    with pytest.raises(Rejected) as refusal:
        driver.create_server(wanted, token="t")
    assert words in refusal.value.message
    assert list(driver.servers()) == []


def test_what_is_no_text_is_rejected(driver: Simulator) -> None:
    with pytest.raises(Rejected, match="no text"):
        driver.server("\ud800")


def test_a_name_may_be_in_any_script(driver: Simulator, spec: ServerSpec) -> None:
    made = driver.create_server(ServerSpec(name="计算 1", image=spec.image, flavor=spec.flavor), token="t")
    assert driver.server(made.id).name == "计算 1"


def test_a_quota_says_which_how_much_and_how_far(driver: Simulator, world: control.World, spec: ServerSpec) -> None:
    control.set_quota(world, cores=2, instances=None)
    driver.create_server(spec, token="1")
    driver.create_server(spec, token="2")
    with pytest.raises(Full, match="cores: requested 1, but already used 2 of 2") as full:
        driver.create_server(spec, token="3")
    assert full.value.facts == {"resource": "cores", "wanted": 1, "used": 2, "limit": 2}


def test_a_quota_of_a_project_is_its_own(driver: Simulator, world: control.World, spec: ServerSpec) -> None:
    control.set_quota(world, project="demo", instances=0)
    limits = {limit.resource: limit.limit for limit in driver.limits()}
    assert limits["instances"] == 0
    assert control.quota(world)["instances"] == 50


def test_what_is_deleted_takes_no_quota(driver: Simulator, world: control.World, spec: ServerSpec) -> None:
    control.set_quota(world, instances=1)
    driver.delete_server(driver.create_server(spec, token="1").id)
    assert driver.create_server(spec, token="2").state is ServerState.BUILDING


@pytest.mark.parametrize(
    ("first", "then"),
    [("stop", "stop"), ("stop", "reboot"), ("pause", "stop"), ("reboot", "start"), ("shelve", "stop")],
)
def test_a_wrong_state_is_rejected(driver: Simulator, spec: ServerSpec, first: str, then: str) -> None:
    server = driver.create_server(spec, token="t")
    driver.act(server.id, first)
    with pytest.raises(Rejected, match=rf"Cannot '{then}' instance .* while it is [A-Z]+; it must be"):
        driver.act(server.id, then)


def test_nothing_else_can_be_asked_while_something_is_done(
    driver: Simulator, world: control.World, spec: ServerSpec
) -> None:
    server = driver.create_server(spec, token="t")
    control.set_latency(world, 60, kinds=["stop", "delete"])
    driver.act(server.id, "stop")
    assert driver.server(server.id).state is ServerState.CHANGING
    with pytest.raises(Rejected, match="while it is ACTIVE, powering-off"):
        driver.act(server.id, "reboot")
    driver.delete_server(server.id)
    assert driver.server(server.id).state is ServerState.DELETING


def test_a_deleted_server_gives_its_public_address_back(driver: Simulator, spec: ServerSpec) -> None:
    server = driver.create_server(ServerSpec(name="web", image=spec.image, flavor=spec.flavor), token="t")
    address = driver.assign_floating_ip(server.id).address
    assert driver.server(server.id).public_addresses == (address,)
    driver.delete_server(server.id)
    assert [ip.server for ip in driver.floating_ips()] == [""]
    assert driver.assign_floating_ip(driver.create_server(spec, token="2").id).address == address


def test_public_addresses_have_a_quota(driver: Simulator, world: control.World, spec: ServerSpec) -> None:
    control.set_quota(world, floating_ips=1)
    driver.assign_floating_ip(driver.create_server(spec, token="1").id)
    with pytest.raises(Full, match="floating_ips"):
        driver.assign_floating_ip(driver.create_server(spec, token="2").id)


def test_the_console_log_grows_and_names_the_server(driver: Simulator, world: control.World, spec: ServerSpec) -> None:
    server = driver.create_server(spec, token="t")
    first = driver.console_log(server.id)
    time.sleep(0.5)
    assert "Linux version" in first
    assert len(driver.console_log(server.id)) > len(first)
    assert driver.console_log(server.id, lines=0) == ""


@pytest.mark.parametrize("rule", [("gre", 1, 1), ("tcp", 5, 4), ("tcp", 1, 70_000)])
def test_a_rule_that_cannot_be_is_rejected(driver: Simulator, rule: tuple[str, int, int]) -> None:
    with pytest.raises(Rejected, match="Invalid rule"):
        driver.ensure_security_group("odd", [Rule(protocol=rule[0], first_port=rule[1], last_port=rule[2])])
    assert [group.name for group in driver.security_groups()] == ["default"]


def test_a_key_is_the_same_key_with_another_comment(driver: Simulator) -> None:
    text = public_key()
    assert driver.ensure_key("k", text) == driver.ensure_key("k", text.replace("contract@", "laptop@"))
