"""What live tests run against, and the report of it."""

import pathlib

import pytest

from tests.live.clouds import Clouds, named
from tests.live.people import people, slurm
from tests.live.report import Report

__all__ = ["people", "slurm"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live-report", type=pathlib.Path, help="Write what ran against what into this file.")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--live-report", None):
        config.pluginmanager.register(Report(path), "live-report")


@pytest.fixture(scope="session")
def openstack() -> Clouds:
    clouds = named()
    if clouds is None:
        pytest.skip(
            "no OpenStack: run tests/live/openstack/up.sh, or set CLOUDMESH_LIVE_OPENSTACK=PATH_OF_CLOUDS_YAML:CLOUD"
        )
    return clouds
