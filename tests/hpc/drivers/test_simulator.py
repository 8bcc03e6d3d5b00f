"""The simulated scheduler keeps the contract of all HPC drivers; what else it promises is tested beside."""

from collections.abc import Mapping
from typing import ClassVar

import pytest

from hpc.drivers import HpcDriver, Site
from hpc.drivers.simulator import Simulator, control
from tests.hpc.drivers.contract import HpcContract

DEMO = {"world": "india", "username": "demo", "password": "demo"}


class TestContract(HpcContract):
    driver_class: ClassVar[type[HpcDriver]] = Simulator
    patience, pause = 20.0, 0.01
    shortest_walltime = 10

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return Site(state_dir=tmp_path_factory.mktemp("state"), guard=str)

    @pytest.fixture(scope="class")
    @classmethod
    def other_site(cls, site: Site) -> Site:
        return site

    @pytest.fixture(scope="class", params=["india", "elsewhere"])
    @classmethod
    def credential(cls, request: pytest.FixtureRequest, site: Site) -> Mapping[str, str]:
        world = control.World(site.state_dir, request.param)
        control.set_speed(world, 40)
        control.add_person(world, "grete", "another password")
        return DEMO | {"world": request.param}

    @pytest.fixture(scope="class")
    @classmethod
    def other_credential(cls, credential: Mapping[str, str]) -> Mapping[str, str]:
        return {**credential, "username": "grete", "password": "another password"}

    @pytest.fixture(scope="class")
    @classmethod
    def wrong_credential(cls, credential: Mapping[str, str]) -> Mapping[str, str]:
        return {**credential, "password": "not the password"}

    @pytest.fixture
    @classmethod
    def unreachable(cls, site: Site) -> HpcDriver:
        control.outage(control.World(site.state_dir, "atlantis"), on=True)
        return Simulator(DEMO | {"world": "atlantis"}, site)

    @pytest.fixture(scope="class")
    @classmethod
    def directory(cls) -> str:
        return "/home/demo"

    @pytest.fixture(scope="class")
    @classmethod
    def other_directory(cls) -> str:
        return "/home/grete"
