"""Faults strike the requests they are meant for, and do what they say."""

import concurrent.futures
import dataclasses
import json
import time

import pytest

from cloudmesh.errors import Busy, Gone, Refused, Rejected, Unreachable
from cloudmesh.types import ServerSpec, ServerState
from clouds.drivers import Site
from clouds.drivers.simulator import Simulator, control
from clouds.drivers.simulator.world import CloudError

DEMO = {"world": "india", "username": "demo", "password": "demo"}

BEFORE = [("500", Busy), ("429", Busy), ("garbage", Busy), ("refused", Unreachable)]


@pytest.mark.parametrize(("effect", "error"), BEFORE)
def test_a_fault_strikes_so_many_times_and_does_nothing_else(
    driver: Simulator, world: control.World, spec: ServerSpec, effect: str, error: type[Busy]
) -> None:
    control.fail(world, "create_server", effect, times=2)
    for _ in range(2):
        with pytest.raises(error) as caught:
            driver.create_server(spec, token="t")
        assert type(caught.value) is error
    assert list(driver.servers()) == []
    assert driver.create_server(spec, token="t").name == "web"
    assert [row["outcome"] for row in control.requests(world, "create_server")] == [effect, effect, "ok"]


def test_a_timeout_takes_as_long_as_the_client_waits(site: Site, world: control.World) -> None:
    control.fail(world, "servers", "timeout")
    driver = Simulator(DEMO, Site(state_dir=site.state_dir, guard=site.guard, timeout=0.2))
    start = time.monotonic()
    with pytest.raises(Busy, match="timed out"):
        driver.servers()
    assert 0.2 <= time.monotonic() - start < 2
    control.recover(world)
    control.fail(world, "servers", "timeout", delay=0.01)
    start = time.monotonic()
    with pytest.raises(Busy):
        driver.servers()
    assert time.monotonic() - start < 0.2


def test_a_slow_answer_is_an_answer(driver: Simulator, world: control.World) -> None:
    control.fail(world, "che*", "slow", delay=0.1, times=1)
    start = time.monotonic()
    assert driver.check() == "demo in project demo of india"
    assert time.monotonic() - start >= 0.1


def test_a_lost_answer_leaves_the_server_to_be_found(driver: Simulator, world: control.World, spec: ServerSpec) -> None:
    control.fail(world, "create_server", "lost-answer", times=1)
    with pytest.raises(Busy, match="before the answer to create_server came"):
        driver.create_server(spec, token="wish")
    found = driver.find("wish")
    assert found is not None
    assert [server.id for server in driver.servers()] == [found.id]
    row = control.requests(world, "create_server")[-1]
    assert (row["token"], row["outcome"]) == ("wish", "lost-answer")


def test_a_late_answer_comes_after_the_work(driver: Simulator, world: control.World, spec: ServerSpec) -> None:
    control.fail(world, "create_server", "late-answer", delay=0.2, times=1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(driver.create_server, spec, token="wish")
        deadline = time.monotonic() + 5
        while not (made := control.listing(world)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not asked.done()
        assert asked.result().id == made[0]["id"]


def test_a_build_can_end_in_error_with_the_clouds_words(
    driver: Simulator, world: control.World, spec: ServerSpec
) -> None:
    control.fail(world, "*", "build-error", times=1)
    driver.check()
    broken, whole = (driver.create_server(spec, token=str(number)) for number in range(2))
    seen = driver.server(broken.id)
    assert (seen.state, seen.addresses) == (ServerState.ERROR, ())
    assert "No valid host was found" in seen.fault
    assert driver.server(whole.id).state is ServerState.ACTIVE
    driver.delete_server(broken.id)
    with pytest.raises(Gone):
        driver.server(broken.id)


def test_a_fraction_strikes_now_and_then(driver: Simulator, world: control.World) -> None:
    control.fail(world, "check", "500", fraction=0.5)
    outcomes = []
    for _ in range(100):
        try:
            outcomes.append(bool(driver.check()))
        except Busy:
            outcomes.append(False)
    assert 20 < sum(outcomes) < 80


def test_an_outage_begins_and_ends_for_all(driver: Simulator, world: control.World, site: Site) -> None:
    control.outage(world, on=True)
    control.outage(world, on=True)
    for each in (driver, Simulator(DEMO, site)):
        with pytest.raises(Unreachable, match="Connection refused"):
            each.check()
    control.outage(world, on=False)
    assert driver.check()


def test_a_request_that_died_in_its_work_is_known_as_begun(
    driver: Simulator, world: control.World, spec: ServerSpec
) -> None:
    with pytest.raises(TypeError):
        driver.create_server(dataclasses.replace(spec, labels={"odd": object()}), token="t")  # type: ignore[dict-item]
    assert [row["outcome"] for row in control.requests(world, "create_server")] == ["begun"]
    assert list(driver.servers()) == []


def test_a_slow_refusal_is_a_refusal(driver: Simulator, world: control.World) -> None:
    control.fail(world, "server", "slow", delay=0.01)
    with pytest.raises(Gone):
        driver.server("nothing")
    assert control.requests(world, "server")[-1]["outcome"] == "404"


def test_one_fault_is_taken_away_without_the_others(driver: Simulator, world: control.World) -> None:
    first, second = control.fail(world, "check", "500"), control.fail(world, "keys", "429")
    control.recover(world, first)
    assert [fault["id"] for fault in control.known_faults(world)] == [second]
    assert driver.check()


@pytest.mark.parametrize("wrong", [{"effect": "fire"}, {"fraction": 0.0}, {"times": 0}, {"delay": -1.0}])
def test_a_fault_that_cannot_be_is_refused(world: control.World, wrong: dict[str, object]) -> None:
    with pytest.raises(CloudError, match="fault"):
        control.fail(world, **({"kind": "*", "effect": "500"} | wrong))
    assert control.known_faults(world) == []


def test_each_request_is_written_down_without_its_secret(
    driver: Simulator, world: control.World, site: Site, spec: ServerSpec
) -> None:
    made = driver.create_server(spec, token="wish")
    with pytest.raises(Rejected):
        driver.act(made.id, "start")
    with pytest.raises(Refused):
        Simulator(DEMO | {"password": "hunter2!"}, site).check()
    rows = control.requests(world)
    assert [(row["kind"], row["outcome"]) for row in rows[-3:]] == [
        ("create_server", "ok"),
        ("start", "409"),
        ("check", "401"),
    ]
    assert rows[-3]["token"] == "wish"
    assert rows[-2]["server"] == made.id
    assert "hunter2!" not in json.dumps(rows)
