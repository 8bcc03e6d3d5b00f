"""`cm` and the whole portal behind it: what a person types, what they see, what is then so at the cloud."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudmesh import Client
from portal.standalone.children import wait_until
from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import terminal

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKUYnoGsLnnCX0LGfDLvG1x5bPSQ0fAuAAyp6tUwB4+d gregor@laptop\n"


@pytest.fixture
def client(portal: Path) -> Any:
    known = json.loads((portal / "portal.json").read_text())
    with Client(known["url"], known["token"]) as made:
        yield made


def test_one_word_boots_and_another_deletes(run: Run, data: Data) -> None:
    booted = run("vm", "boot")
    assert booted.returncode == 0, booted.stderr
    [name] = [line.split()[1] for line in booted.stdout.splitlines()[3:-1]]
    [server] = data("vm", "list", name)
    assert server["state"] == "active"
    assert booted.stdout.splitlines()[3].split()[3] == server["addresses"][0]
    assert booted.stderr == ""
    assert run("vm", "delete", name, "--yes").returncode == 0
    assert data("vm", "list", name) == []
    assert run("vm", "delete", name, "--yes").returncode == 3


def test_many_are_named_by_a_hostlist_and_changed_together(run: Run, data: Data) -> None:
    assert run("vm", "boot", "--name", "web[1-3]", "--cloud", "sierra", "--count", "3").returncode == 0
    stopped = data("vm", "stop", "web[1,3]")
    assert [(server["name"], server["state"]) for server in stopped] == [("web1", "stopped"), ("web3", "stopped")]
    again = run("vm", "stop", "web1")
    assert (again.returncode, "is stopped" in again.stderr) == (5, True)
    assert {server["state"] for server in data("vm", "start", "web[1,3]", "--cloud", "sierra")} == {"active"}
    assert run("vm", "delete", "web*", "--yes").returncode == 0
    assert data("vm", "list", "web*") == []


def test_the_sandbox_has_three_clouds(run: Run, data: Data) -> None:
    lines = run("cloud", "list", "--columns", "cloud,active").stdout.splitlines()
    assert [line.split()[1:4:2] for line in lines[3:6]] == [["alamo", "True"], ["india", "True"], ["sierra", "True"]]
    assert {"ubuntu-24.04", "futuregrid/ubuntu-14.04"} <= {
        row["name"] for row in data("image", "list", "--cloud", "india")
    }
    assert {row["cloud"] for row in data("flavor", "list", "--cloud", "alamo,india")} == {"alamo", "india"}
    assert json.loads(run("cloud", "show", "india", "--format", "json").stdout)["limits"]["instances"]["limit"]
    assert run("cloud", "refresh", "india").returncode == 0


@pytest.mark.parametrize(
    ("wanted", "said", "exit_code"),
    [
        (["--count", "0"], "between 1 and", 2),
        (["--count", "-1"], "between 1 and", 2),
        (["--count", "1000000"], "between 1 and", 2),
        (["--name", "my vm"], "cannot be a server's name", 2),
        (["--name", "x" * 300], "cannot be a server's name", 2),
        (["--name", "münchen"], "cannot be a server's name", 2),
        (["--name", "a[1-"], "brackets", 2),
        (["--image", "ubunut-24.04"], "Did you mean ubuntu-24.04", 3),
        (["--flavor", "m1.smal", "--cloud", "india"], "m1.small", 3),
        (["--cloud", "indai"], "Did you mean india", 3),
        (["--project", "elsewhere"], "elsewhere", 3),
        (["--count", "1000", "--cloud", "india"], "", 5),
    ],
)
def test_a_boot_that_makes_no_sense_is_refused_with_a_sentence(
    run: Run, wanted: list[str], said: str, exit_code: int
) -> None:
    ended = run("vm", "boot", *wanted)
    assert ended.returncode == exit_code, ended.stderr
    assert ended.stderr.startswith("cm: ")
    assert said in ended.stderr
    assert ended.stdout == ""


def test_a_token_of_nobody_or_one_that_ended_opens_nothing(run: Run, client: Client) -> None:
    made = client.session.send("POST", "tokens/", {"name": "short"})
    assert run("vm", "list", CLOUDMESH_TOKEN=made["token"]).returncode == 0
    client.session.send("DELETE", f"tokens/{made['id']}/")
    for token in (made["token"], "cm_of_somebody_else"):
        ended = run("vm", "list", CLOUDMESH_TOKEN=token)
        assert ended.returncode == 4
        assert "token" in ended.stderr
        assert token not in ended.stderr


def test_a_cloud_is_registered_only_where_it_accepts_the_credential(run: Run, data: Data) -> None:
    options = ("--driver", "simulator", "--field", "world=mine", "--field", "username=demo", "--secret-file", "-")
    refused = run("cloud", "register", "mine", *options, stdin="password=wr0ng\n")
    assert refused.returncode == 4
    assert "wr0ng" not in refused.stdout + refused.stderr
    assert "mine" not in {cloud["name"] for cloud in data("cloud", "list")}
    accepted = run("cloud", "register", "mine", *options, "--format", "json", stdin="password=demo\n")
    assert json.loads(accepted.stdout)["state"] == "active"
    assert run("cloud", "remove", "mine", "-y").returncode == 0


def test_keys_and_defaults_are_kept_and_used(run: Run, data: Data) -> None:
    assert run("key", "add", "-", "--name", "laptop", stdin=KEY).returncode == 0
    assert run("key", "add", "-", "--name", "laptop", stdin=KEY).returncode == 5
    assert run("key", "add", "-", stdin="no key at all").returncode == 2
    assert run("default", "key", "laptop").returncode == 0
    assert [key["is_default"] for key in data("key", "list") if key["name"] == "laptop"] == [True]
    [default] = data("default", "set", "image", "debian-12", "--cloud", "india")
    assert (default["value"], default["source"]) == ("debian-12", "own")
    [server] = data("vm", "boot", "--cloud", "india")
    assert server["image"] == "debian-12"
    assert "laptop" in server["key"]
    assert data("default", "set", "image", "", "--cloud", "india")[0]["source"] != "own"


def test_things_are_renamed_switched_and_forgotten(run: Run, data: Data) -> None:
    assert run("vm", "boot", "--name", "before", "--cloud", "alamo").returncode == 0
    assert data("vm", "rename", "before", "after")["name"] == "after"
    assert run("vm", "delete", "after", "-y").returncode == 0
    assert run("cloud", "off", "alamo").returncode == 0
    assert "switched off" in run("vm", "boot", "--cloud", "alamo").stderr
    assert run("cloud", "on", "alamo").returncode == 0
    assert any("after" in event["summary"] for event in data("event", "list", "--limit", "50"))
    assert run("key", "delete", "nobody's").returncode == 3


def test_a_wish_can_be_found_followed_and_taken_back(run: Run, data: Data, client: Client) -> None:
    started = run("vm", "boot", "--no-wait", "--name", "later")
    assert started.returncode == 0
    [wish] = [
        wish for wish in data("operation", "list", "--kind", "server.create") if wish["target"]["name"] == "later"
    ]
    assert f"cm operation wait {wish['id']}" in started.stderr
    waited = run("operation", "wait", wish["id"])
    assert (waited.returncode, "succeeded" in waited.stdout) == (0, True)
    assert "later" in run("operation", "show", wish["id"]).stdout
    ended = run("operation", "cancel", wish["id"])
    assert ended.returncode == 5
    assert client.operation(wish["id"])["state"] == "succeeded"


def test_leaving_does_not_take_the_wish_back(run: Run, portal: Path, data: Data) -> None:
    with terminal("vm", "boot", "--name", "left", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("left  ")
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130
    identity = screen.seen.rpartition("cm operation wait ")[2].split()[0]
    assert run("operation", "wait", identity).returncode == 0
    assert [server["state"] for server in data("vm", "list", "left")] == ["active"]


@pytest.mark.fault
def test_a_web_process_that_dies_costs_no_wish_and_no_news(portal: Path, data: Data) -> None:
    web, _ = json.loads((portal / "supervisor.json").read_text())["children"]["web"]
    with terminal("vm", "boot", "--name", "tough", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("tough  ")
        os.kill(web, signal.SIGKILL)
        assert screen.end() == 0
    assert "tough  succeeded" in screen.seen
    assert len(data("vm", "list", "tough")) == 1


def test_clouds_are_read_anew(run: Run, data: Data) -> None:
    seen = {cloud["name"]: cloud["seen_at"] for cloud in data("cloud", "list")}
    assert "india" in run("refresh").stderr
    assert run("refresh", "ind*", "sierra").stderr == "Read anew: india, sierra.\n"
    assert run("refresh", "indai").returncode == 3
    assert wait_until(lambda: _seen(data, "india") > seen["india"], seconds=30)


def _seen(data: Data, cloud: str) -> str:
    return str(data("cloud", "show", cloud)["seen_at"])
