"""The contract of HPC drivers on a real Slurm (tests/live/slurm/up.sh), by its commands and by slurmrestd."""

import dataclasses
import os
import pathlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from cloudmesh.errors import Busy, Refused, Rejected, Unreachable
from cloudmesh.types import JobState
from hpc.backends.connections import exchange
from hpc.drivers import HpcDriver, Shell, Site
from hpc.drivers.slurm import Slurm
from tests.hpc.drivers.bed import HpcBed, Read, unique, wish
from tests.hpc.drivers.contract import HpcContract
from tests.live import slurms
from tests.live.slurms import Cluster

pytestmark = pytest.mark.live
ALICE, BOB = "fsalice", "fsbob"
NOBODY = "127.0.0.1:1"  # where nothing listens


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    found = slurms.named()
    if found is None:
        pytest.skip("no Slurm: run tests/live/slurm/up.sh as root")
    yield found
    exchange().close()


class SlurmContract(HpcContract):
    driver_class = Slurm
    pause = 0.3
    queue: ClassVar[str] = "debug"

    @classmethod
    def shell(cls, cluster: Cluster, login: str) -> Shell | None:
        return cluster.local(login)

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return slurms.site(cls.shell(cluster, ALICE), tmp_path_factory.mktemp("state"))

    @pytest.fixture(scope="class")
    @classmethod
    def other_site(cls, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return slurms.site(cls.shell(cluster, BOB), tmp_path_factory.mktemp("state"))

    @pytest.fixture
    @classmethod
    def unreachable(cls, cluster: Cluster, site: Site) -> HpcDriver:
        conf = cluster.without("all", SlurmctldPort="1", AccountingStoragePort="1")
        return Slurm({}, dataclasses.replace(site, shell=cluster.local(ALICE, conf), timeout=3.0))


class TestLocal(SlurmContract):
    """On the portal's machine, in text, as a Slurm answers that has no JSON."""

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls) -> Mapping[str, str]:
        return {"answers": "text"}


class TestSsh(SlurmContract):
    """On a login node, in JSON."""

    @classmethod
    def shell(cls, cluster: Cluster, login: str) -> Shell | None:
        return cluster.ssh(login)


class TestRest(SlurmContract):
    @classmethod
    def shell(cls, cluster: Cluster, login: str) -> Shell | None:
        return None

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls, cluster: Cluster) -> Mapping[str, str]:
        return {"url": cluster.url, "login": ALICE, "token": cluster.token(ALICE)}

    @pytest.fixture(scope="class")
    @classmethod
    def other_credential(cls, cluster: Cluster) -> Mapping[str, str]:
        return {"url": cluster.url, "login": BOB, "token": cluster.token(BOB)}

    @pytest.fixture(scope="class")
    @classmethod
    def wrong_credential(cls, cluster: Cluster) -> Mapping[str, str]:
        return {"url": cluster.url, "login": ALICE, "token": cluster.token(BOB)}

    @pytest.fixture(scope="class")
    @classmethod
    def directory(cls, cluster: Cluster, site: Site) -> Iterator[str]:
        yield from cls.made_directory(dataclasses.replace(site, shell=cluster.local(ALICE)))

    @pytest.fixture(scope="class")
    @classmethod
    def other_directory(cls, cluster: Cluster, site: Site) -> Iterator[str]:
        yield from cls.made_directory(dataclasses.replace(site, shell=cluster.local(BOB)))

    @pytest.fixture(scope="class")
    @classmethod
    def read(cls, cluster: Cluster) -> Read:
        shell = cluster.local(ALICE)
        return lambda path: shell.run("cat", "--", path).output

    @pytest.fixture
    @classmethod
    def unreachable(cls, cluster: Cluster, credential: Mapping[str, str], site: Site) -> HpcDriver:
        return Slurm({**credential, "url": f"http://{NOBODY}"}, site)


# -- what Slurm alone has --------------------------------------------------------------------------------------


@pytest.fixture(params=["local", "rest"])
def alice(request: pytest.FixtureRequest, cluster: Cluster, tmp_path: pathlib.Path) -> Slurm:
    if request.param == "local":
        return Slurm({}, slurms.site(cluster.local(ALICE), tmp_path))
    credential = {"url": cluster.url, "login": ALICE, "token": cluster.token(ALICE)}
    return Slurm(credential, slurms.site(None, tmp_path))


def test_gpus_and_memory_are_what_was_asked(alice: Slurm) -> None:
    spec = HpcBed.spec("sleep 60", "/tmp", queue="debug", gpus=1, nodes=2, tasks=2, memory=700, is_held=True)
    job_id = alice.submit(spec, token=wish())
    job = HpcBed.job(alice, job_id)
    alice.cancel(job_id)
    assert job
    assert (job.gpus, job.memory, job.nodes, job.tasks, job.cores) == (2, 1400, 2, 2, 2)


def test_a_job_that_cannot_run_says_why_it_waits(alice: Slurm) -> None:
    job_id = alice.submit(HpcBed.spec("true", "/tmp", queue="debug", nodes=99, tasks=99), token=wish())
    job = HpcBed.until(lambda: (found := HpcBed.job(alice, job_id)) and found.reason and found, "a reason")
    alice.cancel(job_id)
    assert (job.state, job.reason.partition(":")[0]) == (JobState.QUEUED, "The queue does not allow what it asks for")


@pytest.mark.parametrize(
    ("field", "value"), [("account", "none"), ("queue", "none"), ("qos", "none"), ("queue", "old"), ("array", "1-x")]
)
def test_what_slurm_refuses_names_the_field(alice: Slurm, field: str, value: str) -> None:
    with pytest.raises(Rejected) as caught:
        alice.submit(HpcBed.spec("true", "/tmp", **{field: value}), token=wish())
    assert caught.value.facts["field"] == field


def test_what_ran_is_accounted_with_its_use(alice: Slurm) -> None:
    script = "python3 -c 'import time; x = bytearray(100 * 2**20); time.sleep(5)'"
    job_id = alice.submit(HpcBed.spec(script, "/tmp", queue="debug", output="/dev/null"), token=wish())
    HpcBed.becomes(alice, job_id, JobState.COMPLETED)
    job = HpcBed.until(lambda: next(iter(alice.ended([job_id])), None), "its account")
    assert job.used_memory
    assert 90 < job.used_memory < 400
    assert job.used_cpu is not None
    assert (job.cores, job.memory, job.account) == (1, 500, "fg82")


# -- when parts fail -------------------------------------------------------------------------------------------


@pytest.fixture
def away(cluster: Cluster, tmp_path: pathlib.Path) -> Slurm:
    conf = cluster.without("controller", SlurmctldPort="1")
    return Slurm({}, slurms.site(cluster.local(ALICE, conf), tmp_path))


def test_without_its_controller_jobs_are_unknown_and_accounting_is_not(away: Slurm) -> None:
    began = time.monotonic()
    with pytest.raises(Unreachable, match="slurmctld"):
        list(away.jobs())
    assert time.monotonic() - began < 20
    assert list(away.ended(["99999999"])) == []


def test_without_its_controller_nothing_is_submitted(away: Slurm) -> None:
    with pytest.raises(Unreachable, match="slurmctld"):
        away.submit(HpcBed.spec("true", "/tmp"), token=wish())


def test_without_accounting_jobs_are_known_and_no_wish_is_given_up(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    conf = cluster.without("accounting", AccountingStoragePort="1")
    slurm = Slurm({}, slurms.site(cluster.local(ALICE, conf), tmp_path))
    assert slurm.check().startswith("Slurm")
    with pytest.raises(Unreachable, match="slurmdbd"):
        list(slurm.ended(["12"]))
    with pytest.raises(Unreachable, match="slurmdbd"):
        slurm.find(wish())


def test_without_munge_the_administrator_is_named(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    conf = cluster.without("munge", AuthInfo="socket=/nowhere", AccountingStoragePass="/nowhere")
    slurm = Slurm({}, slurms.site(cluster.local(ALICE, conf), tmp_path))
    for call in (slurm.check, lambda: list(slurm.jobs()), lambda: slurm.cancel("1"), lambda: list(slurm.ended(["1"]))):
        with pytest.raises(Unreachable, match="administrator has to start munged"):
            call()
    with pytest.raises(Unreachable, match="start munged"):
        slurm.submit(HpcBed.spec("true", "/tmp"), token=wish())


def test_a_controller_that_hangs_costs_no_more_than_the_site_gives(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        conf = cluster.without("answer", SlurmctldPort=str(silent.getsockname()[1]))
        slurm = Slurm({}, slurms.site(cluster.local(ALICE, conf), tmp_path, timeout=2.0))
        began = time.monotonic()
        with pytest.raises(Busy, match="controller"):
            list(slurm.jobs())
        assert time.monotonic() - began < 4


@pytest.fixture
def lonely(cluster: Cluster) -> Iterator[str]:
    """A slurmrestd whose controller is away."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    conf = cluster.without("controller", SlurmctldPort="1")
    offers = "openapi/v0.0.38,openapi/dbv0.0.38"
    command = ["setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups", "slurmrestd", "-a", "rest_auth/jwt"]
    environment = {**os.environ, "SLURM_CONF": conf, "SLURM_JWT": "daemon"}
    with subprocess.Popen([*command, "-s", offers, f"127.0.0.1:{port}"], env=environment, cwd="/") as process:
        try:
            HpcBed.until(lambda: listens(port), "slurmrestd")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_slurmrestd_without_its_controller_is_no_wrong_token(
    cluster: Cluster, lonely: str, tmp_path: pathlib.Path
) -> None:
    def slurm(token: str) -> Slurm:
        return Slurm({"url": lonely, "login": ALICE, "token": token}, slurms.site(None, tmp_path))

    with pytest.raises(Unreachable, match="slurmctld"):
        list(slurm(cluster.token(ALICE)).jobs())
    with pytest.raises(Refused, match="token"):
        list(slurm("none.of.them").jobs())


def test_a_token_that_ended_is_refused(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    token = cluster.token(ALICE, seconds=1)
    time.sleep(2.5)
    slurm = Slurm({"url": cluster.url, "login": ALICE, "token": token}, slurms.site(None, tmp_path))
    for call in (slurm.check, lambda: list(slurm.jobs()), lambda: slurm.cancel("1"), lambda: list(slurm.ended(["1"]))):
        with pytest.raises(Refused, match="token"):
            call()
    with pytest.raises(Refused, match="token"):
        slurm.submit(HpcBed.spec("true", "/tmp", name=unique()), token=wish())
