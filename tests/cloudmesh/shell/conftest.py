"""A whole portal of its own for `cm`, as `make run` starts it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.standalone.children import wait_until
from tests import services
from tests.cloudmesh.shell.terminal import CM, cm

OURS = re.compile("CLOUDMESH_|DATABASE_URL|REDIS_URL|DJANGO_|PYTEST")
FIRST_PORT = 18500
LINK = """
from accounts import services
from accounts.models import User
print(services.issue_login_link(user=User.objects.filter(is_superuser=True).earliest("date_joined")))
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def portal() -> Iterator[Path]:
    """The folder of a standalone portal that runs."""
    with services.folder() as home:
        var, said = home / "var", home / "said"
        kept = {name: text for name, text in os.environ.items() if not OURS.match(name)}
        env = {**kept, "CLOUDMESH_STATE_DIR": str(var), "CLOUDMESH_PORT": str(FIRST_PORT)}
        with said.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "standalone"], cwd=CM.parent, env=env, stdout=output, stderr=output
            )
        try:
            wait_until(lambda: "Stop  " in said.read_text() or process.poll() is not None, seconds=150)
            assert "Stop  " in said.read_text(), said.read_text()
            yield var
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


@pytest.fixture
def link(portal: Path) -> str:
    """Where the portal's owner is signed in; nobody was there yet."""
    kept = {name: text for name, text in os.environ.items() if not OURS.match(name)}
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", LINK],
        cwd=CM.parent, env={**kept, "CLOUDMESH_STATE_DIR": str(portal)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return str(json.loads((portal / "portal.json").read_text())["url"]) + made.stdout.splitlines()[-1]


@pytest.fixture
def run(portal: Path) -> Run:
    """`cm` of that portal."""

    def call(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return cm(*arguments, CLOUDMESH_STATE_DIR=str(portal), **more)

    return call


@pytest.fixture
def data(run: Run) -> Callable[..., Any]:
    """What a command that succeeds answers, for programs."""

    def call(*arguments: str) -> Any:
        ended = run(*arguments, "--format", "json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return call
