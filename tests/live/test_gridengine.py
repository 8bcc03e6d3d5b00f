"""The contract of HPC drivers on a real Grid Engine (tests/live/gridengine/up.sh), here and through ssh."""

import dataclasses
import pathlib
import socket
import time
from collections.abc import Iterator, Mapping

import pytest

from cloudmesh.errors import Busy, Rejected, Unreachable
from cloudmesh.types import JobState
from hpc.backends.connections import exchange
from hpc.drivers import HpcDriver, Shell, Site
from hpc.drivers.gridengine import GridEngine
from tests.hpc.drivers.bed import HpcBed, wish
from tests.hpc.drivers.contract import HpcContract
from tests.live import gridengines
from tests.live.gridengines import Cluster

pytestmark = pytest.mark.live
ALICE, BOB = "fsalice", "fsbob"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    found = gridengines.named()
    if found is None:
        pytest.skip("no Grid Engine: run tests/live/gridengine/up.sh as root")
    yield found
    exchange().close()


class GridEngineContract(HpcContract):
    driver_class = GridEngine
    pause = 0.3
    queue = "all.q"
    shortest_walltime = 5

    @classmethod
    def shell(cls, cluster: Cluster, login: str) -> Shell:
        return cluster.local(login)

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls, cluster: Cluster) -> Mapping[str, str]:
        return {"bin": cluster.programs}

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return gridengines.site(cls.shell(cluster, ALICE), tmp_path_factory.mktemp("state"))

    @pytest.fixture(scope="class")
    @classmethod
    def other_site(cls, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return gridengines.site(cls.shell(cluster, BOB), tmp_path_factory.mktemp("state"))

    @pytest.fixture
    @classmethod
    def unreachable(cls, cluster: Cluster, credential: Mapping[str, str], site: Site) -> HpcDriver:
        away = cluster.local(ALICE, SGE_QMASTER_PORT="1")
        return GridEngine(credential, dataclasses.replace(site, shell=away))


class TestLocal(GridEngineContract):
    """On the portal's machine."""


class TestSsh(GridEngineContract):
    """On a login node."""

    @classmethod
    def shell(cls, cluster: Cluster, login: str) -> Shell:
        return cluster.ssh(login)


# -- what Grid Engine alone has, and when parts fail -----------------------------------------------------------


@pytest.fixture
def alice(cluster: Cluster, tmp_path: pathlib.Path) -> GridEngine:
    return GridEngine({"bin": cluster.programs}, gridengines.site(cluster.local(ALICE), tmp_path))


def test_gpus_memory_and_project_are_what_was_asked(alice: GridEngine) -> None:
    spec = HpcBed.spec(
        "true", "/tmp", queue="long.q", gpus=1, tasks=2, memory=700, account="fg82", is_held=True, output="/dev/null"
    )
    job_id = alice.submit(spec, token=wish())
    job = HpcBed.job(alice, job_id)
    alice.cancel(job_id)
    assert job
    assert (job.gpus, job.memory, job.cores, job.account, job.queue) == (1, 700, 2, "fg82", "long.q")


def test_a_gpu_that_is_used_is_counted(alice: GridEngine) -> None:
    job_id = alice.submit(HpcBed.spec("sleep 60", "/tmp", queue="all.q", gpus=1, output="/dev/null"), token=wish())
    HpcBed.becomes(alice, job_id, JobState.RUNNING)
    (node,) = alice.nodes()
    alice.cancel(job_id)
    assert (node.gpus, node.gpus_used) == (2, 1)


def test_a_job_that_cannot_be_started_says_why(alice: GridEngine, tmp_path: pathlib.Path) -> None:
    spec = HpcBed.spec("true", "/tmp", queue="all.q", output="/nonexistent/out")
    job_id = alice.submit(spec, token=wish())
    job = HpcBed.becomes(alice, job_id, JobState.HELD)
    alice.cancel(job_id)
    assert "/nonexistent" in job.reason
    assert HpcBed.becomes(alice, job_id, JobState.CANCELLED, JobState.FAILED).state.is_final


@pytest.mark.parametrize(("field", "value"), [("account", "nope"), ("queue", "nope"), ("directory", "/nonexistent")])
def test_what_it_refuses_names_the_field(alice: GridEngine, field: str, value: str) -> None:
    with pytest.raises(Rejected) as caught:
        alice.submit(dataclasses.replace(HpcBed.spec("true", "/tmp"), **{field: value}), token=wish())
    assert caught.value.facts["field"] == field


def test_a_queue_that_never_allows_it_is_told_before(alice: GridEngine) -> None:
    with pytest.raises(Rejected, match="no suitable queues"):
        alice.forecast(HpcBed.spec("true", "/tmp", queue="all.q", walltime=10**7))


def test_a_name_that_its_xml_does_not_take_spoils_no_list(cluster: Cluster, alice: GridEngine) -> None:
    shell = cluster.local(ALICE)
    odd = "a<b>&\"'c"
    made = shell.run(f"{cluster.programs}/qsub", "-terse", "-h", "-N", odd, given=b"true\n").output.decode().strip()
    job = HpcBed.job(alice, made)
    alice.cancel(made)
    assert job
    assert job.name.startswith("a")


def test_a_qmaster_that_is_away_is_told_by_each_command(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    shell = cluster.local(ALICE, SGE_QMASTER_PORT="1")
    away = GridEngine({"bin": cluster.programs}, gridengines.site(shell, tmp_path))
    calls = [
        lambda: away.submit(HpcBed.spec("true", "/tmp"), token=wish()),
        lambda: away.cancel("1"),
        lambda: away.hold("1"),
        lambda: away.release("1"),
        lambda: list(away.ended(["1"])),
    ]
    for call in calls:
        with pytest.raises(Unreachable, match="qmaster of Grid Engine does not answer"):
            call()


def test_a_qmaster_that_hangs_costs_no_more_than_the_site_gives(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shell = cluster.local(ALICE, SGE_QMASTER_PORT=str(silent.getsockname()[1]))
        hangs = GridEngine({"bin": cluster.programs}, gridengines.site(shell, tmp_path, timeout=2.0))
        began = time.monotonic()
        with pytest.raises(Busy, match="qmaster"):
            list(hangs.jobs())
        assert time.monotonic() - began < 4


def test_without_its_root_the_variable_is_named(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    shell = cluster.local(ALICE, SGE_ROOT="/nowhere")
    with pytest.raises(Rejected, match="Give the variable SGE_ROOT"):
        GridEngine({"bin": cluster.programs}, gridengines.site(shell, tmp_path)).check()
