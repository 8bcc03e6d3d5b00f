"""Alice and Bob of one project, at a real Slurm that a whole portal knows: each with a login and a key of their own."""

import json
import pathlib
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from typing import Any

import pytest

from cloudmesh.client import Client
from portal.standalone.places import BASE
from tests.cloudmesh.shell.terminal import cm
from tests.live import slurms
from tests.portal_process import Portal

TAG = secrets.token_hex(3)  # the scheduler still tells what an earlier run submitted
LOGINS = {"alice": "fsalice", "bob": "fsbob"}
MAKE = """
import json
from accounts import services
from tests import factories
people = {name: factories.make_user(name) for name in ("alice", "bob")}
factories.make_project("fg82", lead=factories.make_user("leader"), members=tuple(people.values()))
print(json.dumps({name: {"token": services.issue_token(user=user, name="cm")[1],
                         "link": services.issue_login_link(user=user)} for name, user in people.items()}))
"""


class Person:
    """Somebody with `cm`, a client for programs, and a browser that is signed in."""

    def __init__(self, portal: Portal, name: str, token: str, link: str) -> None:
        self.name, self.login, self._portal, self._token = name, LOGINS[name], portal, token
        self.client = Client(portal.url, token)
        self._jar = CookieJar()
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        self._browser.open(portal.url + link, timeout=30).close()

    def types(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return cm(*arguments, stdin=stdin, CLOUDMESH_URL=self._portal.url, CLOUDMESH_TOKEN=self._token)

    def data(self, *arguments: str) -> Any:
        """What a command that succeeds answers, for programs."""
        ended = self.types(*arguments, "--format", "json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def sends(self, path: str, **form: str) -> int:
        """The status of what a form or a button of a page sends."""
        secret = next((cookie.value or "" for cookie in self._jar if cookie.name.startswith("cloudmesh-csrf")), "")
        headers = {"X-CSRFToken": secret, "Referer": self._portal.url, "HX-Request": "true"}
        body = urllib.parse.urlencode(form).encode()
        try:
            with self._browser.open(urllib.request.Request(self._portal.url + path, body, headers), timeout=30) as done:
                return int(done.status)
        except urllib.error.HTTPError as error:
            return error.code

    def becomes(self, name: str, *states: str, seconds: float = 90) -> Any:
        """A job once it is in one of these states."""
        return until(lambda: (job := self.job(name)) and job["state"] in states and job, f"{name} {states}", seconds)

    def job(self, name: str) -> Any:
        return next(iter(self.client.jobs(name=name)), None)


def until(look: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.5)
    return found


def registration(slurm: slurms.Cluster) -> dict[str, str]:
    """What the portal's owner says of the login node, to be read as its robot."""
    key = (pathlib.Path(slurm.keys) / "cmrobot").read_text()
    return {"host": slurm.host, "port": str(slurm.port), "login": "cmrobot", "key": key}


@pytest.fixture(scope="session")
def slurm() -> slurms.Cluster:
    found = slurms.named()
    if found is None:
        pytest.skip("no Slurm: run tests/live/slurm/up.sh as root")
    return found


@pytest.fixture(scope="session")
def people(portal: Portal, slurm: slurms.Cluster) -> Iterator[dict[str, Person]]:
    """Alice and Bob of one project, at a Slurm that the portal's owner registered: each with a key of their own."""
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", MAKE],
        cwd=BASE, env={**portal.environment, "PYTHONPATH": str(BASE)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    found = {name: Person(portal, name, **ways) for name, ways in json.loads(made.stdout.splitlines()[-1]).items()}
    owner = Client(portal.url, portal.token)
    clusters = {"real-debug": ["debug"], "real": []}
    asked = owner.register_scheduler(
        "real", "slurm", way="ssh", shared=True, clusters=clusters, credential=registration(slurm)
    )
    assert owner.wait(asked)["result"]["host_key"]
    for person in found.values():
        said = person.types("hpc", "login", "set", "real", person.login, "--key", f"{slurm.keys}/{person.login}")
        assert said.returncode == 0, said.stderr
    yield found
    owner.remove_scheduler("real")
    for client in (owner, *(person.client for person in found.values())):
        client.close()
