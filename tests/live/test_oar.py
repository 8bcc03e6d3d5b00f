"""The contract of HPC drivers on a real OAR (tests/live/oar/up.sh), on this machine and at a login node."""

import pathlib
import time
from collections.abc import Iterator

import pytest

from cloudmesh.errors import Rejected, Unreachable
from cloudmesh.types import JobState
from hpc.backends.connections import exchange
from hpc.drivers import HpcDriver, Shell, Site
from hpc.drivers.oar import Oar
from tests.hpc.drivers.bed import HpcBed, wish
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


# -- when parts fail -------------------------------------------------------------------------------------------


@pytest.fixture
def alice(cluster: Cluster, tmp_path: pathlib.Path) -> Iterator[Oar]:
    yield Oar({}, site(cluster.local(ALICE), tmp_path))
    cluster.start()


class Patient(HpcBed):
    patience, pause = 100.0, 1.0


def test_without_its_database_oar_says_so_at_once_and_takes_nothing(cluster: Cluster, alice: Oar) -> None:
    cluster.stop("postgres")
    began, token = time.monotonic(), wish()
    for ask in (alice.check, lambda: list(alice.jobs()), lambda: list(alice.ended(["1"])), lambda: alice.find(token)):
        with pytest.raises(Unreachable, match="database does not answer"):
            ask()
    with pytest.raises(Unreachable, match="database does not answer"):
        alice.submit(HpcBed.spec("true", "/tmp"), token=token)
    assert time.monotonic() - began < 20
    cluster.start()
    assert alice.find(token) == ""


def test_without_its_server_jobs_are_taken_and_begin_later(cluster: Cluster, alice: Oar) -> None:
    cluster.stop("almighty")
    token = wish()
    job_id = alice.submit(HpcBed.spec("true", "/tmp", output="/dev/null"), token=token)
    waits = alice.submit(HpcBed.spec("true", "/tmp", is_held=True), token=wish())
    assert alice.find(token) == job_id
    with pytest.raises(Unreachable, match="Almighty"):
        alice.cancel(waits)
    cluster.start()
    assert Patient.becomes(alice, job_id, JobState.COMPLETED).exit_code == 0
    alice.cancel(waits)
    assert Patient.becomes(alice, waits, JobState.CANCELLED).started is None


def test_a_job_larger_than_the_cluster_is_refused_at_once(alice: Oar) -> None:
    with pytest.raises(Rejected, match="not enough resources") as caught:
        alice.submit(HpcBed.spec("true", "/tmp", nodes=99, tasks=99), token=wish())
    assert caught.value.facts["field"] == "nodes"


def test_a_name_that_ends_the_quotes_around_it_is_a_name(alice: Oar) -> None:
    """It stands between single quotes in a program of OAR's; see hpc/drivers/oar/options.py."""
    name = "it's'; exit 7; '"
    job_id = alice.submit(HpcBed.spec('echo "$OAR_JOB_NAME"', "/tmp", name=name, output="/dev/null"), token=wish())
    done = Patient.becomes(alice, job_id, JobState.COMPLETED)
    assert done.name == name.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
