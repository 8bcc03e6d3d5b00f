"""PBS keeps the contract of all HPC drivers: both products, as their manuals say that they answer."""

import pathlib
from collections.abc import Mapping
from typing import ClassVar

import pytest

from hpc.backends.local import Local
from hpc.drivers import HpcDriver, Shell, Site
from hpc.drivers.pbs import Pbs
from tests.hpc.backends.sshd import ME
from tests.hpc.drivers.contract import HpcContract
from tests.hpc.drivers.pbs import servers
from tests.hpc.drivers.pbs.servers import Person, Server


class PbsContract(HpcContract):
    driver_class: ClassVar[type[HpcDriver]] = Pbs
    patience, pause = 30.0, 0.2
    shortest_walltime = 2
    unknown_id = "99999999.pbs1"
    product: ClassVar[str]

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Server:
        return servers.start(tmp_path_factory.mktemp(cls.product) / "pbs", cls.product)

    @classmethod
    def shell(cls, server: Server, login: str) -> Shell:
        return Person(Local(ME, environment=server.environment), login)

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls) -> Mapping[str, str]:
        return {"product": cls.product}

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return servers.site(cls.shell(server, "alice"), tmp_path_factory.mktemp("state"))

    @pytest.fixture(scope="class")
    @classmethod
    def other_site(cls, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return servers.site(cls.shell(server, "bob"), tmp_path_factory.mktemp("state"))

    @pytest.fixture
    @classmethod
    def unreachable(cls, tmp_path: pathlib.Path) -> HpcDriver:
        server = servers.start(tmp_path / "pbs", cls.product)
        server.go_away()
        return Pbs({"product": cls.product}, servers.site(cls.shell(server, "alice"), tmp_path))


class TestOpenPbs(PbsContract):
    product = "openpbs"


class TestTorque(PbsContract):
    product = "torque"
