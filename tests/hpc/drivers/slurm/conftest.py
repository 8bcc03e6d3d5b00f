"""A Slurm as a login node tells of it."""

import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from cloudmesh.types import JobSpec
from hpc.drivers import Answer, Shell, Site
from hpc.drivers.slurm import Slurm
from tests.hpc.drivers.slurm.login_node import LoginNode

Connect = Callable[..., Slurm]


@pytest.fixture
def connect(tmp_path: pathlib.Path) -> Connect:
    def connect(shell: Shell | None, **credential: str) -> Slurm:
        return Slurm(credential, Site(state_dir=tmp_path, guard=lambda address: None, shell=shell, timeout=7))

    return connect


@pytest.fixture
def node() -> LoginNode:
    return LoginNode()


@pytest.fixture
def slurm(connect: Connect, node: LoginNode) -> Slurm:
    return connect(node)


@pytest.fixture
def spec() -> Callable[..., JobSpec]:
    def spec(**changes: Any) -> JobSpec:
        return JobSpec(**{"name": "job", "script": "#!/bin/sh\ntrue\n", **changes})

    return spec


def said(error: str, code: int = 1, output: bytes = b"") -> Answer:
    """How a command fails."""
    return Answer(code, output, error)
