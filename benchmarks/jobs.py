"""Reading a Slurm of 10,000 jobs, against reading and parsing them alone.

Its commands are small programs in a folder of their own, which print what a real Slurm 22.05 answered, many times over.
The bound of a reading is the driver's alone: the command is run, its answer parsed and made into jobs, and forgotten.
"""

import dataclasses
import getpass
import json
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from benchmarks import bench
from benchmarks.bench import Row
from benchmarks.stage import HERE
from hpc import services
from hpc.models import Job, Scheduler, Sync
from hpc.sync import connect, schedule
from operations import engine
from tests import factories

COUNT, ROUNDS, GOAL = 10_000, 7, 1.5
ANSWERS = HERE / "tests/hpc/drivers/slurm/answers"
MOVING = 100  # jobs of which each reading tells something new
PAGES = ("/clusters/", "/jobs/", "/api/v1/jobs/?page_size=100", "/api/v1/clusters/", "/api/v1/queues/")


def main() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="cloudmesh-bench-", ignore_cleanup_errors=True) as folder:
        site = Path(folder)
        site.chmod(0o755)
        _write_commands(site)
        _write_jobs(site, step=0)
        scheduler, read = _scheduler(site)
        yield from _readings(site, scheduler, read)
        yield from _lists()


def _readings(site: Path, scheduler: Scheduler, read: Callable[[], None]) -> Iterator[Row]:
    def alone() -> None:
        with connect.reading(scheduler) as driver:
            assert len(list(driver.jobs())) == COUNT

    steps = iter(range(1, 1000))
    fresh, least = bench.in_turn(3, read, alone, before=_forget)
    taken = bench.compare(f"first reading of {COUNT:,} jobs, to reading and parsing alone", fresh, least, GOAL)
    yield dataclasses.replace(taken, goal="", met=None)  # once for a scheduler
    read()
    assert Job.objects.count() == COUNT, Job.objects.count()
    idle, least = bench.in_turn(ROUNDS, read, alone)
    yield bench.compare(f"reading of {COUNT:,} known jobs, none changed, to the same", idle, least, GOAL)
    some, least = bench.in_turn(ROUNDS, read, alone, before=lambda: _write_jobs(site, step=next(steps)))
    yield bench.compare(f"reading of {COUNT:,} known jobs, {MOVING} changed, to the same", some, least, GOAL)
    _write_jobs(site, step=next(steps))
    with CaptureQueriesContext(connection) as queries:
        read()
    yield bench.at_most(f"SQL statements of a reading of {COUNT:,} jobs, {MOVING} changed", len(queries), 30)


def _lists() -> Iterator[Row]:
    """What pages and answers cost the database with all these jobs stored."""
    user = factories.make_user("looker")
    factories.make_project("looking", lead=user)
    _, secret = accounts.issue_token(user=user, name="bench")
    browser = Client(headers={"host": "localhost"})
    browser.force_login(user)
    program = Client(headers={"host": "localhost", "authorization": f"Bearer {secret}"})
    for path in PAGES:
        client = program if path.startswith("/api") else browser
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200, path
        yield bench.at_most(f"SQL statements of {path}", len(queries), 15)


def _scheduler(site: Path) -> tuple[Scheduler, Callable[[], None]]:
    """A scheduler whose commands are those in `site`, and how to read its jobs."""
    user = factories.make_user("bench", is_admin=True)
    credential = {"login": getpass.getuser(), "bin": str(site), "answers": "json"}
    scheduler, verify = services.register_scheduler(
        actor=user, project=factories.make_project("bench", lead=user), name="bench", driver="slurm", way="local",
        credential=credential, shared=True,
    )  # fmt: skip
    engine.run(verify.pk)
    scheduler.refresh_from_db()
    assert scheduler.is_usable, scheduler.state_reason
    syncs = {sync.kind: sync.pk for sync in scheduler.syncs.all()}

    def read(kind: str = Sync.Kind.JOBS) -> None:
        Sync.objects.filter(pk=syncs[kind]).update(due_at=factories.LONG_AGO)
        schedule.run(syncs[kind])

    read(Sync.Kind.QUEUES)
    return scheduler, read


def _forget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE hpc_job CASCADE")


def _write_commands(site: Path) -> None:
    """`squeue` prints jobs.json, `scontrol` what a real one said; both as `sh` and `cat` alone can."""
    shown = f"case $* in *partition*) exec cat {ANSWERS}/partitions.txt;; *) exec cat {ANSWERS}/nodes.txt;; esac"
    told = {
        "squeue": f"exec cat {site}/jobs.json",
        "scontrol": shown,
        "sinfo": "echo slurm 22.05.8",
        "sacct": "exit 0",
    }
    for name, line in told.items():
        program = site / name
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        assert program.stat().st_mode & stat.S_IXOTH


def _write_jobs(site: Path, *, step: int) -> None:
    """Half of the jobs run and half wait; with each step the priority and reason of some are others."""
    document = json.loads((ANSWERS / "squeue.json").read_text())
    kinds = [_native(document, "RUNNING"), _native(document, "PENDING")]
    document["jobs"] = [_job(kinds[number % 2], number, step) for number in range(COUNT)]
    (site / "jobs.json").write_bytes(orjson.dumps(document))


def _native(document: dict[str, Any], state: str) -> dict[str, Any]:
    return next(job for job in document["jobs"] if job["job_state"] == state and not job["array_job_id"])


def _job(native: dict[str, Any], number: int, step: int) -> dict[str, Any]:
    changes = {"priority": native["priority"] + step} if number < MOVING else {}
    own = {"job_id": 1000 + number, "name": f"job-{number}", "user_name": f"user{number % 300}", "comment": ""}
    return {**native, **own, **changes}
