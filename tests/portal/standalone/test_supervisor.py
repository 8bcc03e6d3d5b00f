"""The whole portal under its supervisor, with all its processes, as `make run` starts it."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.standalone import processes
from portal.standalone.children import wait_until
from portal.standalone.presence import Details
from tests import services

pytestmark = [pytest.mark.fault, pytest.mark.timeout(240)]
TOP = Path(__file__).parents[3]
NAMES = {"postgres", "valkey", "web", "worker", "beat"}
FIRST_PORT = 18100


class Portal:
    """`manage.py standalone` with its own `var`."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.said = var.parent / "said"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        ours = re.compile("CLOUDMESH_|DATABASE_URL|REDIS_URL|DJANGO_|PYTEST")
        return {name: text for name, text in os.environ.items() if not ours.match(name)} | {
            "CLOUDMESH_STATE_DIR": str(self.var),
            "CLOUDMESH_PORT": str(FIRST_PORT),
        }

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "manage.py", "standalone", *arguments]
        return subprocess.run(argv, cwd=TOP, env=self.environment, capture_output=True, text=True, check=False)

    def start(self) -> None:
        argv = [sys.executable, "manage.py", "standalone"]
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(argv, cwd=TOP, env=self.environment, stdout=output, stderr=output)
        assert wait_until(lambda: "Stop  " in self.said.read_text() or self.end() is not None, seconds=120)
        assert self.end() is None, self.said.read_text()

    def end(self) -> int | None:
        assert self.process
        return self.process.poll()

    def wait(self, seconds: float = 60) -> int:
        assert self.process
        return self.process.wait(seconds)

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def details(self) -> Details:
        return Details.parse((self.var / "supervisor.json").read_text())

    def living(self) -> dict[str, tuple[int, str]]:
        children = self.details().children
        return {name: (pid, birth) for name, (pid, birth) in children.items() if processes.born(pid) == birth}

    def get(self, path: str) -> str:
        request = urllib.request.Request(
            self.key()["url"] + path, headers={"Authorization": f"Bearer {self.key()['token']}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read().decode())

    def answers(self) -> bool:
        try:
            return bool(json.loads(self.get("/api/v1/me/"))["is_admin"])
        except urllib.error.HTTPError:
            return False

    def key(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.var / "portal.json").read_text())
        return found


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    """Below a folder that is closed to all others, and with its port taken."""
    with services.folder() as home, socket.create_server(("127.0.0.1", FIRST_PORT)):
        closed = home / "closed"
        closed.mkdir(mode=0o700)
        portal = Portal(closed / "its own var")
        portal.start()
        try:
            yield portal
        finally:
            portal.send(signal.SIGHUP)
            ended = portal.wait()
            shutil.rmtree((portal.var / "run").resolve())
            if (portal.var / "postgres").is_symlink():  # as root, whose PostgreSQL runs as somebody else
                shutil.rmtree((portal.var / "postgres").resolve().parent)
        assert (ended, "did not stop when asked" in portal.said.read_text()) == (0, False)


def test_it_says_where_it_is_and_lets_its_owner_in_once(portal: Portal) -> None:
    link = re.search(r"Sign in  (http://\S+)", portal.said.read_text())
    assert link
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(link[1], timeout=30) as page:
        assert page.status == 200
        assert "login" not in page.url
    assert "./cm vm boot" in portal.said.read_text()


def test_below_a_folder_closed_to_all_others_and_with_its_port_taken_it_runs(portal: Portal) -> None:
    assert re.search(rf"Port {FIRST_PORT} is taken; using \d+", portal.said.read_text())
    assert portal.key()["url"] != f"http://127.0.0.1:{FIRST_PORT}"
    assert str((portal.var / "postgres").resolve()) in portal.call("--status").stdout
    assert portal.var.parent.stat().st_mode & 0o777 == 0o700


def test_the_shell_finds_the_portal_and_a_token_that_only_its_owner_can_read(portal: Portal) -> None:
    assert (portal.var / "portal.json").stat().st_mode & 0o777 == 0o600
    assert portal.answers()


def test_status_names_every_process(portal: Portal) -> None:
    shown = portal.call("--status")
    assert shown.returncode == 0
    assert f"running at {portal.key()['url']}" in shown.stdout
    assert all(f"process {portal.details().children[name][0]}" in shown.stdout for name in NAMES)


def test_a_second_start_says_where_the_first_runs(portal: Portal) -> None:
    second = portal.call()
    assert second.returncode == 0
    assert f"The portal is running at {portal.key()['url']}" in second.stdout
    assert portal.end() is None


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_killed_child_is_back_and_the_portal_answers(portal: Portal, name: str) -> None:
    before = portal.details().children[name]
    os.kill(before[0], signal.SIGKILL)
    assert wait_until(lambda: portal.living().get(name, before) != before, seconds=60)
    assert wait_until(portal.answers, seconds=60, every=0.5)
    assert f"{name} was ended by SIGKILL; starting it again" in portal.said.read_text()


def test_browsers_wait_while_the_web_is_started_again(portal: Portal) -> None:
    os.kill(portal.details().children["web"][0], signal.SIGKILL)
    assert portal.get("/healthz")


def test_after_a_kill_of_all_the_next_start_recovers_with_everything(portal: Portal) -> None:
    clouds, token = portal.get("/api/v1/clouds/"), portal.key()["token"]
    children = portal.living()
    assert set(children) == NAMES
    portal.send(signal.SIGKILL)
    for pid, _ in children.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    portal.wait()
    portal.start()
    assert portal.key()["token"] == token
    assert [cloud["id"] for cloud in json.loads(portal.get("/api/v1/clouds/"))["results"]] == [
        cloud["id"] for cloud in json.loads(clouds)["results"]
    ]


def test_children_end_by_themselves_when_the_supervisor_is_killed(portal: Portal) -> None:
    children = portal.living()
    portal.send(signal.SIGKILL)
    portal.wait()
    assert wait_until(lambda: not any(processes.born(pid) == birth for pid, birth in children.values()), seconds=30)
    shown = portal.call("--status")
    assert shown.returncode == 3
    assert "No portal runs here. Start it with: make run" in shown.stdout
    portal.start()


def test_a_signal_ends_it_cleanly(portal: Portal) -> None:
    children, url = portal.living(), portal.key()["url"]
    portal.send(signal.SIGINT)
    assert portal.wait() == 0
    assert "did not stop when asked" not in portal.said.read_text()
    assert [name for name, (pid, birth) in children.items() if processes.born(pid) == birth] == []
    assert "database system is shut down" in (portal.var / "log/postgres.log").read_text().splitlines()[-1]
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)
    portal.start()


def test_stop_ends_it_from_elsewhere_and_waits(portal: Portal) -> None:
    stopped = portal.call("--stop")
    assert (stopped.returncode, portal.wait(1)) == (0, 0)
    assert "Stopped the portal at http://" in stopped.stdout
    again = portal.call("--stop")
    assert (again.returncode, again.stdout.strip()) == (0, "No portal runs here.")
    portal.start()


def test_a_signal_while_it_starts_ends_it_cleanly() -> None:
    with services.folder() as home:
        portal = Portal(home / "var")
        with portal.said.open("wb") as output:
            argv = [sys.executable, "manage.py", "standalone"]
            portal.process = subprocess.Popen(argv, cwd=TOP, env=portal.environment, stdout=output, stderr=output)
        assert wait_until(lambda: "PostgreSQL" in portal.said.read_text(), seconds=60)
        time.sleep(1)
        children = portal.living()
        portal.send(signal.SIGTERM)
        assert portal.wait() == 0
        assert [name for name, (pid, birth) in children.items() if processes.born(pid) == birth] == []
