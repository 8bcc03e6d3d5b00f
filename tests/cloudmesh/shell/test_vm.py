"""The verbs of `cm vm`, and the whole portal behind them."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.standalone.children import wait_until
from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import terminal

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


@pytest.fixture
def two(run: Run) -> Iterator[list[str]]:
    """Two servers; the second is the last that was booted."""
    names = ["pair1", "pair2"]
    assert run("vm", "boot", "--name", "pair[1-2]", "--cloud", "sierra").returncode == 0
    yield names
    assert run("vm", "delete", "pair*", "--yes").returncode in (0, 3)


def test_without_a_name_the_last_server_is_meant_and_said(run: Run, two: list[str]) -> None:
    for words in (["status"], ["show"], ["ip", "show"], ["stop"], ["start", "pair2"], ["log", "--lines", "3"]):
        ended = run("vm", *words)
        assert ended.returncode == 0, (words, ended.stderr)
        assert ("the last server: pair2\n" in ended.stderr) == (words[-1] != "pair2"), words
        assert "pair1" not in ended.stdout


def test_deleting_the_last_server_is_asked_and_what_nobody_can_answer_is_not_done(run: Run, two: list[str]) -> None:
    refused = run("vm", "delete")
    assert refused.returncode == 2
    assert "| pair2 " in refused.stderr
    assert "Delete this server?" in refused.stderr
    assert run("vm", "status", "pair2").returncode == 0
    assert run("vm", "terminate", "pair2", "-y").returncode == 0
    assert run("vm", "status", "pair2").returncode == 3


def test_the_state_is_told_with_its_reason_and_age_whatever_it_is(data: Data, run: Run, two: list[str]) -> None:
    assert run("vm", "stop", "pair1").returncode == 0
    ended = run("vm", "status", "pair[1-2]", "--format", "csv")
    assert ended.returncode == 0
    assert [line.split(",")[:2] for line in ended.stdout.splitlines()] == [
        ["name", "state"],
        ["pair1", "stopped"],
        ["pair2", "active"],
    ]


def test_waiting_ends_when_all_are_so_and_each_change_is_told(run: Run, portal: Path, two: list[str]) -> None:
    with terminal("vm", "wait", "pair*", "--state", "stopped", columns=120, CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("pair1  active")
        screen.until("pair2  active")
        assert run("vm", "stop", "pair1").returncode == 0
        screen.until("pair1  stopped")
        assert screen.process.poll() is None
        assert run("vm", "stop", "pair2").returncode == 0
        assert screen.end() == 0
    assert screen.seen.count("stopped | sierra") == 2


def test_a_wait_that_is_over_or_hopeless_fails_with_the_reason(run: Run, portal: Path, two: list[str]) -> None:
    late = run("vm", "wait", "pair*", "--state", "stopped", "--timeout", "1")
    assert late.returncode == 1
    assert "Not stopped after 1 seconds: pair" in late.stderr
    wrong = run("vm", "wait", "pair1", "--state", "actve")
    assert (wrong.returncode, "Did you mean active" in wrong.stderr) == (2, True)
    with terminal("vm", "wait", "pair1", "--state", "stopped", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("pair1  active")
        assert run("vm", "delete", "pair1", "-y").returncode == 0
        assert screen.end() == 3
    assert "pair1 was deleted." in screen.seen
    with terminal("vm", "wait", "pair2", "--state", "stopped", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("pair2  active")
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130


def test_waiting_for_the_end_of_a_server_ends_with_it(run: Run, portal: Path, two: list[str]) -> None:
    with terminal("vm", "wait", "pair1", "--state", "deleted", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("pair1  active")
        assert run("vm", "delete", "pair1", "-y").returncode == 0
        assert screen.end() == 0


def test_public_addresses_are_given_shown_and_taken_back(data: Data, two: list[str]) -> None:
    for server in data("vm", "ip", "assign", *two):
        assert server["public_addresses"], server
        assert not set(server["public_addresses"]) & set(server["private_addresses"])
    [shown] = data("vm", "ip", "show", "pair1", "--columns", "name,private,public,cloud")
    assert (shown["name"], shown["cloud"], len(shown["public"])) == ("pair1", "sierra", 1)
    assert shown["private"]
    assert [server["public_addresses"] for server in data("vm", "ip", "release", *two)] == [[], []]


def test_start_without_a_name_boots_and_with_names_powers_on(run: Run, data: Data, two: list[str]) -> None:
    [planned] = [run("vm", "start", "--count", "2", "--dryrun", "--format", "json")]
    assert '"outcome": "boots"' in planned.stdout
    [started] = data("vm", "start", "--name", "third", "--cloud", "sierra")
    assert started["state"] == "active"
    assert run("vm", "stop", "third").returncode == 0
    assert [server["state"] for server in data("vm", "start", "third", "--cloud", "sierra")] == ["active"]
    refused = run("vm", "start", "third", "--count", "2")
    assert (refused.returncode, "--count is for new servers" in refused.stderr) == (2, True)
    assert run("vm", "delete", "third", "-y").returncode == 0


@pytest.mark.parametrize(("do", "state", "undo"), [("pause", "paused", "unpause"), ("suspend", "suspended", "resume")])
def test_what_is_put_to_rest_is_brought_back(data: Data, two: list[str], do: str, state: str, undo: str) -> None:
    assert {server["state"] for server in data("vm", do, *two)} == {state}
    assert {server["state"] for server in data("vm", undo, *two)} == {"active"}


def test_the_console_is_read_and_where_there_is_none_that_is_said(run: Run, two: list[str]) -> None:
    log = run("vm", "log", "pair1", "--lines", "4")
    assert (log.returncode, len(log.stdout.splitlines())) == (0, 4)
    assert log.stderr == ""
    assert wait_until(lambda: "pair1 login:" in run("vm", "log", "pair1").stdout, seconds=60)
    too_many = run("vm", "log", "pair1", "--lines", "0")
    assert (too_many.returncode, "between 1 and 10000" in too_many.stderr) == (2, True)
    screen = run("vm", "console", "pair1")
    assert (screen.returncode, screen.stdout) == (5, "")
    assert "has no screen" in screen.stderr


def test_a_rename_takes_one_name_or_the_last_server(run: Run, two: list[str]) -> None:
    assert run("vm", "rename", "pair1", "pair9").returncode == 0
    many = run("vm", "rename", "pair9", "pair2", "x")
    assert (many.returncode, "One server gets one name" in many.stderr) == (2, True)
    assert run("vm", "rename", "pair9", "pair1").returncode == 0


def test_the_originals_words_work_and_help_keeps_them_to_itself(run: Run) -> None:
    assert "terminate" not in run("vm", "--help").stdout
    assert "Delete servers" in run("vm", "terminate", "--help").stdout
