"""What every test may use: real services first, since Django reads its settings once."""

import base64
import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import django
import hypothesis
import playwright
import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from xdist.scheduler import LoadScopeScheduling

from tests import services

#: What shares a portal or a browser, which take seconds to start, stays with one worker.
TOGETHER = ("tests/portal/standalone/test_supervisor.py", "tests/browser/")
#: Of these each file does; a worker that has one has a portal for the next.
BY_FILE = "tests/cloudmesh/shell/"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "CLOUDMESH_SECRET_KEY": "only for tests",
    "CLOUDMESH_KEYS": f"test:{base64.b64encode(bytes(32)).decode()}",
    "CLOUDMESH_STANDALONE": "1",
}

# Their assertions explain themselves too.
pytest.register_assert_rewrite(
    *(f"tests.clouds.drivers.{part}" for part in ("contract", "network_contract", "volume_contract")),
    *(f"tests.hpc.drivers.{part}" for part in ("bed", "contract", "record_contract", "submission_contract")),
    "tests.hpc.files_contract",
)
# Modules with fixtures; they may import models.
pytest_plugins = ["tests.factories", "tests.portal_process", "tests.rest"]

# How long an example takes is the machine's matter; a test that hangs has pytest's own time-out.
hypothesis.settings.register_profile(
    "any machine", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None
)
hypothesis.settings.load_profile("any machine")

signal.signal(signal.SIGINT, signal.default_int_handler)  # also where whoever started us ignores it

running = contextlib.ExitStack()
running.enter_context(services.environment())
settings.DATABASES["default"]["TEST"] = {"TEMPLATE": services.TABLES}
django.setup()
# Still Argon2, and cheap: what a password costs to guess is no test's matter.
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1


def pytest_unconfigure() -> None:
    running.close()


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Any test to any worker, but those that share a portal to one. (`loadgroup` needs pytest before 9.)"""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(BY_FILE):
            return nodeid.partition("::")[0]
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """A worker that inherited the name would read the settings before it has services of its own."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    return Spread(config, log)


@pytest.hookimpl(trylast=True)  # when folders have marked their tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests are left out, with a word, only where there is no browser and nobody insists."""
    driven = [item for item in items if item.get_closest_marker("browser")]
    if driven and not os.environ.get("CI") and not can_drive_a_browser():
        for item in driven:
            item.add_marker(pytest.mark.skip(reason="needs Chromium: apt-get install chromium libatomic1"))


def can_drive_a_browser() -> bool:
    """Whether there is one, and Playwright's own node finds its libraries."""
    node = Path(playwright.__file__).parent / "driver/node"
    return any(map(shutil.which, BROWSERS)) and not subprocess.run([node, "--version"], capture_output=True).returncode
