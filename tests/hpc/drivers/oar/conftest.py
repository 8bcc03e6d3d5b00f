"""An OAR as a login node tells of it."""

import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from cloudmesh.types import JobSpec
from hpc.drivers import Shell, Site
from hpc.drivers.oar import Oar
from tests.hpc.drivers.oar.login_node import LoginNode

Connect = Callable[..., Oar]


@pytest.fixture
def connect(tmp_path: pathlib.Path) -> Connect:
    def connect(shell: Shell | None, **credential: str) -> Oar:
        return Oar(credential, Site(state_dir=tmp_path, guard=lambda address: None, shell=shell, timeout=7))

    return connect


@pytest.fixture
def node() -> LoginNode:
    return LoginNode()


@pytest.fixture
def oar(connect: Connect, node: LoginNode) -> Oar:
    return connect(node)


@pytest.fixture
def spec() -> Callable[..., JobSpec]:
    def spec(**changes: Any) -> JobSpec:
        return JobSpec(**{"name": "job", "script": "#!/bin/sh\ntrue\n", **changes})

    return spec
