"""`cm hpc` and `cloudmesh.hpc`, against a portal with a simulated scheduler, shown as india and delta."""

import asyncio
import concurrent.futures
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import cloudmesh
from cloudmesh import errors
from cloudmesh.client import flat
from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.screen import screen
from tests.cloudmesh.shell.terminal import terminal

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]
QUICK = ("--cluster", "india", "--queue", "debug")  # nobody else's jobs are there


def test_a_run_is_an_experiment_that_is_read_and_removed(run: Run, data: Data, tmp_path: Path) -> None:
    table = tmp_path / "in.csv"
    table.write_text("1,2\n")
    ended = run(
        "hpc", "run", *QUICK, "--file", f"{table}:data/in.csv", "-t", "10m", "echo hello from $CLUSTER; echo oh >&2"
    )
    assert (ended.returncode, ended.stdout.startswith("hello from")) == (0, True), ended.stderr
    newest = data("hpc", "experiment", "list")[0]
    number = str(newest["number"])
    assert (newest["state"], newest["exit_code"], newest["cluster"]) == ("completed", 0, "india")
    assert run("hpc", "experiment", "output", number, "--error").stdout == "oh\n"
    assert run("hpc", "output", newest["job"], "--script").stdout.startswith("#!/bin/")
    listed = {row["path"] for row in data("hpc", "get", newest["job"], "--list")}
    assert "data/in.csv" in listed
    got = run("hpc", "get", newest["job"], "data", "--to", str(tmp_path / "got"))
    assert (got.returncode, (tmp_path / "got/data/in.csv").read_text()) == (0, "1,2\n")
    again = run("hpc", "get", newest["job"], "data/in.csv", "--to", str(tmp_path / "got"))
    assert (again.returncode, "is here already" in again.stderr) == (5, True)
    asked = run("hpc", "experiment", "rm", number)
    assert (asked.returncode, "hello from" in asked.stderr, "add --yes" in asked.stderr) == (2, True, True)
    assert run("hpc", "experiment", "rm", number, "--yes").returncode == 0
    assert number not in {str(row["number"]) for row in data("hpc", "experiment", "list")}
    missing = run("hpc", "experiment", "rm", number, "--yes")
    assert (missing.returncode, f"You have no experiment {number}" in missing.stderr) == (3, True)


def test_a_run_fails_as_its_job_does(run: Run) -> None:
    failed = run("hpc", "run", *QUICK, "echo before; exit 3")
    assert (failed.returncode, failed.stdout, "failed with exit code 3" in failed.stderr) == (1, "before\n", True)


def test_jobs_are_submitted_held_released_and_cancelled(run: Run, data: Data) -> None:
    name = f"held-{os.getpid()}"
    [job] = _submit(run, name)
    assert (job["name"], job["walltime"], job["limit"]) == (name, 300, "0:05:00")
    assert data("hpc", "release", name)[0]["id"] == job["id"]
    preview = run("hpc", "cancel", name)
    assert (preview.returncode, name in preview.stderr) == (2, True)
    assert run("hpc", "cancel", job["provider_id"], "--yes").returncode == 0
    ended = run("hpc", "output", job["id"], "--follow")
    assert (ended.returncode, f"{name} cancelled" in ended.stderr) == (1, True), ended.stderr
    [told] = data("hpc", "status", name)
    assert (told["state"], told["st"], told["user"]) == ("cancelled", "CA", told["owner"])
    gone = run("hpc", "cancel", name, "--yes")
    assert (gone.returncode, f"No job is named {name}" in gone.stderr) == (3, True)


def _submit(run: Run, name: str) -> list[Any]:
    made = run(
        "hpc", "submit", "-", *QUICK, "--name", name, "--hold", "-t", "5m", "--format", "json", stdin="sleep 60\n"
    )
    assert made.returncode == 0, made.stderr
    found: list[Any] = json.loads(made.stdout)
    return found


def test_jobs_are_watched_as_they_change(portal: Path, run: Run) -> None:
    name = f"seen-{os.getpid()}"
    wanted = ("--me", "--watch", "--state", "live", "--format", "csv", "--columns", "name,state")
    with terminal("hpc", "jobs", name, *wanted, CLOUDMESH_STATE_DIR=str(portal)) as watching:
        [job] = _submit(run, name)
        watching.until(f"{name},held\n")
        assert run("hpc", "cancel", "*", "--queue", "debug", "--yes").returncode == 0
        watching.until(f"{name},cancelled\n")  # it is among them no more
        watching.type("\x03")
        assert watching.end() == 130
    assert run("hpc", "status", job["id"], "--format", "csv", "--columns", "state").stdout == "state\ncancelled\n"


def test_lists_are_of_the_cluster_that_is_meant(run: Run, data: Data) -> None:
    assert {"india", "delta"} <= {row["name"] for row in data("hpc", "cluster", "list")}
    assert {row["name"] for row in data("hpc", "queues", "--cluster", "delta")} == {"delta", "delta-long"}
    assert {row["cluster"] for row in data("hpc", "queue", "--cluster", "delta")} <= {"delta"}
    nodes = data("hpc", "nodes", "i[001-003]", "--cluster", "india")
    assert [row["name"] for row in nodes] == ["i001", "i002", "i003"]
    shown = data("hpc", "info", "--cluster", "india")
    assert sum(row["nodes"] for row in shown if row["partition"] == "batch*") == 30
    wrong = run("hpc", "jobs", "--cluster", "inda")
    assert (wrong.returncode, "india" in wrong.stderr) == (3, True), wrong.stderr


def test_a_dry_run_tells_the_plan_and_when_it_would_start(run: Run) -> None:
    told = run("hpc", "submit", "-", *QUICK, "-N", "2", "--dryrun", "--format", "json", stdin="true")
    plan = json.loads(told.stdout)
    assert (plan["outcome"], plan["resources"]["nodes"], bool(plan["forecast"]["text"])) == ("submits", 2, True)
    refused = run("hpc", "submit", "-", *QUICK, "-t", "2d", "--dryrun", stdin="true")
    assert (refused.returncode, "The queue debug allows 60 minutes" in refused.stderr) == (2, True)


def test_a_template_is_saved_filled_and_deleted(run: Run, data: Data, tmp_path: Path) -> None:
    script, name = tmp_path / "greet.sh", f"greet-{os.getpid()}"
    script.write_text("#!/bin/bash\necho done\n")
    saved = data("hpc", "template", "save", name, str(script), "-q", "debug", "-t", "5m", "--parameter", "who=world",
                 "--parameter", "count:integer")  # fmt: skip
    assert saved["wanted"] == {"queue": "debug", "walltime": 300}
    assert run("hpc", "template", "show", name, "--script").stdout == script.read_text()
    missing = run("hpc", "submit", "--template", name, "--cluster", "india")
    assert (missing.returncode, "count is missing" in missing.stderr) == (2, True), missing.stderr
    [job] = data("hpc", "submit", "--template", name, "--set", "count=3", "--cluster", "india")
    assert (job["name"], job["queue"], job["walltime"]) == (name, "debug", 300)
    assert run("hpc", "template", "delete", name, "--yes").returncode == 0
    assert run("hpc", "template", "show", name).returncode == 3


def test_a_scheduler_is_registered_used_and_forgotten(run: Run, data: Data) -> None:
    name = f"own-{os.getpid()}"
    registered = run(
        "hpc", "cluster", "register", name, "--driver", "simulator", "--field", f"world={name}", "--field",
        "username=demo", "--secret-file", "-", "--show", name, "--show", f"{name}-debug=debug", stdin="password=demo\n",
    )  # fmt: skip
    try:
        assert registered.returncode == 0, registered.stderr
        assert {row["name"] for row in data("hpc", "cluster", "list")} >= {name, f"{name}-debug"}
        without = run("hpc", "run", "--cluster", name, "true")
        assert (without.returncode, f"cm hpc login set {name} NAME" in without.stderr) == (4, True), without.stderr
        told = run("hpc", "login", "set", name, "demo", "--secret-file", "-", stdin="password=demo\n")
        assert (told.returncode, "active" in told.stdout) == (0, True), told.stderr
        assert run("hpc", "run", "--cluster", f"{name}-debug", "echo mine").stdout == "mine\n"
        [mine] = [row for row in data("hpc", "login", "list") if row["scheduler"] == name]
        assert (mine["name"], mine["state"], mine["identity"]) == ("demo", "active", "own")
        assert run("hpc", "login", "remove", name, "--yes").returncode == 0
        assert run("hpc", "cluster", "off", f"{name}*").returncode == 0
        assert not data("hpc", "cluster", "info", name)["is_enabled"]
        assert run("hpc", "cluster", "on", name).returncode == 0
        assert run("hpc", "cluster", "refresh", name).returncode == 0
        asked = run("hpc", "cluster", "remove", name)
        assert (asked.returncode, f"{name}-debug" in asked.stderr) == (2, True)
    finally:
        removed = run("hpc", "cluster", "remove", name, "--yes")
    assert (removed.returncode, run("hpc", "cluster", "info", name).returncode) == (0, 3), removed.stderr


def test_the_shell_completes_clusters_queues_nodes_and_jobs(portal: Path, tmp_path: Path, run: Run) -> None:
    [job] = _submit(run, f"tab-{os.getpid()}")
    with screen(CLOUDMESH_STATE_DIR=str(portal), XDG_STATE_HOME=str(tmp_path)) as shell:
        for typed, offered in (
            ("hpc jobs --cluster ", ("delta", "india")),
            ("hpc queues d", ("debug", "delta-long")),
            ("hpc nodes t00", ("t001", "t002")),
            ("hpc cancel ", (job["provider_id"], job["name"])),
        ):
            shell.prompts()
            shell.type(f"{typed}\t")
            shell.offers(*offered)
            shell.type("\x03")
    assert run("hpc", "cancel", job["provider_id"], "--yes").returncode == 0


@pytest.fixture
def india(portal: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The cluster of a program that is started beside the portal."""
    monkeypatch.setenv("CLOUDMESH_STATE_DIR", str(portal))
    flat.shared.cache_clear()
    yield cloudmesh.hpc("india")
    flat.shared().client.close()
    flat.shared.cache_clear()


def test_a_job_lives_in_plain_words(india: Any) -> None:
    job = india.submit("#!/bin/sh\necho one two > out.txt\ncat out.txt\n", queue="debug", walltime="5m", memory="1G")
    assert (job["cluster"], job["walltime"]) == ("india", 300)
    ended = india.wait(job, timeout=120)
    assert (ended["state"], ended["exit_code"]) == ("completed", 0)
    assert india.output(job["provider_id"]) == india.output(ended)
    assert any(file["path"].endswith(".out") for file in india.files(ended))
    assert india.run("echo again", queue="debug", timeout=120) == "again\n"
    held = india.submit(command="sleep 60", queue="debug", is_held=True)
    assert held["id"] in {each["id"] for each in india.jobs(state="live", owner="me")}
    india.cancel(held)
    assert india.wait(held, timeout=120)["state"] == "cancelled"
    with pytest.raises(errors.Invalid, match="has no queue"):
        india.submit("true", queue="nothing")


def test_pbs_tells_what_the_lists_tell(india: Any) -> None:
    pbs = cloudmesh.PBS("", "india")
    assert pbs.qinfo().keys() == {"batch", "long", "debug"}
    assert len(pbs.pbsnodes()) == 32
    jobs = pbs.qstat()
    assert all(job["Job_Id"] == id and job["cm_host"] == "india" for id, job in jobs.items())
    assert cloudmesh.PBS("nobody-at-all", "india").qstat() == {}


def test_several_clusters_at_once(india: Any) -> None:
    async def look() -> list[str]:
        async with cloudmesh.AsyncClient() as client:
            clusters = await asyncio.gather(client.cluster("india"), client.cluster("delta"))
            return [cluster["name"] for cluster in clusters]

    with concurrent.futures.ThreadPoolExecutor(1) as own:  # a browser's tests leave an event loop behind
        assert own.submit(asyncio.run, look()).result() == ["india", "delta"]
