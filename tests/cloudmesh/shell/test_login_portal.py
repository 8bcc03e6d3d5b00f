"""`cm login` with a whole portal and a person in a browser at the other end."""

import http.cookiejar
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import cm, terminal

pytestmark = pytest.mark.timeout(300)
Browser = Callable[..., str]


@pytest.fixture(scope="module")
def browser(portal: Path) -> Browser:
    """Somebody's browser, signed in by the link that the start printed."""
    found = re.search(r"Sign in  (http\S+)", (portal.parent / "said").read_text())
    assert found
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    opener.open(found[1], timeout=30).close()

    def visit(url: str, **form: str) -> str:
        content = urllib.parse.urlencode(form).encode() if form else None
        with opener.open(urllib.request.Request(url, content, {"Referer": url}), timeout=30) as page:
            return str(page.read().decode())

    return visit


def test_a_person_lets_cm_in_and_it_leaves_again(portal: Path, run: Run, browser: Browser, tmp_path: Path) -> None:
    url = json.loads((portal / "portal.json").read_text())["url"]
    own: dict[str, Any] = {"XDG_CONFIG_HOME": str(tmp_path)}
    with terminal("login", url, "--profile", "mine", **own) as screen:
        screen.until("Ctrl-C gives up")
        found = re.search(r"http\S+/device/\?code=(\S+)", screen.seen)
        assert found
        page = browser(found[0])
        assert "cm on " in page
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        decided = browser(f"{url}/device/", csrfmiddlewaretoken=token[1], code=found[1], decision="allow")
        assert "is let in" in decided
        assert screen.end() == 0
    assert "kept as mine" in screen.seen
    tokens = json.loads(cm("token", "list", "--format", "json", **own).stdout)
    assert [each["scopes"] for each in tokens if each["name"].startswith("cm on ")] == [["read", "write"]]
    assert cm("logout", **own).stderr == f"Signed out of {url} (mine).\n"
    tokens = json.loads(run("token", "list", "--format", "json").stdout)
    assert not [each for each in tokens if each["name"].startswith("cm on ")]
