"""The simulated cloud keeps the contract of all cloud drivers; what else it promises is tested beside."""

from collections.abc import Mapping
from typing import ClassVar

import pytest

from clouds.drivers import CloudDriver, Site
from clouds.drivers.simulator import Simulator, control
from tests.clouds.drivers.network_contract import NetworkContract

DEMO = {"world": "india", "username": "demo", "password": "demo"}


class TestContract(NetworkContract):
    driver_class: ClassVar[type[CloudDriver]] = Simulator
    patience, pause = 10.0, 0.01

    @pytest.fixture(scope="class", params=["india", "sierra"])
    @classmethod
    def credential(cls, request: pytest.FixtureRequest, site: Site) -> Mapping[str, str]:
        control.set_latency(control.World(site.state_dir, request.param), 0.02, 0.05)
        return DEMO | {"world": request.param}

    @pytest.fixture(scope="class")
    @classmethod
    def wrong_credential(cls, credential: Mapping[str, str]) -> Mapping[str, str]:
        return {**credential, "password": "not the password"}

    @pytest.fixture(scope="class")
    @classmethod
    def unreachable(cls, site: Site) -> CloudDriver:
        control.outage(control.World(site.state_dir, "atlantis"), on=True)
        return Simulator(DEMO | {"world": "atlantis"}, site)
