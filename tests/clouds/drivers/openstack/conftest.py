"""The replayed OpenStack and a driver that talks to it."""

import pathlib
from collections.abc import Callable, Iterator

import pytest

from clouds.drivers import Site
from clouds.drivers.openstack import OpenStack
from tests.clouds.drivers.openstack.replay import Replay, serving


@pytest.fixture
def replay() -> Iterator[Replay]:
    with serving(Replay()) as server:
        yield server


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Site:
    return Site(state_dir=tmp_path, guard=lambda address: None, timeout=5)


@pytest.fixture
def connect(replay: Replay, site: Site) -> Callable[..., OpenStack]:
    return lambda **changes: OpenStack(replay.credential(**changes), site)


@pytest.fixture
def driver(connect: Callable[..., OpenStack]) -> OpenStack:
    return connect()
