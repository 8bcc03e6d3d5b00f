"""A Grid Engine as a login node tells of it."""

import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from cloudmesh.types import JobSpec
from hpc.drivers import Answer, Shell, Site
from hpc.drivers.gridengine import GridEngine
from tests.hpc.drivers.gridengine.login_node import LoginNode

Connect = Callable[..., GridEngine]


@pytest.fixture
def connect(tmp_path: pathlib.Path) -> Connect:
    def connect(shell: Shell | None, **credential: str) -> GridEngine:
        return GridEngine(credential, Site(state_dir=tmp_path, guard=lambda address: None, shell=shell, timeout=7))

    return connect


@pytest.fixture
def node() -> LoginNode:
    return LoginNode()


@pytest.fixture
def cluster(connect: Connect, node: LoginNode) -> GridEngine:
    return connect(node)


def spec(**changes: Any) -> JobSpec:
    return JobSpec(**{"name": "job", "script": "#!/bin/sh\ntrue\n", **changes})


def said(error: str, code: int = 1, output: bytes = b"") -> Answer:
    """How a command fails."""
    return Answer(code, output, error)
