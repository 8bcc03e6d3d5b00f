"""Who runs where and when at a simulated scheduler."""

import datetime
import time
from pathlib import Path

import pytest

from cloudmesh.errors import Full, Rejected
from cloudmesh.types import Job, JobSpec, JobState, NodeState, QueueState
from hpc.drivers import Site
from hpc.drivers.simulator import Simulator, control
from hpc.drivers.simulator.crowd import PEOPLE
from tests.hpc.drivers.simulator.conftest import DEMO, Becomes, Submit

WHOLE = {"queue": "debug", "nodes": 2, "tasks": 32}  # all of the debug queue


def job(driver: Simulator, job_id: str) -> Job:
    return next(job for job in driver.jobs() if job.id == job_id)


def test_one_scheduler_has_the_queues_of_two_clusters(driver: Simulator) -> None:
    assert {queue.name: queue.cores for queue in driver.queues()} == {
        "batch": 480,
        "long": 480,
        "debug": 32,
        "delta": 384,
        "delta-long": 384,
    }
    assert sum(node.gpus for node in driver.nodes() if "delta" in node.queues) == 32


def test_who_comes_first_is_served_first(driver: Simulator, submit: Submit, becomes: Becomes) -> None:
    ids = [submit("sleep 50", **WHOLE) for _ in range(3)]
    becomes(ids[0], JobState.RUNNING)
    second, third = job(driver, ids[1]), job(driver, ids[2])
    assert (second.reason, third.reason) == ("It waits until enough nodes are free.", "Others are before it.")
    assert second.expected is not None
    assert second.expected > datetime.datetime.now(datetime.UTC)
    ended = [becomes(job_id) for job_id in ids]
    assert ended[0].ended <= ended[1].started
    assert ended[1].ended <= ended[2].started


def test_a_short_job_is_filled_in_and_a_long_one_is_not(driver: Simulator, submit: Submit, becomes: Becomes) -> None:
    first = submit("sleep 400", queue="debug", tasks=16, walltime=500)
    becomes(first, JobState.RUNNING)
    big = submit("sleep 10", **WHOLE)
    long = submit("sleep 10", queue="debug", walltime=3000)
    short = submit("sleep 100", queue="debug", walltime=120)
    assert becomes(short, JobState.RUNNING).started
    assert (job(driver, big).state, job(driver, long).state) == (JobState.QUEUED, JobState.QUEUED)
    assert becomes(big).started >= job(driver, first).ended
    assert becomes(long).started >= job(driver, big).started


def test_a_better_quality_of_service_goes_first(submit: Submit, becomes: Becomes) -> None:
    becomes(submit("sleep 30", **WHOLE), JobState.RUNNING)
    later, sooner = submit(**WHOLE), submit(qos="high", **WHOLE)
    assert becomes(sooner).started < becomes(later).started


def test_no_node_has_more_than_it_can_take(driver: Simulator, submit: Submit, becomes: Becomes) -> None:
    ids = [submit("sleep 60", queue="delta", gpus=1) for _ in range(40)]
    becomes(ids[31], JobState.RUNNING)
    nodes = [node for node in driver.nodes() if "delta" in node.queues]
    assert {node.gpus_used for node in nodes} == {2}
    assert {len(node.jobs) for node in nodes} == {2}
    assert job(driver, ids[32]).state is JobState.QUEUED


def test_an_array_runs_as_many_at_once_as_it_may(driver: Simulator, submit: Submit, becomes: Becomes) -> None:
    job_id = submit("echo $TASK_ID\nsleep 60", array="1-5%2")
    becomes(f"{job_id}_2", JobState.RUNNING)
    assert job(driver, job_id).array == "3-5%2"
    assert job(driver, job_id).reason == "As many tasks of its array run as may at once."
    assert becomes(f"{job_id}_5").output.endswith(f"job-{job_id}_5.out")
    assert [each.id for each in driver.ended([job_id])] == [f"{job_id}_{n}" for n in range(1, 6)]


def test_a_node_that_goes_down_takes_its_jobs_with_it(
    driver: Simulator, world: control.World, submit: Submit, becomes: Becomes
) -> None:
    lost = submit("sleep 500", **WHOLE)
    hosts = becomes(lost, JobState.RUNNING).hosts
    control.set_node(world, hosts[0], "down", "kernel panic")
    seen = becomes(lost, JobState.LOST)
    assert seen.reason == "A node it ran on went down."
    node = next(node for node in driver.nodes() if node.name == hosts[0])
    assert (node.state, node.reason) == (NodeState.DOWN, "kernel panic")
    waiting = submit(**WHOLE)
    time.sleep(0.05)
    assert job(driver, waiting).state is JobState.QUEUED
    control.set_node(world, hosts[0], "up")
    assert becomes(waiting).hosts == hosts


def test_a_node_that_drains_starts_nothing_new(driver: Simulator, world: control.World, submit: Submit) -> None:
    for name in ("t001", "t002"):
        control.set_node(world, name, "drain", "new disks")
    assert {node.state for node in driver.nodes() if node.name in ("t001", "t002")} == {NodeState.DRAINED}
    waiting = submit(queue="debug")
    time.sleep(0.05)
    assert job(driver, waiting).state is JobState.QUEUED
    assert driver.forecast(JobSpec(name="x", script="", queue="debug")).start is None


@pytest.mark.parametrize(
    ("state", "seen", "is_taken", "starts"),
    [
        ("stopped", QueueState.STOPPED, True, False),
        ("closed", QueueState.CLOSED, False, True),
        ("down", QueueState.DOWN, False, False),
    ],
)
def test_queues_are_stopped_and_closed(
    driver: Simulator,
    world: control.World,
    submit: Submit,
    becomes: Becomes,
    state: str,
    seen: QueueState,
    is_taken: bool,
    starts: bool,
) -> None:
    before = submit("sleep 1", queue="debug", is_held=True)
    control.set_queue(world, "debug", state)
    assert next(queue.state for queue in driver.queues() if queue.name == "debug") is seen
    if is_taken:
        assert submit(queue="debug")
    else:
        with pytest.raises(Rejected, match=f"takes no jobs now: it is {state}"):
            submit(queue="debug")
    driver.release(before)
    time.sleep(0.05)
    assert (job(driver, before).started is not None) is starts


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"queue": "bath"}, "Did you mean batch"),
        ({"walltime": 10**9}, "seconds of walltime"),
        ({"walltime": 0}, "seconds of walltime"),
        ({"nodes": 99}, "1 to 16 nodes"),
        ({"nodes": 0}, "nodes"),
        ({"tasks": 17}, "cores on one node"),
        ({"gpus": 1}, "GPUs on one node"),
        ({"memory": 10**7}, "MiB of memory"),
        ({"qos": "best"}, "Invalid QoS"),
        ({"account": "a b"}, "Invalid account"),
        ({"array": "1-"}, "Invalid array"),
        ({"after": ("77",)}, "no job '77'"),
        ({"directory": "/etc"}, "Permission denied"),
        ({"directory": "/home/demo/no-such"}, "is not there"),
        ({"output": "/home/grete/out"}, "Permission denied"),
        ({"output": "../out"}, "the way down only"),
        ({"script": "x" * (2**20 + 1)}, "characters and may have"),
    ],
)
def test_what_could_never_run_is_rejected(submit: Submit, wish: dict[str, object], words: str) -> None:
    with pytest.raises(Rejected, match=words):
        submit(**wish)


def test_a_quota_of_jobs_is_full(world: control.World, driver: Simulator, submit: Submit) -> None:
    control.set_limits(world, max_jobs=2)
    first, _ = submit(is_held=True), submit(is_held=True)
    with pytest.raises(Full, match="You have 2 jobs"):
        submit()
    driver.cancel(first)
    assert submit()


# -- everybody else ----------------------------------------------------------------------------------------


def test_others_keep_a_new_world_busy(site: Site) -> None:
    driver = Simulator(DEMO, site)
    queues = {queue.name: queue for queue in driver.queues()}
    busy = sum(queues[name].cores_used for name in ("batch", "delta")) / 864
    jobs = list(driver.jobs())
    assert 0.25 < busy < 1
    assert {job.login for job in jobs} <= set(PEOPLE)
    assert len({job.login for job in jobs}) > 3
    assert {job.state for job in jobs} >= {JobState.RUNNING}


def test_others_do_the_same_in_each_world_of_a_name(tmp_path: Path) -> None:
    drivers = [Simulator(DEMO, Site(state_dir=tmp_path / name, guard=str)) for name in "ab"]
    told = [[(job.login, job.name, job.walltime) for job in driver.ended((), since=None)][:20] for driver in drivers]
    firsts = [{job.id: (job.login, job.name) for job in (*driver.ended(()), *driver.jobs())} for driver in drivers]
    common = set(firsts[0]) & set(firsts[1])
    assert len(common) > 50
    assert {each: firsts[0][each] for each in common} == {each: firsts[1][each] for each in common}
    assert told[0]


def test_others_can_be_sent_away(site: Site) -> None:
    driver = Simulator(DEMO, site)
    assert any(node.cores_used for node in driver.nodes())
    control.set_crowd(control.World(site.state_dir, "india"), 0)
    assert {node.cores_used for node in driver.nodes()} == {0}


# -- much --------------------------------------------------------------------------------------------------


def test_what_nobody_looked_at_for_long_has_happened_all_the_same(
    driver: Simulator, world: control.World, submit: Submit
) -> None:
    control.set_speed(world, 5000)
    ids = [submit("sleep 900", queue="debug", tasks=16, walltime=1000) for _ in range(8)]
    time.sleep(1.2)
    jobs = {job.id: job for job in driver.jobs() if job.id in ids} | {job.id: job for job in driver.ended(ids)}
    assert {jobs[job_id].state for job_id in ids} == {JobState.COMPLETED}


def test_ten_thousand_jobs_are_listed_quickly(driver: Simulator, world: control.World) -> None:
    control.set_speed(world, 1)
    control.set_limits(world, max_jobs=20_000)
    control.submit(world, JobSpec(name="load", script="sleep 3000", walltime=3600), count=10_000)
    begun = time.monotonic()
    assert sum(job.login == "demo" for job in driver.jobs()) == 10_000
    assert time.monotonic() - begun < 5  # half a second where nothing else runs
