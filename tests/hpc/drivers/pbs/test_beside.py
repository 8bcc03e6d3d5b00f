"""What PBS does beside the contract: ended jobs that are forgotten, products that are mixed up, arrays, and ssh."""

import pathlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import Job, JobSpec, JobState
from hpc.backends.local import Local
from hpc.drivers.pbs import Pbs
from tests.hpc.backends.conftest import reach, sshd  # noqa: F401  # fixtures
from tests.hpc.backends.sshd import ME
from tests.hpc.drivers.pbs import servers
from tests.hpc.drivers.pbs.servers import Person, Server

Reach = Callable[..., Any]
Start = Callable[..., Pbs]


@pytest.fixture
def start(tmp_path: pathlib.Path) -> Start:
    def start(product: str, **settings: Any) -> Pbs:
        server = servers.start(tmp_path / "pbs", product, **settings)
        return driver_of(server, product, tmp_path)

    return start


def driver_of(server: Server, product: str, tmp_path: pathlib.Path, **credential: str) -> Pbs:
    shell = Person(Local(ME, environment=server.environment), "alice")
    return Pbs({"product": product, **credential}, servers.site(shell, tmp_path))


def spec(tmp_path: pathlib.Path, script: str = "echo done", **changes: Any) -> JobSpec:
    return JobSpec(**{"name": "beside", "script": script, "directory": str(tmp_path), **changes})


def becomes(driver: Pbs, job_id: str, state: JobState) -> Job:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = {job.id: job for job in [*driver.ended([job_id]), *driver.jobs()]}
        if job_id in found and found[job_id].state is state:
            return found[job_id]
        time.sleep(0.1)
    raise AssertionError(f"{job_id} is {found.get(job_id)}")


def is_away(driver: Pbs, job_id: str) -> bool:
    end = time.monotonic() + 20
    while any(job.id == job_id for job in driver.jobs()) and time.monotonic() < end:
        time.sleep(0.1)
    return job_id not in {job.id for job in driver.jobs()}


@pytest.mark.parametrize(("product", "other"), [("openpbs", "torque"), ("torque", "openpbs")])
def test_the_wrong_product_is_told(tmp_path: pathlib.Path, product: str, other: str) -> None:
    server = servers.start(tmp_path / "pbs", product)
    assert driver_of(server, product, tmp_path).check().endswith("as alice")
    with pytest.raises(Rejected, match="choose") as refusal:
        driver_of(server, other, tmp_path).check()
    assert refusal.value.facts["field"] == "product"


def test_newer_json_says_the_same(start: Start, tmp_path: pathlib.Path) -> None:
    driver = start("openpbs", version="23.06.06")
    job_id = driver.submit(spec(tmp_path), token="a-wish")
    assert becomes(driver, job_id, JobState.COMPLETED).exit_code == 0
    assert driver.find("a-wish") == job_id
    assert [job.name for job in driver.jobs()] == ["say\"hi\\<b>&'1e5"]
    assert driver.check() == "OpenPBS 23.06.06 as alice"


def test_without_history_openpbs_knows_nothing_of_ended_jobs(start: Start, tmp_path: pathlib.Path) -> None:
    driver = start("openpbs", history=False, keep=0)
    held = driver.submit(spec(tmp_path, is_held=True), token="held")
    assert driver.find("held") == held
    job_id = driver.submit(spec(tmp_path), token="gone")
    assert is_away(driver, job_id)
    assert list(driver.ended([job_id])) == list(driver.ended((), since=None)) == []
    assert driver.find("gone") == ""
    driver.cancel(job_id)
    with pytest.raises(Gone, match="Unknown Job Id"):
        driver.release(job_id)


def test_torque_forgets_ended_jobs(start: Start, tmp_path: pathlib.Path) -> None:
    driver = start("torque", keep=1)
    job_id = driver.submit(spec(tmp_path), token="gone")
    becomes(driver, job_id, JobState.COMPLETED)
    assert is_away(driver, job_id)
    assert list(driver.ended([job_id])) == []
    assert driver.find("gone") == ""
    driver.cancel(job_id)


@pytest.mark.parametrize("product", ["openpbs", "torque"])
def test_one_may_follow_an_array(start: Start, tmp_path: pathlib.Path, product: str) -> None:
    driver = start(product)
    index = "$PBS_ARRAYID$PBS_ARRAY_INDEX"
    array = driver.submit(spec(tmp_path, f"echo {index} >{index}.txt", array="2-6:2%2"), token="array")
    after = driver.submit(spec(tmp_path, "cat [246].txt", after=(array,)), token="after")
    done = becomes(driver, after, JobState.COMPLETED)
    assert pathlib.Path(done.output).read_text() == "2\n4\n6\n"
    assert becomes(driver, array, JobState.COMPLETED).login == "alice"


@pytest.mark.parametrize("product", ["openpbs", "torque"])
def test_an_array_fails_with_one_of_its_tasks(start: Start, tmp_path: pathlib.Path, product: str) -> None:
    driver = start(product)
    array = driver.submit(spec(tmp_path, "exit $((PBS_ARRAYID + PBS_ARRAY_INDEX - 1))", array="1-2"), token="array")
    assert becomes(driver, array, JobState.FAILED).reason == "Some of its tasks did not succeed."
    one, two = array.replace("[]", "[1]"), array.replace("[]", "[2]")
    assert [(job.id, job.exit_code) for job in driver.ended([two])] == [(two, 1)]
    assert {job.id for job in driver.ended([array])} == {array, one, two}


@pytest.mark.parametrize("product", ["openpbs", "torque"])
def test_a_script_sees_where_it_was_submitted(start: Start, tmp_path: pathlib.Path, product: str) -> None:
    driver, inside = start(product), tmp_path / "it's here"
    inside.mkdir()
    python = "#!/usr/bin/env python3\nimport os\nprint(os.getcwd() == os.environ['PBS_O_WORKDIR'])"
    job_id = driver.submit(spec(inside, python, output=str(tmp_path / "where.out")), token="where")
    assert becomes(driver, job_id, JobState.COMPLETED).directory == str(inside)
    assert (tmp_path / "where.out").read_text() == "True\n"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"queue": "old"}, "queue"),
        ({"queue": "workq@elsewhere"}, "queue"),
        ({"walltime": 90000}, None),
        ({"directory": "/no/such/folder"}, "directory"),
        ({"output": "/tmp/other:host"}, "output"),
        ({"error": "relative"}, "error"),
        ({"array": "1-x"}, "array"),
        ({"account": "--interactive"}, "account"),
    ],
)
@pytest.mark.parametrize("product", ["openpbs", "torque"])
def test_what_is_wrong_is_told_with_its_field(
    start: Start, tmp_path: pathlib.Path, product: str, changes: dict[str, Any], field: str | None
) -> None:
    driver = start(product)
    with pytest.raises(Rejected, match=r"\w+ \w+") as refusal:
        driver.submit(spec(tmp_path, **changes), token="never")
    assert refusal.value.facts.get("field") == field
    assert driver.find("never") == ""


def test_the_commands_may_be_in_a_folder_of_their_own(tmp_path: pathlib.Path) -> None:
    server = servers.start(tmp_path / "pbs", "torque")
    (tmp_path / "few").mkdir()
    (tmp_path / "few/env").symlink_to("/usr/bin/env")
    environment = {**server.environment, "PATH": str(tmp_path / "few")}
    shell = Person(Local(ME, environment=environment), "alice")
    site = servers.site(shell, tmp_path)
    with pytest.raises(Rejected, match="There is no qstat") as refusal:
        Pbs({"product": "torque"}, site).check()
    assert refusal.value.facts["field"] == "bin"
    assert Pbs({"product": "torque", "bin": str(server.bin)}, site).check() == "Torque 6.1.2 as alice"


def test_a_login_node_is_reached_by_ssh(reach: Reach, tmp_path_factory: pytest.TempPathFactory) -> None:  # noqa: F811
    place = tmp_path_factory.mktemp("ssh")
    server = servers.start(place / "pbs", "openpbs")
    driver = Pbs({"product": "openpbs"}, servers.site(reach(environment=server.environment), place))
    job_id = driver.submit(spec(place, "echo 'over ssh'"), token="ssh")
    done = becomes(driver, job_id, JobState.COMPLETED)
    assert (done.login, driver.find("ssh")) == (ME, job_id)
    assert pathlib.Path(done.output).read_text() == "over ssh\n"
