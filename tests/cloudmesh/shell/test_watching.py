"""What goes on by itself: rows and events as they come, on a terminal, in a pipe, and past a portal that restarts."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import CM, environment, terminal

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


@contextlib.contextmanager
def piped(portal: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """`cm` with its output in a pipe that we read."""
    process = subprocess.Popen(
        [CM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(CLOUDMESH_STATE_DIR=str(portal)),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def lines_until(process: "subprocess.Popen[str]", text: str) -> list[str]:
    assert process.stdout
    seen = []
    for line in process.stdout:
        seen.append(line.rstrip("\n"))
        if text in line:
            return seen
    raise AssertionError(seen)


@pytest.fixture
def seen1(run: Run) -> Iterator[str]:
    assert run("vm", "boot", "--name", "seen1", "--cloud", "alamo").returncode == 0
    yield "seen1"
    run("vm", "delete", "seen*", "-y")


def test_in_a_pipe_each_change_is_a_line_and_an_interrupt_is_130(run: Run, portal: Path, seen1: str) -> None:
    with piped(portal, "vm", "watch", "seen*", "--columns", "name,state") as process:
        assert lines_until(process, "seen1") == ["seen1  active"]
        assert run("vm", "stop", "seen1").returncode == 0
        assert lines_until(process, "stopped")[-1] == "seen1  stopped"
        assert run("vm", "boot", "--name", "seen2", "--cloud", "alamo").returncode == 0
        assert {line.split()[0] for line in lines_until(process, "active")} == {"seen2"}
        assert run("vm", "delete", "seen2", "-y").returncode == 0
        assert lines_until(process, "deleted")[-1] == "seen2  deleted"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_server_that_leaves_the_list_is_told_as_it_is_then(run: Run, portal: Path, seen1: str) -> None:
    wanted = ("vm", "list", "seen*", "--watch", "--state", "active", "--columns", "name,state", "--format")
    with piped(portal, *wanted, "json") as objects, piped(portal, *wanted, "csv") as rows:
        lines_until(objects, "active")
        assert lines_until(rows, "active") == ["name,state", "seen1,active"]
        assert run("vm", "stop", "seen1").returncode == 0
        told = json.loads(lines_until(objects, "seen1")[-1])
        assert told["name"] == "seen1"
        assert told["state"] != "active"
        assert next(csv.reader(lines_until(rows, "seen1")))[0] == "seen1"


def test_on_a_terminal_the_table_is_drawn_again(run: Run, portal: Path, seen1: str) -> None:
    watch = terminal("vm", "list", "seen*", "--watch", columns=70, CLOUDMESH_STATE_DIR=str(portal), NO_COLOR="1")
    with watch as screen:
        screen.until("| seen1 | active")
        assert "\x1b" not in screen.seen
        assert run("vm", "stop", "seen1").returncode == 0
        screen.until("| seen1 | stopped")
        assert "\x1b[5F\x1b[J+---" in screen.seen
        assert all(len(line.rpartition("\x1b[J")[2]) <= 70 for line in screen.seen.splitlines())
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130


def test_events_go_on_after_the_newest(run: Run, portal: Path) -> None:
    with piped(portal, "event", "list", "--follow", "--limit", "1", "--format", "json") as process:
        first = json.loads(lines_until(process, "seq")[0])
        assert run("select", "cloud", "india").returncode == 0
        assert run("select", "cloud", "").returncode == 0
        seqs = [json.loads(line)["seq"] for line in lines_until(process, "default cloud set")]
        assert seqs == sorted(seqs)
        assert seqs[0] > first["seq"]


@pytest.mark.parametrize(
    "words", ["watch --since 0", "vm watch", "event list --follow", "vm list --watch --format csv"]
)
def test_a_reader_that_has_seen_enough_ends_it_quietly(run: Run, portal: Path, seen1: str, words: str) -> None:
    began = time.monotonic()
    ended = subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$0" -q {words} | head -1', str(CM)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(CLOUDMESH_STATE_DIR=str(portal)),
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 1
    assert time.monotonic() - began < 30


@pytest.mark.fault
def test_a_portal_that_restarts_is_waited_for_and_nothing_is_missed(
    run: Run, data: Data, portal: Path, seen1: str
) -> None:
    [last] = data("event", "list", "--limit", "1")
    since = ("watch", "--since", str(last["seq"]))
    web, _ = json.loads((portal / "supervisor.json").read_text())["children"]["web"]
    with piped(portal, *since) as events, piped(portal, "vm", "watch", "seen1", "--columns", "state") as rows:
        assert run("select", "cloud", "india").returncode == 0
        lines_until(events, "default cloud set")
        lines_until(rows, "active")
        os.kill(web, signal.SIGKILL)
        stopped = run("vm", "stop", "seen1")
        assert stopped.returncode == 0, stopped.stderr
        lines_until(events, "server seen1 stopped")
        lines_until(rows, "stopped")
    assert run("select", "cloud", "").returncode == 0
