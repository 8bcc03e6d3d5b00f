"""The command of a simulated cloud's owner."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cloudmesh.errors import Busy, Full, Unreachable
from cloudmesh.types import ServerSpec, ServerState
from clouds.drivers import Site
from clouds.drivers.simulator import Simulator, control
from clouds.drivers.simulator.__main__ import main

Run = Callable[..., Result]


@pytest.fixture
def run(site: Site, world: control.World) -> Run:
    def run(*words: str, code: int = 0, **how: str) -> Result:
        result = CliRunner().invoke(main, ["--state-dir", str(site.state_dir), "india", *words], **how)
        assert result.exit_code == code, result.output
        return result

    return run


def test_boot_list_and_delete(run: Run, driver: Simulator) -> None:
    run("boot", "surprise")
    run("boot", "load_", "--count", "3", "--flavor", "m1.large")
    run("delete", "load_1", "load_3")
    assert {server.name for server in driver.servers()} == {"surprise", "load_2"}
    assert "load_2" in run("list").output
    assert "load_3" not in run("list").output
    assert "DELETED" in run("list", "--all").output


def test_actions(run: Run, driver: Simulator) -> None:
    server_id = run("boot", "web").output.strip()
    run("stop", "web")
    assert driver.server(server_id).state is ServerState.STOPPED
    run("rename", "web", "old")
    run("start", server_id)
    run("break", "old", "--text", "Fire.")
    assert (driver.server(server_id).name, driver.server(server_id).fault) == ("old", "Fire.")


def test_a_refusal_is_a_sentence(run: Run) -> None:
    assert run("stop", "nothing", code=1).output == "Error: india has 0 servers 'nothing'; name one by its id.\n"
    assert "it has futuregrid/ubuntu-14.04" in run("boot", "a", "--image", "none", code=1).output


def test_latency(run: Run, world: control.World) -> None:
    assert ["build", "0.5", "1.5"] in [line.split() for line in run("latency", "0.5", "1.5").output.splitlines()]
    run("latency", "3", "--kind", "build")
    assert (control.latencies(world)["build"], control.latencies(world)["stop"]) == ((3, 3), (0.5, 1.5))


def test_quota(run: Run, driver: Simulator, spec: ServerSpec) -> None:
    run("quota", "instances=0", "cores=unlimited")
    with pytest.raises(Full, match="instances"):
        driver.create_server(spec, token="t")
    assert "unlimited" in run("quota").output
    assert "is not like" in run("quota", "instances=some", code=2).output
    assert "no quota of seats" in run("quota", "seats=4", code=1).output


def test_account(run: Run, site: Site) -> None:
    assert "s3cret" not in run("account", "eve", "--project", "class", input="s3cret\ns3cret\n").output
    assert "project class" in Simulator({"world": "india", "username": "eve", "password": "s3cret"}, site).check()


def test_faults_come_and_go(run: Run, driver: Simulator) -> None:
    number = run("fail", "check", "429", "--text", "Slow down.").output.strip()
    with pytest.raises(Busy, match=r"Slow down\."):
        driver.check()
    assert number in run("faults").output
    run("recover", number)
    assert driver.check()
    assert "lost-answer" in run("fail", "check", "fire", code=2).output


def test_outage(run: Run, driver: Simulator) -> None:
    run("outage", "on")
    with pytest.raises(Unreachable):
        driver.check()
    run("outage", "off")
    assert driver.check()


def test_requests(run: Run, driver: Simulator, spec: ServerSpec) -> None:
    driver.create_server(spec, token="wish-1")
    lines = run("requests", "create*").output.splitlines()
    assert len(lines) == 2
    assert "wish-1" in lines[1]
    assert len(run("requests", "--last", "1").output.splitlines()) == 2


def test_a_new_world_says_that_it_is_new(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--state-dir", str(tmp_path), "indai", "list"])
    assert "The world indai is new" in result.output
    assert CliRunner().invoke(main, ["--state-dir", str(tmp_path), "indai", "list"]).output.count("new") == 0


def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs/howto/clouds/simulator.md").read_text()
    lines = re.findall(r"^\$ python -m clouds\.drivers\.simulator (.*)$", page, flags=re.MULTILINE)
    results = {
        line: CliRunner().invoke(main, ["--state-dir", str(tmp_path), *shlex.split(line)], input="secret\nsecret\n")
        for line in ["india latency 0", *lines]
    }
    assert len(results) > 15
    assert [line for line, result in results.items() if result.exit_code] == []
