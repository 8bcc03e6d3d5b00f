"""The contract of HPC drivers on a real OAR (tests/live/oar/up.sh), on this machine and at a login node."""

import pathlib
from collections.abc import Iterator

import pytest

from hpc.backends.connections import exchange
from hpc.drivers import HpcDriver, Shell, Site
from hpc.drivers.oar import Oar
from tests.hpc.drivers.contract import HpcContract
from tests.live import oars
from tests.live.oars import Cluster

pytestmark = pytest.mark.live
ALICE, BOB = "fsalice", "fsbob"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    found = oars.named()
    if found is None:
        pytest.skip("no OAR: run tests/live/oar/up.sh as root")
    yield found
    exchange().close()


def site(shell: Shell, state_dir: pathlib.Path, timeout: float = 20.0) -> Site:
    return Site(state_dir=state_dir, guard=lambda address: None, shell=shell, timeout=timeout)


class OarContract(HpcContract):
    driver_class = Oar
    queue = "default"
    pause = 1.0  # its commands are Perl, and take a third of a second each
    patience = 100.0
    shortest_walltime = 5

    @classmethod
    def shell(cls, cluster: Cluster, login: str) -> Shell:
        return cluster.local(login)

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return site(cls.shell(cluster, ALICE), tmp_path_factory.mktemp("state"))

    @pytest.fixture(scope="class")
    @classmethod
    def other_site(cls, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return site(cls.shell(cluster, BOB), tmp_path_factory.mktemp("state"))

    @pytest.fixture
    @classmethod
    def unreachable(cls, cluster: Cluster, site: Site) -> Iterator[HpcDriver]:
        cluster.stop("postgres")
        yield Oar({}, site)
        cluster.start()


class TestLocal(OarContract):
    """On the portal's machine."""


class TestSsh(OarContract):
    """On a login node."""

    @classmethod
    def shell(cls, cluster: Cluster, login: str) -> Shell:
        return cluster.ssh(login)
