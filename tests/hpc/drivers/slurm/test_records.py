"""Jobs, queues, nodes and accounts as Slurm 22.05 told them, by each of its tongues."""

import datetime

import pytest

from cloudmesh.types import Job, JobState, NodeState, QueueState
from hpc.drivers.slurm import Slurm, records
from tests.hpc.drivers.slurm.conftest import Connect
from tests.hpc.drivers.slurm.login_node import LoginNode

HOME = "/home/fsalice"


def at(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


@pytest.fixture(params=["json", "text"])
def jobs(request: pytest.FixtureRequest, connect: Connect, node: LoginNode) -> dict[str, Job]:
    return {job.name: job for job in connect(node, answers=request.param).jobs() if "_" not in job.id}


def test_a_running_job_says_what_it_has(jobs: dict[str, Job]) -> None:
    job = jobs["plain"]
    assert (job.id, job.state, job.reason, job.login) == ("221", JobState.RUNNING, "", "fsalice")
    assert (job.queue, job.account, job.qos, job.token) == ("batch", "fg82", "normal", "f00d")
    assert (job.nodes, job.tasks, job.cores, job.gpus, job.memory) == (2, 4, 8, 2, 2000)
    assert (job.walltime, job.submitted, job.started) == (1200, at(1795403059), at(1795403060))
    assert (job.expected, job.ended, job.exit_code, job.signal) == (None, None, None, None)
    assert job.hosts == ("i001", "i002")
    assert (job.directory, job.output, job.error) == (HOME, f"{HOME}/out-221-plain.txt", f"{HOME}/out-221-plain.txt")


def test_the_waiting_tasks_of_an_array_are_one_job(jobs: dict[str, Job]) -> None:
    job = jobs["array"]
    assert (job.id, job.array, job.state) == ("223", "3-10%2", JobState.QUEUED)
    assert job.reason == "As many tasks of its array run as may at once."
    assert (job.started, job.expected, job.hosts) == (None, None, ())


@pytest.mark.parametrize("answers", ["json", "text"])
def test_a_task_that_runs_is_a_job_of_its_own(connect: Connect, node: LoginNode, answers: str) -> None:
    task = next(job for job in connect(node, answers=answers).jobs() if job.id == "223_1")
    assert (task.array, task.state, task.hosts) == ("", JobState.RUNNING, ("i001",))
    assert task.output == f"{HOME}/slurm-223_1.out"


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("held", JobState.HELD, "It is held: release it to let it go on."),
        ("dep", JobState.QUEUED, "It waits for other jobs to end."),
        (
            "big",
            JobState.QUEUED,
            "The queue does not allow what it asks for: ask for less, or choose another queue.",
        ),
    ],
)
def test_why_a_job_waits(connect: Connect, node: LoginNode, name: str, state: JobState, reason: str) -> None:
    job = next(job for job in connect(node).jobs() if job.name == name)
    assert (job.state, job.reason) == (state, reason)
    assert job.native["state_reason"] in ("JobHeldUser", "Dependency", "PartitionConfig")


def test_what_a_job_waits_for(jobs: dict[str, Job]) -> None:
    assert jobs["dep"].dependency == "afterok:221(unfulfilled)"


def test_how_jobs_ended(connect: Connect, node: LoginNode) -> None:
    ended = {job.name: (job.state, job.reason, job.exit_code, job.signal) for job in connect(node).jobs() if job.ended}
    assert ended == {
        "fails": (JobState.FAILED, "It ended with exit code 3.", 3, None),
        "killed": (JobState.FAILED, "It was ended by signal 9 (SIGKILL).", None, 9),
        "cancelled": (JobState.CANCELLED, "It was cancelled.", 0, None),
    }


def test_a_job_that_was_cancelled_before_it_began_never_started(connect: Connect, node: LoginNode) -> None:
    job = next(job for job in connect(node).jobs() if job.name == "cancelled")
    assert (job.started, job.ended) == (None, at(1795403060))


def test_a_name_of_several_lines_tears_no_table(connect: Connect, node: LoginNode) -> None:
    by_json, by_text = (
        {job.id: (job.name, job.state) for job in connect(node, answers=answers).jobs()} for answers in ("json", "text")
    )
    assert by_json["228"] == ('uses; rm -rf ~ \n"x" é%', JobState.RUNNING)
    assert {key: value for key, value in by_json.items() if key in by_text} == by_text


def test_what_counts_up_is_not_kept(connect: Connect, node: LoginNode) -> None:
    assert all("last_sched_evaluation" not in job.native for job in connect(node).jobs())


# -- queues and nodes ------------------------------------------------------------------------------------------


def test_queues_have_their_limits_and_load(slurm: Slurm) -> None:
    batch, long, debug, old = slurm.queues()
    assert (batch.name, batch.state, batch.is_default, batch.priority) == ("batch", QueueState.OPEN, True, 1)
    assert (batch.max_walltime, batch.default_walltime, batch.max_nodes) == (86400, 3600, None)
    assert (batch.nodes, batch.cores, batch.cores_used) == (3, 24, sum(node.cores_used for node in slurm.nodes()))
    assert (long.max_walltime, long.default_walltime, long.max_nodes, long.is_default) == (604800, None, 2, False)
    assert (debug.max_walltime, debug.priority, debug.nodes) == (1800, 10, 6)
    assert (old.state, old.max_walltime) == (QueueState.DOWN, None)


def test_nodes_say_what_of_them_is_used(slurm: Slurm) -> None:
    nodes = {node.name: node for node in slurm.nodes()}
    first = nodes["i001"]
    assert (first.cores, first.memory, first.gpus, first.queues) == (8, 16000, 2, ("batch", "debug"))
    assert (first.gpus_used, first.properties) == (1, ())
    assert first.state in (NodeState.BUSY, NodeState.MIXED)
    assert first.cores_used > 0
    assert first.memory_used >= 1000
    assert first.load is not None
    assert "Linux" in first.native["OS"]
    assert (nodes["i006"].state, nodes["i006"].cores_used) == (NodeState.FREE, 0)


def test_a_drained_node_says_why(slurm: Slurm) -> None:
    node = next(node for node in slurm.nodes() if node.name == "i005")
    assert (node.state, node.reason.partition(" [")[0]) == (NodeState.DRAINED, "fans are loud")


@pytest.mark.parametrize(
    ("native", "state"),
    [
        ({"state": "idle", "state_flags": []}, NodeState.FREE),
        ({"state": "idle", "state_flags": ["DRAIN"]}, NodeState.DRAINED),
        ({"state": "mixed", "state_flags": ["DRAIN"]}, NodeState.DRAINING),
        ({"state": "idle", "state_flags": ["COMPLETING", "DRAIN"]}, NodeState.DRAINING),
        ({"state": ["IDLE", "DRAIN"]}, NodeState.DRAINED),
        ({"state": ["ALLOCATED"]}, NodeState.BUSY),
        ({"state": ["IDLE", "NOT_RESPONDING"]}, NodeState.DOWN),
        ({"state": ["DOWN", "DRAIN"]}, NodeState.DOWN),
        ({"state": ["IDLE", "POWERED_DOWN"]}, NodeState.OFF),
        ({"state": ["IDLE", "PLANNED"]}, NodeState.FREE),
        ({"state": ["IDLE", "RESERVED"]}, NodeState.RESERVED),
        ({"state": ["IDLE", "MAINTENANCE"]}, NodeState.RESERVED),
        ({"State": "DOWN*+DRAIN"}, NodeState.DOWN),
        ({"State": "MIXED+PLANNED"}, NodeState.MIXED),
        ({"State": "IDLE~"}, NodeState.FREE),
        ({"State": "BLUE"}, NodeState.UNKNOWN),
    ],
)
def test_states_of_nodes_in_every_spelling(native: dict[str, object], state: NodeState) -> None:
    assert records.node({"name": "a", **native}).state is state


# -- accounting ------------------------------------------------------------------------------------------------


def test_accounting_tells_times_and_use(slurm: Slurm) -> None:
    ended = {job.id: job for job in slurm.ended(["224", "225", "228", "230"])}
    assert {key: (job.state, job.exit_code, job.signal) for key, job in ended.items()} == {
        "224": (JobState.FAILED, 3, None),
        "225": (JobState.FAILED, None, 9),
        "228": (JobState.COMPLETED, 0, None),
        "230": (JobState.CANCELLED, 0, None),
    }
    uses = ended["228"]
    assert (uses.used_cpu, uses.used_memory, uses.cores, uses.memory) == (1, 521, 1, 500)
    assert (uses.started, uses.ended, uses.hosts) == (at(1795403060), at(1795403068), ("i001",))
    assert uses.name == "uses; rm -rf ~ \n`x` é%"
    assert (ended["230"].started, ended["230"].used_memory) == (None, None)


def test_without_ids_accounting_tells_all_that_ended(slurm: Slurm, node: LoginNode) -> None:
    recent = [job.id for job in slurm.ended((), since=at(1795403061))]
    assert recent == ["228"]
    assert [part for part in node.options if part.startswith("--starttime=now-")]


def test_what_slurm_cannot_know_is_not_asked_for(slurm: Slurm, node: LoginNode) -> None:
    assert list(slurm.ended(["--user=root", "", "*"])) == []
    assert node.asked == []
