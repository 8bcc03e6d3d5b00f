"""What every test may use: real services first, since Django reads its settings once."""

import base64
import contextlib
import os
import shutil

import django
import pytest

from tests import services

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "CLOUDMESH_SECRET_KEY": "only for tests",
    "CLOUDMESH_KEYS": f"test:{base64.b64encode(bytes(32)).decode()}",
    "CLOUDMESH_STANDALONE": "1",
}

pytest.register_assert_rewrite("tests.clouds.drivers.contract")  # its assertions explain themselves too
# Modules with fixtures; they may import models.
pytest_plugins = ["tests.factories", "tests.portal_process", "tests.rest"]

running = contextlib.ExitStack()
running.enter_context(services.environment())
django.setup()


def pytest_unconfigure() -> None:
    running.close()


@pytest.hookimpl(trylast=True)  # when folders have marked their tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests are left out, with a word, only where there is no browser and nobody insists."""
    if CHROMIUM or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="needs Chromium: apt-get install chromium"))
