"""A real portal for tests: web, worker and beat as processes, on a database, a Valkey and a folder of its own.

`portal` is shared by a run's tests, which name their own servers and clouds. Whoever kills processes or breaks
clouds opens another one with `running`.
"""

import contextlib
import dataclasses
import http.cookiejar
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from clouds.drivers.simulator import control
from portal.standalone import web
from portal.standalone.children import Child, Command, wait_until
from portal.standalone.places import BASE
from portal.standalone.valkey import Valkey
from tests import services

WORLDS = ("alamo", "india", "sierra")
QUICK = 0.3  # seconds that builds and actions take in its simulated clouds
LINKS = 20  # one-time login links, made at once
START = 60.0  # seconds


@dataclasses.dataclass(kw_only=True)
class Portal:
    """A running portal; `token` and the login links are its owner's, who administrates it."""

    url: str
    token: str
    state_dir: Path
    logs: Path
    database_url: str
    environment: dict[str, str]
    commands: dict[str, Command]
    valkey: Valkey
    children: dict[str, Child] = dataclasses.field(default_factory=dict)
    links: list[str] = dataclasses.field(default_factory=list)

    def start(self, *names: str) -> None:
        for name in names:
            self.children[name] = Child(self.commands[name], self.logs / f"{name}.log")

    def kill(self, name: str) -> None:
        """As the machine would: no time to tidy up. `start` brings it back."""
        child = self.children.pop(name)
        os.killpg(child.pid, 9)
        child.wait()

    def stop(self) -> None:
        for name in ("beat", "worker", "web", "valkey"):
            if name in self.children:
                self.children.pop(name).stop()

    def await_ready(self) -> None:
        """Until the web answers; a worker that comes later finds what waits."""
        ready = wait_until(self._answers, seconds=START)
        assert ready, "\n".join(f"{name}: {child.last_words(12)}" for name, child in self.children.items())

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(urllib.request.urlopen(f"{self.url}/readyz", timeout=1).status == 200)
        return False

    def link(self) -> str:
        """A login link that nobody used yet."""
        return f"{self.url}{self.links.pop()}"

    def login(self) -> dict[str, str]:
        """The cookies of somebody who has just signed in."""
        jar = http.cookiejar.CookieJar()
        urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(self.link(), timeout=10).close()
        return {cookie.name: cookie.value or "" for cookie in jar}

    def world(self, name: str) -> control.World:
        """One of its simulated clouds, to be changed behind its back."""
        return control.World(self.state_dir, name)

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """What its database says."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]


@contextlib.contextmanager
def running(**settings: str) -> Iterator[Portal]:
    """A new portal with its sandbox; `settings` are further variables of its environment."""
    with services.folder() as home, services.database() as database_url, contextlib.ExitStack() as stack:
        valkey = Valkey(data=home / "valkey", socket=home / "vk/valkey.sock")
        valkey.prepare()
        listener = web.listen("127.0.0.1", 8800 + os.getpid() % 400)
        stack.enter_context(listener.socket)
        for name in ("var", "logs"):
            (home / name).mkdir()
        environment = os.environ | settings | {
            "DATABASE_URL": database_url,
            "REDIS_URL": valkey.url(),
            "CLOUDMESH_STATE_DIR": str(home / "var"),
            "CLOUDMESH_URL": listener.url,
        }  # fmt: skip
        known = {command.name: command for command in web.commands(listener)}
        commands = {name: _in(environment, command) for name, command in known.items()}
        portal = Portal(
            url=listener.url,
            token="",
            state_dir=home / "var",
            logs=home / "logs",
            database_url=database_url,
            environment=environment,
            commands={**commands, "valkey": valkey.command()},
            valkey=valkey,
        )
        stack.callback(portal.stop)
        portal.start("valkey")
        assert wait_until(valkey.answers, seconds=START), portal.children["valkey"].last_words()
        _fill(portal)
        portal.start("web", "worker", "beat")
        portal.await_ready()
        yield portal


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    with running() as started:
        yield started


def _in(environment: dict[str, str], command: Command) -> Command:
    return dataclasses.replace(command, env={**environment, "CLOUDMESH_ROLE": command.name})


def _fill(portal: Portal) -> None:
    """The sandbox and ways in, by a process in the portal's own environment."""
    for name in WORLDS:
        control.set_latency(portal.world(name), QUICK)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.portal_process"],
        cwd=BASE, env=portal.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    said = json.loads(answer.stdout)
    portal.token, portal.links = said["token"], said["links"]


def _make_contents() -> None:
    import django

    django.setup()
    from accounts import services as accounts
    from accounts.models import User
    from portal.standalone import contents

    contents.seed()
    owner = User.objects.get(is_superuser=True)
    _, token = accounts.issue_token(user=owner, name="test")
    links = [accounts.issue_login_link(user=owner) for _ in range(LINKS)]
    sys.stdout.write(json.dumps({"token": token, "links": links}))


if __name__ == "__main__":
    _make_contents()
