"""Two people at a real Slurm through the whole portal: the shell, the Python API and the web, each as themselves."""

import json
import pathlib
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
from cloudmesh.errors import CloudmeshError, NotAllowed, Refused
from portal.standalone.places import BASE
from tests.cloudmesh.shell.terminal import cm
from tests.live import slurms
from tests.portal_process import Portal

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
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
ODD = "; rm -rf ~ $(touch /tmp/never) `id` \\ 'é\"" + "🙂" * 60


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


@pytest.fixture(scope="module")
def slurm() -> slurms.Cluster:
    found = slurms.named()
    if found is None:
        pytest.skip("no Slurm: run tests/live/slurm/up.sh as root")
    return found


@pytest.fixture(scope="module")
def people(portal: Portal, slurm: slurms.Cluster) -> Iterator[dict[str, Person]]:
    """Alice and Bob of one project, at a Slurm that the portal's owner registered: each with a key of their own."""
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", MAKE],
        cwd=BASE, env={**portal.environment, "PYTHONPATH": str(BASE)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    found = {name: Person(portal, name, **ways) for name, ways in json.loads(made.stdout.splitlines()[-1]).items()}
    owner = Client(portal.url, portal.token)
    key = (pathlib.Path(slurm.keys) / "cmrobot").read_text()
    asked = owner.register_scheduler(
        "real", "slurm", way="ssh", shared=True, clusters={"real-debug": ["debug"], "real": []},
        credential={"host": slurm.host, "port": str(slurm.port), "login": "cmrobot", "key": key},
    )  # fmt: skip
    assert owner.wait(asked)["result"]["host_key"]
    for person in found.values():
        said = person.types("hpc", "login", "set", "real", person.login, "--key", f"{slurm.keys}/{person.login}")
        assert said.returncode == 0, said.stderr
    yield found
    owner.remove_scheduler("real")
    for client in (owner, *(person.client for person in found.values())):
        client.close()


ALICE_AND_BOB = slurm, people


def test_the_clusters_of_one_slurm_are_shown_apart(people: dict[str, Person]) -> None:
    queues = until(lambda: people["alice"].data("hpc", "queues", "--cluster", "real"), "its queues")
    assert {queue["name"] for queue in queues} == {"batch", "long", "old"}
    assert [queue["name"] for queue in people["bob"].client.queues(cluster="real-debug")] == ["debug"]


def test_a_job_by_the_shell_runs_as_oneself_and_is_accounted_once(people: dict[str, Person], portal: Portal) -> None:
    alice = people["alice"]
    ran = alice.types("hpc", "run", "--name", "by-cm", "--cluster", "real-debug", "whoami; pwd; sleep 2")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("fsalice\n/home/fsalice/cloudmesh/experiments/")
    job = alice.becomes("by-cm", "completed")
    assert (job["login"], job["owner"], job["project"], job["account"]) == ("fsalice", "alice", "fg82", "fg82")
    spans = until(lambda: _spans(portal, job["id"], is_ended=True), "its usage")
    time.sleep(8)  # several readings, and accounting
    assert _spans(portal, job["id"], is_ended=True) == spans == [(1, "fg82")]


def test_a_job_by_python_with_its_files(people: dict[str, Person]) -> None:
    bob = people["bob"]
    asked = bob.client.submit_job(
        script="#!/bin/sh\ncat data/in.txt >out.txt\nwhoami\n", name="by-python", cluster="real-debug",
        walltime=300, files={"data/in.txt": b"42\n"},
    )  # fmt: skip
    job = bob.client.wait_job(asked["jobs"][0], timeout=120)
    assert (job["state"], job["login"]) == ("completed", "fsbob")
    assert b"".join(bob.client.download(job, "out.txt")) == b"42\n"
    assert bob.client.read_job(job)["text"] == "fsbob\n"
    with pytest.raises(CloudmeshError):
        bob.client.read_job(job, path="../../.ssh/authorized_keys")


def test_a_job_by_the_web_is_cancelled_in_the_shell(people: dict[str, Person]) -> None:
    alice = people["alice"]
    cluster = alice.client.cluster("real-debug")["id"]
    form = {"cluster": cluster, "queue": "debug", "name": "by-web", "script": "sleep 600", "walltime": "20m"}
    assert alice.sends("/jobs/submit/", **form) in (200, 204)
    job = alice.becomes("by-web", "running")
    assert alice.types("hpc", "cancel", "by-web", "--yes").returncode == 0
    assert alice.becomes("by-web", "cancelled")["id"] == job["id"]


def test_what_is_others_is_not_touched_by_any_way(people: dict[str, Person]) -> None:
    alice, bob = people["alice"], people["bob"]
    asked = alice.client.submit_job(script="echo secret; sleep 600", name="hers", cluster="real-debug", is_held=True)
    job = alice.becomes("hers", "held")
    denied = bob.types("hpc", "cancel", job["provider_id"], "--yes", "--cluster", "real-debug")
    assert denied.returncode == 4, denied.stderr
    assert bob.types("hpc", "output", job["id"]).returncode == 4
    assert bob.sends(f"/jobs/{job['id']}/cancel/") == 403
    assert bob.sends(f"/jobs/{job['id']}/read/script/") == 403
    assert "secret" not in bob.client.job(job["id"])["script"]
    with pytest.raises((NotAllowed, Refused)):
        bob.client.change_jobs("release", asked["jobs"])
    assert alice.becomes("hers", "held")
    assert alice.types("hpc", "release", "hers").returncode == 0
    alice.becomes("hers", "running", "queued")
    assert alice.types("hpc", "cancel", "hers", "--yes").returncode == 0


def test_an_odd_name_is_a_name(people: dict[str, Person]) -> None:
    alice = people["alice"]
    job = alice.client.wait_job(
        alice.client.submit_job(script="true", name=ODD, cluster="real-debug")["jobs"][0], timeout=120
    )
    assert job["state"] == "completed"
    assert not pathlib.Path("/tmp/never").exists()
    assert pathlib.Path("/home/fsalice").is_dir()


def test_what_slurm_refuses_is_told_in_its_words_and_leaves_no_job(people: dict[str, Person]) -> None:
    refused = people["alice"].types(
        "hpc", "submit", "-", "--name", "refused", "--cluster", "real-debug", "--account", "nobodys", stdin="true\n"
    )
    assert refused.returncode == 1
    assert "account" in refused.stderr.lower()
    assert people["alice"].job("refused")["state"] == "failed"


def _spans(portal: Portal, job: str, *, is_ended: bool) -> list[tuple[object, ...]]:
    query = """SELECT span.cores, project.name FROM projects_span AS span
               JOIN projects_project AS project ON project.id = span.project_id
               WHERE span.object_id = %s AND (span.ends_at IS NOT NULL) = %s"""
    return portal.ask(query, job, is_ended)
