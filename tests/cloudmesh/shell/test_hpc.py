"""`cm hpc` against a portal that says what it is told to: what is asked, shown, and with what it ends."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudmesh.shell.hpc.get import _place
from tests.cloudmesh.hpc import Portal, job
from tests.cloudmesh.shell.terminal import cm, terminal
from tests.cloudmesh.shell.test_main import HEAVY, imported
from tests.cloudmesh.speaker import Server

ENDED = {"state": "completed", "ended": "2026-01-02T04:00:00Z"}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def portal(server: Server) -> Portal:
    made = Portal(job("a", number=101), job("b", "wait", 102, state="queued", reason="No node is free.", hosts=[]))
    server.answer = made
    return made


@pytest.fixture
def run(server: Server, portal: Portal) -> Run:
    def call(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return cm("hpc", *arguments, CLOUDMESH_URL=server.url, **more)

    return call


def lines(answer: subprocess.CompletedProcess[str]) -> list[list[str]]:
    assert answer.returncode == 0, answer.stderr
    return [line.split("\t") for line in answer.stdout.splitlines()]


def test_the_queue_is_as_squeue_shows_it(run: Run) -> None:
    head, runs, waits = lines(run("queue", "--format", "plain"))
    assert head == ["cluster", "jobid", "partition", "name", "user", "st", "time", "nodes", "nodelist", "updated"]
    assert runs[:9] == ["india", "101", "batch", "sim", "ada", "R", "0:01:01", "2", "i[001-002]"]
    assert waits[5:9] == ["PD", "0:01:01", "2", "(No node is free.)"]


def test_info_is_as_sinfo_shows_it(run: Run) -> None:
    head, busy, free, none = lines(run("info", "--format", "plain"))
    assert head[:7] == ["cluster", "partition", "avail", "timelimit", "nodes", "state", "nodelist"]
    assert busy[:7] == ["india", "batch*", "open", "1-00:00:00", "2", "busy", "i[001-002]"]
    assert free[4:7] == ["1", "free", "i003"]
    assert none[:7] == ["india", "old", "closed", "infinite", "0", "", ""]


def test_queues_and_nodes_are_lists_of_their_own(run: Run) -> None:
    [batch, _] = json.loads(run("queues", "--format", "json").stdout)
    assert (batch["walltime"], batch["total"]) == ("1:00:00", 3)
    assert [row[0] for row in lines(run("nodes", "--format", "plain", "--no-header"))] == ["i001", "i002", "i003"]


def test_jobs_are_listed_by_ids_and_names(run: Run, server: Server) -> None:
    rows = lines(run("jobs", "102", "sim", "--me", "--format", "plain", "--no-header", "--columns", "id,state"))
    assert sorted(rows) == [["101", "running"], ["102", "queued"]]
    assert all("owner=me" in asked.target for asked in server.asked)
    assert run("jobs", "").returncode == 2


def test_what_a_job_asks_for_is_said_as_people_write_it(run: Run, portal: Portal, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("1,2\n")
    ended = run("run", "--no-wait", "-N", "2", "-t", "1:30:00", "--memory", "4G", "--file", f"{data}:in/a.csv", "echo",
                "two words")  # fmt: skip
    assert (ended.returncode, "cm hpc output a --follow" in ended.stderr) == (0, True), ended.stderr
    [(_, body)] = portal.bodies
    assert body == {
        "command": "echo 'two words'", "nodes": 2, "walltime": 5400, "memory": 4096,
        "files": [{"path": "in/a.csv", "content": "MSwyCg=="}],
    }  # fmt: skip


def test_a_script_that_is_here_is_run_by_its_text(run: Run, portal: Portal, tmp_path: Path) -> None:
    script = tmp_path / "work.sh"
    script.write_text("#!/bin/sh\nhostname\n")
    assert run("run", "--no-wait", str(script)).returncode == 0
    assert run("submit", "-", "--no-wait", stdin="echo hello\n").returncode == 0
    assert run("submit", str(script), "--no-experiment", "--hold").returncode == 0
    assert [body for _, body in portal.bodies] == [
        {"script": "#!/bin/sh\nhostname\n", "command": str(script)},
        {"script": "echo hello\n", "experiment": True},
        {"script": "#!/bin/sh\nhostname\n", "experiment": False, "is_held": True},
    ]


def test_a_run_prints_what_its_job_writes_and_fails_as_it_fails(run: Run, portal: Portal) -> None:
    portal.jobs["a"] |= ENDED
    portal.written = b"hello from i001\n"
    ended = run("run", "hostname")
    assert (ended.returncode, ended.stdout) == (0, "hello from i001\n"), ended.stderr
    assert "Job 101 at india, experiment 3." in ended.stderr
    portal.jobs["a"] |= {"state": "failed", "exit_code": 3, "reason": "NonZeroExitCode"}
    failed = run("output", "a", "--follow")
    assert (failed.returncode, failed.stdout) == (1, "hello from i001\n")
    assert "sim failed with exit code 3 after 61 s: NonZeroExitCode" in failed.stderr


def test_ctrl_c_leaves_the_job_running_and_says_how_to_follow(server: Server, portal: Portal) -> None:
    portal.written = b"begun\n"
    with terminal("hpc", "run", "hostname", CLOUDMESH_URL=server.url) as screen:
        screen.until("begun")
        screen.type("\x03")
        assert screen.end() == 130
        assert "goes on without you. Follow it with: cm hpc output 101 --follow" in screen.seen
    assert all("bulk" not in path for path, _ in portal.bodies)


def test_jobs_are_cancelled_after_a_question_and_held_without(run: Run, portal: Portal, server: Server) -> None:
    asked = run("cancel", "[101-102]")
    assert (asked.returncode, "sim" in asked.stderr, "these 2 jobs? Nobody can answer here" in asked.stderr) == (
        2, True, True,
    )  # fmt: skip
    assert portal.bodies == []
    portal.jobs["b"]["project"] = "other"
    assert run("cancel", "[101-102]", "--yes").returncode == 0
    assert run("hold", "wait").returncode == 0
    assert run("cancel", "s*", "--yes", "--queue", "batch").returncode == 3
    assert server.asked[-1].target.endswith("queue=batch&owner=me&state=live&name=s%2A")  # nobody else's by a glob
    assert [body for _, body in portal.bodies] == [
        {"action": "cancel", "jobs": ["a"]},
        {"action": "cancel", "jobs": ["b"]},  # each project has a wish of its own
        {"action": "hold", "jobs": ["b"]},
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["submit"], "Say what to submit"),
        (["submit", "x.sh", "--template", "y"], "Say what to submit"),
        (["submit", "/nonexistent"], "cannot be read as a script"),
        (["submit", "--template", "x", "--set", "y"], "Write NAME=VALUE"),
        (["run", "--file", "/nonexistent", "ls"], "cannot be read"),
        (["run", "-t", "90", "ls"], "'90' is no time"),
        (["run", "--memory", "much", "ls"], "no amount of memory"),
        (["experiment", "rm", "all"], "Say the numbers"),
        (["experiment", "rm", "*"], "Say the numbers"),
        (["template", "save", "x"], "Say what it is made of"),
        (["cancel", ""], "A name is empty"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(run: Run, portal: Portal, words: list[str], said: str) -> None:
    ended = run(*words)
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
    assert portal.bodies == []


def test_a_dry_run_shows_the_plan_and_fails_as_the_job_would(run: Run, portal: Portal) -> None:
    room = {"resource": "jobs", "where": "", "whose": "", "limit": 5, "used": 5, "wanted": 1, "left": 0, "fits": False}
    portal.result = {
        "outcome": "refused", "refusal": "The limit of 5 jobs would be passed.", "login": "ada01", "cluster": "india",
        "project": "demo", "spec": {"queue": "batch", "walltime": 60}, "resources": {"cores": 1}, "quotas": [room],
        "decision": {"effect": "allow", "reasons": [], "next": ""},
    }  # fmt: skip
    ended = run("submit", "-", "--dryrun", stdin="true")
    assert (ended.returncode, "The limit of 5 jobs" in ended.stderr) == (5, True), ended.stderr
    assert "0:01:00" in ended.stdout
    assert [path for path, _ in portal.bodies] == ["POST jobs/plan"]


def test_files_never_leave_the_folder_they_are_brought_to(tmp_path: Path) -> None:
    for path in ("../x", "/etc/passwd", "a/../../x"):
        with pytest.raises(Exception, match="leads out of"):
            _place(str(tmp_path), path, force=True)
    (tmp_path / "here").touch()
    with pytest.raises(Exception, match="is here already"):
        _place(str(tmp_path), "here", force=False)
    assert _place(str(tmp_path), "a/b", force=False) == str(tmp_path / "a/b")


def test_a_list_of_jobs_imports_nothing_heavy(server: Server, portal: Portal) -> None:
    modules = imported("hpc", "jobs", CLOUDMESH_URL=server.url)
    assert "cloudmesh.shell.hpc.look" in modules
    assert not (HEAVY | {"cloudmesh.shell.hpc.run", "shlex"}) & modules
