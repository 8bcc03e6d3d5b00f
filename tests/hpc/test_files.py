"""What goes with a job to its cluster and what comes back from its directory, on a simulated scheduler."""

import base64
from typing import Any

import pytest

from accounts.models import User
from cloudmesh.errors import Conflict, Invalid, NotAllowed
from hpc import services
from hpc.drivers.simulator import control
from hpc.models import Cluster, Experiment, Input, Job
from hpc.tasks import forget_readings
from operations import services as operations
from operations.models import Operation
from tests import factories
from tests.hpc.test_jobs import run, submit, told

pytestmark = pytest.mark.django_db
BYTES = bytes(range(256))


@pytest.fixture
def job(cluster: Cluster, member: User) -> Job:
    files = [{"path": "in.bin", "content": BYTES}, {"path": "data/deep/täxt.csv", "content": b"a,b\n"}]
    return run(submit(cluster, member, "echo hello\nsleep 1000\n", files=files))


def listed(job: Job, actor: User, path: str = "") -> dict[str, tuple[str, int]]:
    answer = told(services.list_job_files(actor=actor, job=job, path=path))
    return {each["path"]: (each["kind"], each["size"]) for each in answer.result["files"]}


def test_files_go_with_a_job_and_come_back(job: Job, member: User) -> None:
    assert listed(job, member).items() >= {("in.bin", ("file", 256)), ("data", ("directory", 0))}
    assert listed(job, member, "data/deep") == {"data/deep/täxt.csv": ("file", 4)}
    raw = told(services.read_job_file(actor=member, job=job, path="in.bin", is_raw=True, offset=250))
    assert base64.b64decode(raw.result["data"]) == BYTES[250:]
    assert (raw.result["next"], raw.result["size"]) == (256, 256)
    text = told(services.read_job_file(actor=member, job=job, path="in.bin"))
    assert text.result["text"].startswith("\N{REPLACEMENT CHARACTER}\x01")  # a NUL cannot be kept
    assert not Input.objects.exists()


def test_a_second_attempt_writes_what_the_first_left_out(
    cluster: Cluster, hpc_world: control.World, member: User
) -> None:
    control.fail(hpc_world, "write", "busy", times=1)
    job = submit(cluster, member, files=[{"path": name, "content": b"x"} for name in ("a", "b")])
    factories.do_all_work()
    Operation.objects.update(not_before=factories.LONG_AGO)
    assert listed(run(job), member).keys() >= {"a", "b"}


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["../x"], "cannot be a file's path"),
        (["/etc/x"], "cannot be a file's path"),
        (["a\nb"], "cannot be a file's path"),
        (["x" * 300], "cannot be a file's path"),
        (["a", "a"], "named twice"),
        (["a", "a/b"], "named twice"),
        ([f"f{number}" for number in range(101)], "up to 100 files"),
    ],
)
def test_files_that_cannot_be_are_refused_and_nothing_is_asked(
    cluster: Cluster, member: User, paths: list[str], words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        submit(cluster, member, files=[{"path": path, "content": b"x"} for path in paths])
    assert not Experiment.objects.exists()


def test_too_much_is_refused(cluster: Cluster, member: User) -> None:
    with pytest.raises(Invalid, match="3 MiB together"):
        submit(cluster, member, files=[{"path": "a", "content": b"x" * (3 * 2**20 + 1)}])
    with pytest.raises(Invalid, match="directory of an experiment"):
        submit(cluster, member, experiment=False, files=[{"path": "a", "content": b"x"}])


@pytest.mark.parametrize("path", ["../secret", "a/../../b", "/etc/passwd", "a\0b"])
def test_no_path_leads_out(job: Job, member: User, path: str) -> None:
    with pytest.raises(Invalid, match="leads out"):
        services.read_job_file(actor=member, job=job, path=path)
    with pytest.raises(Invalid, match="leads out"):
        services.list_job_files(actor=member, job=job, path=path)


def test_others_read_nothing_and_what_was_read_is_told_to_the_reader_alone(
    job: Job, member: User, lead: User, stranger: User
) -> None:
    with pytest.raises(NotAllowed):
        services.list_job_files(actor=stranger, job=job)
    answer = told(services.read_job_file(actor=member, job=job, path="in.bin"))
    assert operations.result_of(answer, actor=member)["offset"] == 0
    assert operations.result_of(answer, actor=lead) == {}


def test_a_job_without_a_directory_has_no_files(cluster: Cluster, member: User) -> None:
    job = run(submit(cluster, member, "sleep 1000", experiment=False))
    with pytest.raises(Conflict, match="no directory"):
        services.list_job_files(actor=member, job=job)


def test_what_is_taken_back_keeps_no_files(cluster: Cluster, member: User) -> None:
    job = submit(cluster, member, files=[{"path": "a", "content": b"x"}])
    operations.cancel(actor=member, operation=Operation.objects.get(target_id=job.pk))
    factories.do_all_work()
    assert not Input.objects.exists()


def test_what_was_read_is_forgotten(job: Job, member: User) -> None:
    answer: Any = told(services.read_job_file(actor=member, job=job, path="in.bin"))
    forget_readings()
    assert Operation.objects.filter(pk=answer.pk).exists()
    Operation.objects.filter(pk=answer.pk).update(finished_at=factories.LONG_AGO)
    forget_readings()
    assert not Operation.objects.filter(pk=answer.pk).exists()
