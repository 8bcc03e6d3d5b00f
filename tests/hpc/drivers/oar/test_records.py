"""What an OAR 2.5.9 once answered, as records."""

import datetime

import pytest

from cloudmesh.types import Job, JobState, NodeState, QueueState
from hpc.drivers import Answer
from hpc.drivers.oar import Oar, records
from tests.hpc.drivers.oar.conftest import Connect
from tests.hpc.drivers.oar.login_node import LoginNode

IDS = [str(number) for number in range(78, 87)]


@pytest.fixture
def live(oar: Oar) -> dict[str, Job]:
    return {job.id: job for job in oar.jobs()}


@pytest.fixture
def ended(oar: Oar) -> dict[str, Job]:
    return {job.id: job for job in oar.ended([*IDS, "85_1", "85_2"])}


def test_what_runs_says_where_and_what_it_has(live: dict[str, Job]) -> None:
    job = live["87"]
    assert (job.state, job.name, job.login, job.account, job.queue) == (
        JobState.RUNNING, "Ünï \N{SNOWMAN}", "fsalice", "fg82", "default",
    )  # fmt: skip
    assert (job.nodes, job.tasks, job.cores, job.walltime) == (2, 4, 4, 3600)
    assert job.hosts == ("127.0.0.11", "127.0.0.12")
    assert job.started == datetime.datetime.fromtimestamp(job.native["startTime"], datetime.UTC)
    assert (job.ended, job.expected, job.used_cpu) == (None, None, None)
    assert (job.token, job.directory, job.output) == ("aaaa4", "/tmp", "/tmp/OAR.87.out")


def test_what_waits_says_what_it_asked_for_and_when_it_may_start(live: dict[str, Job]) -> None:
    job = live["89"]
    assert (job.state, job.nodes, job.cores, job.walltime) == (JobState.QUEUED, 4, 16, 7200)
    assert job.expected == datetime.datetime.fromtimestamp(job.native["scheduledStart"], datetime.UTC)
    assert job.started is None
    assert "free" in job.reason


def test_what_is_held_says_how_it_goes_on(live: dict[str, Job]) -> None:
    assert live["88"].state is JobState.HELD
    assert "release" in live["88"].reason


def test_waiting_tasks_are_one_job(live: dict[str, Job]) -> None:
    assert set(live) == {"87", "88", "89", "90"}
    assert (live["90"].array, live["90"].token, live["90"].state) == ("1-3", "bbbb", JobState.HELD)
    assert set(live["90"].native) == {"90", "91", "92"}


@pytest.mark.parametrize(
    ("job_id", "state", "code", "signal", "word"),
    [
        ("78", JobState.COMPLETED, 0, None, ""),
        ("79", JobState.FAILED, 3, None, "exit code 3"),
        ("80", JobState.FAILED, None, 9, "signal 9"),
        ("81", JobState.TIMEOUT, None, None, "time limit"),
        ("82", JobState.CANCELLED, None, None, "cancelled"),
        ("83", JobState.FAILED, None, None, "folder"),
        ("84", JobState.CANCELLED, None, None, "cancelled"),
        ("85_1", JobState.COMPLETED, 0, None, ""),
        ("85", JobState.COMPLETED, None, None, ""),
    ],
)
def test_how_it_ended(
    ended: dict[str, Job], job_id: str, state: JobState, code: int | None, signal: int | None, word: str
) -> None:
    job = ended[job_id]
    assert (job.state, job.exit_code, job.signal) == (state, code, signal)
    assert word in job.reason
    assert job.ended


def test_what_never_ran_ended_when_it_was_cancelled(ended: dict[str, Job]) -> None:
    job = ended["84"]
    assert job.native["stopTime"] == 0
    assert job.started is None
    assert job.ended == datetime.datetime.fromtimestamp(job.native["events"][0]["date"], datetime.UTC)


def test_use_is_cores_by_time_and_an_array_has_used_nothing_itself(ended: dict[str, Job]) -> None:
    job = ended["81"]
    assert job.started
    assert job.ended
    assert job.cores == 4
    assert job.used_cpu == (job.ended - job.started).seconds * 4
    assert (ended["85"].array, ended["85"].used_cpu, ended["85"].cores) == ("1-2", None, 0)


def test_only_what_was_asked_for_is_told(oar: Oar) -> None:
    assert [job.id for job in oar.ended(["79", "79", "12"])] == ["79"]


def test_what_ended_before_is_left_out(oar: Oar, ended: dict[str, Job]) -> None:
    since = ended["83"].ended
    assert since
    found = {job.id for job in oar.ended((), since=since)}
    assert "83" in found
    assert found == {job.id for job in ended.values() if job.ended and job.ended >= since} - {"85"}


def test_a_state_that_is_new_is_unknown() -> None:
    native = {"Job_Id": 7, "array_id": 7, "array_index": 1, "state": "Dreaming", "owner": "fsbob"}
    assert records.job(native).state is JobState.UNKNOWN


@pytest.mark.parametrize(
    ("message", "dependencies", "said"),
    [
        ("R=1,W=1:0:0,J=B (Karma=0.000,quota_ok)", [], "free"),
        ("Cannot determine scheduling time due to dependency with the job 1", [1], "other jobs"),
        ("R=1,W=1:0:0,J=B (quota exceeded: default)", [], "quota"),
        ("No enough matching resources (no_matching_slot)", [], "OAR says: No enough"),
    ],
)
def test_why_it_waits(message: str, dependencies: list[int], said: str) -> None:
    native = {"Job_Id": 7, "array_id": 7, "array_index": 1, "state": "Waiting", "message": message}
    assert said in records.job({**native, "dependencies": dependencies}).reason


def test_a_task_that_runs_is_its_own_and_those_of_others_are_plain_jobs() -> None:
    task = {
        "Job_Id": 14,
        "array_id": 12,
        "array_index": 3,
        "state": "Running",
        "command": "/home/a/.cloudmesh/oar/ab-3",
    }
    waits = {**task, "Job_Id": 12, "array_index": 1, "state": "Waiting"}
    later = {**waits, "Job_Id": 13, "array_index": 2}
    other = {**task, "Job_Id": 22, "array_id": 20, "command": "./run-3"}
    found = {job.id: job for job in records.jobs([task, waits, later, other])}
    assert set(found) == {"12", "12_3", "22"}
    assert (found["12"].array, found["12"].token, found["12_3"].token, found["22"].token) == ("1-2", "ab", "ab", "")


# -- nodes and queues ------------------------------------------------------------------------------------------


def test_nodes_are_their_cores(oar: Oar) -> None:
    nodes = {node.name: node for node in oar.nodes()}
    assert {name: (node.state, node.cores, node.cores_used) for name, node in nodes.items()} == {
        "127.0.0.11": (NodeState.MIXED, 4, 2),
        "127.0.0.12": (NodeState.MIXED, 4, 2),
        "127.0.0.13": (NodeState.OFF, 4, 0),
        "127.0.0.14": (NodeState.DRAINED, 4, 0),
    }
    assert nodes["127.0.0.11"].jobs == ("87",)
    assert nodes["127.0.0.13"].reason


def test_queues_are_told_with_their_state(oar: Oar) -> None:
    queues = {queue.name: queue for queue in oar.queues()}
    assert set(queues) == {"admin", "besteffort", "default"}
    assert all(queue.state is QueueState.OPEN and queue.cores == 16 and queue.nodes == 4 for queue in queues.values())
    assert [name for name, queue in queues.items() if queue.is_default] == ["default"]


@pytest.mark.parametrize("code", [126, 127])
def test_queues_are_those_that_were_named_where_oar_does_not_tell(connect: Connect, code: int) -> None:
    node = LoginNode(oarnotify=Answer(code, b"", "oarnotify: Permission denied"))
    queues = list(connect(node, queues="default, night").queues())
    assert [(queue.name, queue.state) for queue in queues] == [
        ("default", QueueState.UNKNOWN),
        ("night", QueueState.UNKNOWN),
    ]
