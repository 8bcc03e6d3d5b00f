"""`cm volume` and `cm limits`, against a portal."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


def test_a_volume_is_made_attached_detached_and_deleted(run: Run, data: Data) -> None:
    assert run("vm", "boot", "--name", "holder", "--cloud", "alamo").returncode == 0
    made = run("volume", "create", "disk[1-2]", "--size", "5", "--cloud", "alamo")
    assert made.returncode == 0, made.stderr
    assert made.stdout.count("available") == 2
    [attached] = data("volume", "attach", "disk1", "holder")
    assert (attached["state"], attached["server"], attached["device"]) == ("in-use", "holder", "/dev/vdb")
    assert [row["name"] for row in data("volume", "list", "--server", "holder")] == ["disk1"]
    refused = run("volume", "delete", "disk*", "--yes")
    assert (refused.returncode, "disk1 is attached to a server; detach it first" in refused.stderr) == (5, True)
    previewed = run("vm", "delete", "holder")
    told = "Volumes that are detached, and stay: disk1." in previewed.stderr
    assert (previewed.returncode, told) == (2, True)  # nobody can answer here
    assert data("volume", "detach", "disk1")[0]["state"] == "available"
    asked = run("volume", "delete", "disk[1-2]")
    assert (asked.returncode, "disk2" in asked.stderr, "add --yes" in asked.stderr) == (2, True, True)
    assert run("volume", "delete", "disk[1-2]", "-y").returncode == 0
    assert data("volume", "list", "disk*") == []
    assert run("vm", "delete", "holder", "--yes").returncode == 0


def test_a_volume_for_a_server_is_made_and_attached_in_one_word(run: Run, data: Data) -> None:
    assert run("vm", "boot", "--name", "worker", "--cloud", "sierra").returncode == 0
    made = run("volume", "create", "scratch", "--size", "1", "--server", "worker")
    assert (made.returncode, "worker" in made.stdout, "in-use" in made.stdout) == (0, True, True), made.stderr
    told = data("volume", "show", "scratch")
    assert (told["cloud"], told["native"]["attachments"][0]["device"]) == ("sierra", told["device"])
    assert run("volume", "detach", "scratch").returncode == 0
    assert run("volume", "delete", "scratch", "--yes").returncode == 0
    assert run("vm", "delete", "worker", "--yes").returncode == 0


@pytest.mark.parametrize(
    ("wanted", "said", "exit_code"),
    [
        (["create", "data"], "--size", 2),
        (["create", "data", "--size", "0"], "1 to 1,000,000 GiB", 2),
        (["create", "my disk", "--size", "1"], "cannot be a volume's name", 2),
        (["create", "data", "--size", "1", "--cloud", "mars"], "mars", 3),
        (["create", "data", "--size", "900000"], "would be passed", 5),
        (["show", "nothing"], "no volume named 'nothing'", 3),
        (["delete", "nothing", "-y"], "No volume is named nothing. All are listed by: cm volume list", 3),
        (["attach", "nothing", "nobody"], "No volume is named nothing", 3),
    ],
)
def test_what_cannot_be_is_explained(run: Run, wanted: list[str], said: str, exit_code: int) -> None:
    answer = run("volume", *wanted)
    assert (answer.returncode, said in answer.stderr) == (exit_code, True), answer.stderr


def test_limits_of_all_clouds_are_one_table_with_sums(run: Run, data: Data) -> None:
    rows = data("limits", "--resource", "instances")
    assert [row["cloud"] for row in rows] == ["alamo", "india", "sierra"]
    lines = run("limits", "--resource", "instances", "--format", "plain", "--no-header").stdout.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["alamo", "india", "sierra", "total"]
    assert lines[-1].split("\t")[3] == str(sum(row["limit"] for row in rows))
    keys = run("limits", "--resource", "keys", "--format", "plain", "--no-header").stdout.splitlines()
    assert keys[-1].split("\t")[:4] == ["keys", "total", keys[-1].split("\t")[2], ""]  # sierra has no limit of keys
    assert {row["cloud"] for row in data("limits", "--cloud", "india")} == {"india"}
    assert run("limits", "--cloud", "mars").returncode == 3
