"""Children are real processes; each test ends what it starts."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.standalone import processes
from portal.standalone.children import Child, Command, wait_until
from portal.standalone.crew import Crew
from portal.standalone.identity import unprivileged

SLEEP = ("/bin/sleep", "60")
DEAF = ("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def crew(tmp_path: Path, said: list[str]) -> Iterator[Crew]:
    crew = Crew(tmp_path, say=said.append)
    yield crew
    crew.stop(list(crew.pids()))


def test_a_child_dies_with_the_supervisor_however_that_dies(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time; from portal.standalone.children import Child, Command;"
        "print(Child(Command(name='x', argv=('/bin/sleep', '60')), pathlib.Path(sys.argv[1])).pid, flush=True);"
        "time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert wait_until(lambda: "sleep 60" in processes.command_line(pid), seconds=5)
    parent.kill()
    parent.communicate()
    assert wait_until(lambda: processes.born(pid) is None, seconds=5)


def test_a_child_that_ignores_the_asking_is_made_to_go(tmp_path: Path) -> None:
    child = Child(Command(name="deaf", argv=DEAF, patience=0.2), tmp_path / "log")
    assert wait_until(lambda: "ready" in (tmp_path / "log").read_text(), seconds=5)
    assert not child.stop()
    assert child.end == "was ended by SIGKILL"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_child_of_root_becomes_its_account_for_good(tmp_path: Path) -> None:
    account = unprivileged()
    assert account
    command = Command(
        name="who", argv=("/bin/sh", "-c", "id -u; id -G; grep NoNewPrivs /proc/self/status"), account=account
    )
    Child(command, tmp_path / "log").wait(10)
    uid, groups, *_ = (tmp_path / "log").read_text().splitlines()
    assert (uid, groups) == (str(account.uid), str(account.gid))


def test_a_killed_member_is_started_again_and_its_end_told(crew: Crew, said: list[str]) -> None:
    first = crew.start(Command(name="worker", argv=SLEEP)).pid
    os.kill(first, signal.SIGKILL)

    def is_back() -> bool:
        crew.tend()
        return crew.pids().get("worker", (first, ""))[0] != first

    assert wait_until(is_back, seconds=5)
    assert said[0].startswith("worker was ended by SIGKILL; starting it again in 0.5 s")


def test_a_member_that_dies_again_and_again_is_hopeless_and_tried_ever_less(crew: Crew, said: list[str]) -> None:
    crew.start(Command(name="web", argv=("/bin/false",)))

    def is_hopeless() -> bool:
        crew.tend()
        return crew.has_failed("web")

    assert wait_until(is_hopeless, seconds=10)
    assert [text.split(" in ")[1].split(" s ")[0] for text in said] == ["0.5", "1", "2"]


def test_stopping_a_crew_leaves_nothing(crew: Crew) -> None:
    pids = [crew.start(Command(name=name, argv=SLEEP)).pid for name in ("a", "b")]
    crew.stop(("a", "b"))
    assert [processes.born(pid) for pid in pids] == [None, None]
    assert crew.pids() == {}
