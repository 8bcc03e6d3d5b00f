"""What one may do with `cm` is what one may do in the web: three people try the same both ways."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar

import pytest

from portal.standalone.places import BASE
from tests.cloudmesh.shell.terminal import cm
from tests.portal_process import Portal

pytestmark = pytest.mark.timeout(300)
#: The owner of a server, another member of its project, and somebody of another project.
PEOPLE = ("ann", "bob", "eve")
DONE, DENIED, UNSEEN = "done", "denied", "unseen"
BY_CODE = {0: DONE, 4: DENIED, 3: UNSEEN}
BY_STATUS = {200: DONE, 202: DONE, 204: DONE, 403: DENIED, 404: UNSEEN}
MAKE = """
import json
from django.conf import settings
from accounts import services
from tests import factories
people = {name: factories.make_user(name) for name in %r}
team = factories.make_project("team", lead=factories.make_user("leader"), members=(people["ann"], people["bob"]))
factories.make_project("others", lead=people["eve"])
factories.make_world(settings.STATE_DIR, "tandem")
account = factories.make_account(team, team.memberships.get(role="lead").user, "tandem")
found = {
    name: {"token": services.issue_token(user=user, name="cm")[1], "link": services.issue_login_link(user=user)}
    for name, user in people.items()
}
print(json.dumps({"people": found, "cloud": str(account.pk)}))
"""


class Person:
    """Somebody with a token for `cm` and a browser that is signed in."""

    def __init__(self, portal: Portal, token: str, link: str) -> None:
        self._url, self._token, self._jar = portal.url, token, CookieJar()
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        self._browser.open(portal.url + link, timeout=30).close()

    def types(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return cm(*arguments, CLOUDMESH_URL=self._url, CLOUDMESH_TOKEN=self._token)

    def clicks(self, method: str, path: str) -> int:
        """The status of a page, or of what a button of one sends."""
        secret = next((cookie.value or "" for cookie in self._jar if cookie.name.startswith("cloudmesh-csrf")), "")
        headers = {"X-CSRFToken": secret, "Referer": self._url, "HX-Request": "true"} if method == "POST" else {}
        request = urllib.request.Request(self._url + path, b"" if method == "POST" else None, headers, method=method)
        try:
            with self._browser.open(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


@dataclass(frozen=True)
class Stage:
    """Three people, and a cloud and a server of two of them."""

    people: dict[str, Person]
    cloud: str
    server: str


@pytest.fixture(scope="module")
def stage(portal: Portal) -> Stage:
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", MAKE % (PEOPLE,)],
        cwd=BASE, env={**portal.environment, "PYTHONPATH": str(BASE)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    said = json.loads(made.stdout.splitlines()[-1])
    people = {name: Person(portal, **ways) for name, ways in said["people"].items()}
    booted = people["ann"].types("vm", "boot", "--name", "hers", "--cloud", "tandem", "--format", "json")
    assert booted.returncode == 0, booted.stderr
    return Stage(people, said["cloud"], json.loads(booted.stdout)[0]["id"])


@pytest.mark.parametrize(
    ("typed", "clicked", "outcomes"),
    [
        ("vm show hers", "GET /servers/{server}/", (DONE, DONE, UNSEEN)),
        ("vm stop hers --no-wait", "POST /servers/{server}/stop/", (DONE, DENIED, UNSEEN)),
        ("vm rename hers his --no-wait", "POST /servers/{server}/rename/", (None, DENIED, UNSEEN)),
        ("vm delete -y hers", "POST /servers/{server}/delete/", (None, DENIED, UNSEEN)),
        ("cloud show tandem", "GET /clouds/{cloud}/", (DONE, DONE, UNSEEN)),
        ("cloud off tandem", "POST /clouds/{cloud}/toggle/", (DENIED, DENIED, UNSEEN)),
        ("cloud remove -y tandem", "POST /clouds/{cloud}/remove/", (DENIED, DENIED, UNSEEN)),
        ("project show team", "GET /projects/team/", (DONE, DONE, UNSEEN)),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" not in value else "",
)
def test_the_shell_and_the_web_let_the_same_people_do_the_same(
    stage: Stage, typed: str, clicked: str, outcomes: tuple[str | None, ...]
) -> None:
    method, path = clicked.format(server=stage.server, cloud=stage.cloud).split(" ")
    for name, outcome in zip(PEOPLE, outcomes, strict=True):
        if outcome is None:
            continue
        ended = stage.people[name].types(*typed.split(" "))
        assert BY_CODE.get(ended.returncode) == outcome, f"{name}: {ended.stderr}"
        status = stage.people[name].clicks(method, path)
        assert BY_STATUS.get(status) == outcome or (outcome, status) == (DONE, 409), f"{name}: {status}"


def test_what_the_owner_does_in_one_is_so_in_the_other(stage: Stage) -> None:
    ann = stage.people["ann"]
    assert ann.types("vm", "rename", "hers", "ours").returncode == 0
    assert ann.clicks("GET", "/servers/?name=ours") == 200
    assert ann.types("vm", "delete", "-y", "ours").returncode == 0
    assert ann.clicks("POST", f"/servers/{stage.server}/stop/") == 409
