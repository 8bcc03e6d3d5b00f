"""What can be made to go wrong at a simulated scheduler, and what its owner can do."""

import time

import pytest
from click.testing import CliRunner

from cloudmesh.errors import Busy, DriverError, Invalid, Refused, Rejected, Unreachable
from cloudmesh.types import JobSpec
from hpc.drivers import Site
from hpc.drivers.simulator import Simulator, control
from hpc.drivers.simulator.__main__ import main
from tests.hpc.drivers.simulator.conftest import DEMO, Submit

SPEC = JobSpec(name="one", script="echo one")


@pytest.mark.parametrize(
    ("effect", "error"),
    [("away", Unreachable), ("busy", Busy), ("refused", Refused), ("error", Rejected), ("timeout", Busy)],
)
def test_a_fault_strikes_before_the_work(
    driver: Simulator, world: control.World, effect: str, error: type[DriverError]
) -> None:
    control.fail(world, "submit", effect, times=1, delay=0.01, text="Something is wrong.")
    with pytest.raises(error, match=r"Something is wrong\."):
        driver.submit(SPEC, token="wish")
    assert driver.find("wish") == ""
    assert driver.submit(SPEC, token="wish")


def test_an_answer_can_be_lost_when_all_is_done(driver: Simulator, world: control.World) -> None:
    control.fail(world, "submit", "lost-answer", times=1)
    with pytest.raises(Busy, match="before the answer"):
        driver.submit(SPEC, token="wish")
    found = driver.find("wish")
    assert found in {job.id for job in driver.jobs()}


def test_it_can_be_slow(driver: Simulator, world: control.World) -> None:
    control.fail(world, "jobs", "slow", delay=0.3)
    begun = time.monotonic()
    assert "demo" not in {job.login for job in driver.jobs()}
    assert time.monotonic() - begun >= 0.3


def test_an_outage_lasts_until_it_is_over(driver: Simulator, world: control.World) -> None:
    control.outage(world, on=True)
    for _ in range(3):
        with pytest.raises(Unreachable):
            list(driver.jobs())
    control.outage(world, on=False)
    assert driver.check() == "Simulated scheduler india as demo"


def test_faults_are_known_and_taken_away(driver: Simulator, world: control.World) -> None:
    number = control.fail(world, "*", "busy", fraction=1.0)
    assert [fault["id"] for fault in control.known_faults(world)] == [number]
    control.recover(world)
    assert control.known_faults(world) == []
    assert driver.check()


@pytest.mark.parametrize("wrong", [{"effect": "explode"}, {"fraction": 0}, {"times": 0}, {"delay": -1}])
def test_a_fault_that_cannot_be_is_rejected(world: control.World, wrong: dict[str, object]) -> None:
    with pytest.raises(Rejected, match=r"\w+ \w+"):
        control.fail(world, "jobs", **{"effect": "busy", **wrong})


def test_requests_are_written_down(driver: Simulator, world: control.World, submit: Submit) -> None:
    job_id = submit()
    list(driver.jobs())
    control.fail(world, "cancel", "busy", times=1)
    with pytest.raises(Busy):
        driver.cancel(job_id)
    assert [(row["kind"], row["outcome"], row["login"]) for row in control.requests(world)] == [
        ("submit", "ok", "demo"),
        ("jobs", "ok", "demo"),
        ("cancel", "busy", "demo"),
    ]


def test_a_password_that_was_changed_counts_at_once(driver: Simulator, world: control.World) -> None:
    assert driver.check()
    control.add_person(world, "demo", "another")
    with pytest.raises(Refused, match="not accepted"):
        driver.check()


@pytest.mark.parametrize("name", ["", "No", "a/b", "../x", "x" * 41])
def test_a_world_has_a_plain_name(site: Site, name: str) -> None:
    with pytest.raises(Invalid, match="cannot be"):
        Simulator({**DEMO, "world": name}, site).check()


def test_its_owner_has_a_command_for_each_thing(site: Site, driver: Simulator) -> None:
    def run(*arguments: str, text: str = "") -> str:
        done = CliRunner().invoke(main, ["--state-dir", str(site.state_dir), "india", *arguments], input=text)
        assert done.exit_code == 0, done.output
        return done.output

    run("speed", "1000")
    run("person", "grete", text="pw\npw\n")
    assert run("submit", "load", "--count", "3", "--seconds", "5", "--login", "grete").strip() == "3 jobs wait."
    run("queue", "batch", "stopped")
    run("node", "i001", "drain", "--reason", "new disks")
    run("limits", "--jobs", "3")
    run("crowd", "0.1")
    number = run("fail", "jobs", "busy", "--times", "1").strip()
    assert f"{number}   jobs  busy    1" in run("faults")
    run("recover", number)
    run("outage", "on")
    run("outage", "off")
    assert driver.check()
    assert "check  ok" in run("requests")
    assert {job.login for job in driver.jobs()} >= {"grete"}


def test_its_command_says_what_cannot_be(site: Site) -> None:
    done = CliRunner().invoke(main, ["--state-dir", str(site.state_dir), "india", "queue", "none", "open"])
    assert done.exit_code == 1
    assert "india has no queue 'none'" in done.output
