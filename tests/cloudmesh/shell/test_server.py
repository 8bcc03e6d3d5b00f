"""`cm server`: the clone's own portal, started, looked at and stopped from anywhere."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import services
from tests.cloudmesh.shell.terminal import CM, cm, environment

pytestmark = pytest.mark.timeout(300)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def state() -> Iterator[Path]:
    with services.folder() as home:
        yield home


@pytest.fixture
def run(state: Path) -> Iterator[Run]:
    """`cm server` from another directory, with everything in a folder of its own."""
    env = environment(
        CLOUDMESH_STATE_DIR=str(state / "var"), XDG_CONFIG_HOME=str(state), CLOUDMESH_HOME=str(CM.parent)
    ) | {"CLOUDMESH_URL": "https://elsewhere.invalid"}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([CM, *words], cwd="/", env=env, capture_output=True, text=True, timeout=200)

    yield call
    call("server", "stop")


@pytest.mark.fault
def test_a_portal_starts_in_the_background_and_stops_again(run: Run) -> None:
    before = run("server", "status")
    assert (before.returncode, "No portal runs here" in before.stdout) == (3, True)
    started = run("server", "start", "--port", "18700")
    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith("http://127.0.0.1:187")
    assert "Web, worker, beat" in started.stderr
    assert "./cm server stop" in started.stderr
    assert "india" in run("--profile", "standalone", "cloud", "list").stdout
    again = run("server", "start")
    assert (again.returncode, again.stdout) == (0, started.stdout)
    assert f"running at {started.stdout.strip()}" in run("server", "status").stdout
    stopped = run("server", "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "")
    assert "Stopped the portal" in stopped.stderr
    assert run("server", "status").returncode == 3
    down = run("--profile", "standalone", "cloud", "list")
    assert (down.returncode, "cm server start" in down.stderr) == (6, True)


def test_a_start_that_fails_says_why(run: Run) -> None:
    ended = run("server", "start", "--host", "203.0.113.7", "--port", "18790")
    assert ended.returncode == 1
    assert "cannot listen on 203.0.113.7" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert run("server", "status").returncode == 3


@pytest.mark.parametrize("verb", ["start", "stop", "status"])
def test_a_cm_without_a_clone_says_so(verb: str, tmp_path: Path) -> None:
    ended = cm("server", verb, CLOUDMESH_HOME=str(tmp_path))
    assert ended.returncode == 3
    assert "no portal of its own" in ended.stderr


def test_a_clone_that_is_not_installed_says_how(tmp_path: Path) -> None:
    (tmp_path / "manage.py").touch()
    ended = cm("server", "status", CLOUDMESH_HOME=str(tmp_path))
    assert (ended.returncode, "cm server start" in ended.stderr) == (3, True)
