"""A simulated scheduler of its own for each test, without other people."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudmesh.types import Job, JobSpec, JobState
from hpc.drivers import Site
from hpc.drivers.simulator import Simulator, control

DEMO = {"world": "india", "username": "demo", "password": "demo"}
Submit = Callable[..., str]
Becomes = Callable[..., Job]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(state_dir=tmp_path, guard=lambda address: None, timeout=5.0)


@pytest.fixture
def world(site: Site) -> control.World:
    """India, quick and empty."""
    india = control.World(site.state_dir, "india")
    control.set_crowd(india, 0)
    control.set_speed(india, 100)
    return india


@pytest.fixture
def driver(site: Site, world: control.World) -> Simulator:
    return Simulator(DEMO, site)


@pytest.fixture
def submit(driver: Simulator) -> Submit:
    numbers = itertools.count()

    def submit(script: str = "echo done", **changes: Any) -> str:
        spec = {"name": f"job-{next(numbers)}", "walltime": 600, **changes}
        return driver.submit(JobSpec(script=script, **spec), token=f"wish-{next(numbers)}")

    return submit


@pytest.fixture
def becomes(driver: Simulator) -> Becomes:
    """A job once it is in a state."""

    def becomes(job_id: str, state: JobState = JobState.COMPLETED) -> Job:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            job = next((job for job in driver.jobs() if job.id == job_id), None)  # a task comes when it starts
            if job and job.state is state:
                return job
            time.sleep(0.01)
        raise AssertionError(f"{job_id} is {job and (job.state, job.reason)}")

    return becomes
