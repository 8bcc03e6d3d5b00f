"""The files of a simulated scheduler keep the contract of files at a cluster."""

import pytest

from cloudmesh.errors import Full, Rejected
from hpc.drivers import Files
from hpc.drivers.simulator import Simulator, control
from tests.hpc.drivers.simulator.conftest import DEMO, Submit
from tests.hpc.files_contract import FilesContract


@pytest.fixture
def root(driver: Simulator) -> str:
    home = driver.files("/home/demo")
    assert home
    home.make("it's a root")
    return "/home/demo/it's a root"


@pytest.fixture
def files(driver: Simulator, root: str) -> Files:
    found = driver.files(root)
    assert found
    return found


class TestFiles(FilesContract):
    pass


def test_each_has_a_home_of_their_own(driver: Simulator, world: control.World, root: str) -> None:
    control.add_person(world, "grete", "secret")
    grete = Simulator({**DEMO, "username": "grete", "password": "secret"}, driver.site)
    home = grete.files("/home/grete")
    assert home
    assert home.entries() == []
    with pytest.raises(Rejected, match="Permission denied"):
        grete.files(root)


def test_a_quota_of_bytes_is_full(files: Files, world: control.World) -> None:
    control.set_limits(world, max_bytes=100)
    files.write("some", bytes(90))
    with pytest.raises(Full, match="90 of 100 bytes"):
        files.write("more", bytes(20))
    files.remove("some")
    files.write("more", bytes(20))


def test_what_a_job_writes_is_followed_while_it_runs(
    driver: Simulator, files: Files, root: str, submit: Submit
) -> None:
    job_id = submit("echo early\nsleep 100\necho late", output=f"{root}/out")
    seen = set()
    while still(driver, job_id):
        seen.add(files.read("out").data if "out" in {entry.name for entry in files.entries()} else b"")
    assert b"early\n" in seen
    assert files.read("out").data == b"early\nlate\n"
    assert [entry.size for entry in files.entries()] == [11]
    files.remove("out")
    assert files.entries() == []


def still(driver: Simulator, job_id: str) -> bool:
    return any(job.id == job_id and job.ended is None for job in driver.jobs())
