"""What is asked of slurmrestd, what its versions answer, and what is made of its refusals."""

import dataclasses
import datetime
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from cloudmesh.errors import Busy, DriverError, Gone, Refused, Rejected, Unreachable
from cloudmesh.types import JobSpec, JobState, NodeState, QueueState
from hpc.drivers import Site
from hpc.drivers.slurm import Slurm
from tests.hpc.drivers.slurm.slurmrestd import Slurmrestd

SECRET = "eyJhbGciOiJIUzI1NiJ9.secret"


@pytest.fixture
def rest() -> Iterator[Slurmrestd]:
    with Slurmrestd().serving() as served:
        served.offer(36, 37, 38)
        yield served


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Site:
    return Site(state_dir=tmp_path, guard=lambda address: None, timeout=5)


@pytest.fixture
def slurm(rest: Slurmrestd, site: Site) -> Slurm:
    return Slurm({"url": rest.url, "login": "fsalice", "token": SECRET}, site)


def number(value: int | None) -> dict[str, Any]:
    """As 23.02 and later write numbers."""
    return {"set": value is not None, "infinite": False, "number": value or 0}


def error(words: str, code: int = -1) -> dict[str, Any]:
    return {"errors": [{"description": "It went wrong", "error": words, "error_number": code}], "jobs": []}


# -- who asks --------------------------------------------------------------------------------------------------


def test_the_token_goes_in_a_header_alone(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.replay("slurm/partitions", "rest-partitions.json")
    assert slurm.check() == "Slurm 22.05.8 as fsalice"
    assert rest.headers[-1]["X-SLURM-USER-NAME"] == "fsalice"
    assert rest.headers[-1]["X-SLURM-USER-TOKEN"] == SECRET
    assert SECRET not in str(rest.asked)


def test_without_a_token_nothing_is_asked(rest: Slurmrestd, site: Site) -> None:
    with pytest.raises(Refused, match="token"):
        Slurm({"url": rest.url, "login": "fsalice"}, site)


def test_the_newest_version_that_both_know_is_asked(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.offer(40, 41, 42, 99)
    rest.say("slurm/jobs", {"jobs": []})
    assert list(slurm.jobs()) == []
    assert list(slurm.jobs()) == []
    assert [path for _, path, _ in rest.asked] == ["/openapi", "/slurm/v0.0.42/jobs", "/slurm/v0.0.42/jobs"]


def test_one_of_the_future_is_said_so(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.offer(98, 99)
    with pytest.raises(Rejected, match=r"v0\.0\.98 to v0\.0\.99"):
        list(slurm.jobs())


def test_a_guard_is_asked_first(rest: Slurmrestd, site: Site) -> None:
    def forbid(address: str) -> None:
        raise Rejected(f"{address} is out of bounds.")

    guarded = Slurm({"url": rest.url, "login": "fsalice", "token": SECRET}, dataclasses.replace(site, guard=forbid))
    with pytest.raises(Rejected, match="out of bounds"):
        list(guarded.jobs())
    assert rest.asked == []


# -- submitting ------------------------------------------------------------------------------------------------


def submitted(slurm: Slurm, rest: Slurmrestd) -> Any:
    rest.say("slurm/job/submit", {"job_id": 12, "errors": [{"error": "Job is in held state", "error_number": 1}]})
    spec = JobSpec(
        name="; rm -rf ~", script="true", queue="batch", account="fg82", qos="short", nodes=2, tasks=4, cores=3,
        gpus=1, memory=2000, walltime=61, array="1-3", after=("7",), is_held=True, directory="/d", output="/o",
    )  # fmt: skip
    assert slurm.submit(spec, token="f00d") == "12"
    return rest.bodies[-1]


SAME = {
    "name": "; rm -rf ~", "comment": "cloudmesh:f00d", "partition": "batch", "account": "fg82", "qos": "short",
    "nodes": "2", "tasks": 4, "cpus_per_task": 3, "array": "1-3", "dependency": "afterok:7", "hold": True,
    "current_working_directory": "/d", "standard_output": "/o",
}  # fmt: skip


def test_a_job_as_0_0_38_takes_it(slurm: Slurm, rest: Slurmrestd) -> None:
    body = submitted(slurm, rest)
    assert body["script"] == "#!/bin/bash\ntrue"
    own = {"environment": {"PATH": "/usr/local/bin:/usr/bin:/bin"}, "memory_per_node": 2000, "time_limit": 2}
    assert body["job"] == {**SAME, **own, "gpus_per_node": "gpu:1"}


def test_a_job_as_0_0_40_takes_it(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.offer(39, 40)
    body = submitted(slurm, rest)
    own = {
        "script": "#!/bin/bash\ntrue",
        "environment": ["PATH=/usr/local/bin:/usr/bin:/bin"],
        "memory_per_node": number(2000),
        "time_limit": number(2),
        "tres_per_node": "gres/gpu:1",
    }
    assert body == {"job": {**SAME, **own}}


@pytest.mark.parametrize(("action", "is_held"), [("hold", True), ("release", False)])
def test_hold_and_release(slurm: Slurm, rest: Slurmrestd, action: str, is_held: bool) -> None:
    rest.say("slurm/job/12_3", {"errors": []})
    getattr(slurm, action)("12_3")
    assert rest.asked[-1] == ("POST", "/slurm/v0.0.38/job/12_3", {"hold": is_held})


def test_to_cancel_what_has_ended_is_no_error(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.say("slurm/job/12", error("Invalid job id specified", 2017), 500)
    slurm.cancel("12")
    assert rest.asked[-1][:2] == ("DELETE", "/slurm/v0.0.38/job/12")


def test_a_forecast_knows_the_limits_of_the_queue(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.replay("slurm/partitions", "rest-partitions.json")
    plain = JobSpec(name="a", script="true")
    assert "allows" not in slurm.forecast(plain).text
    long = dataclasses.replace(plain, queue="long", nodes=3, walltime=8 * 86400)
    assert "more time than the queue allows" in slurm.forecast(long).text
    assert "more nodes than the queue allows" in slurm.forecast(long).text
    with pytest.raises(Rejected, match="none"):
        slurm.forecast(dataclasses.replace(plain, queue="none"))


# -- answers of versions ---------------------------------------------------------------------------------------


def test_partitions_and_nodes_of_22_05(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.replay("slurm/partitions", "rest-partitions.json")
    rest.replay("slurm/nodes", "rest-nodes.json")
    batch, long, *_ = slurm.queues()
    assert (batch.name, batch.state, batch.is_default, batch.nodes) == ("batch", QueueState.OPEN, True, 3)
    assert (batch.max_walltime, batch.default_walltime, long.max_nodes) == (86400, 3600, 2)
    nodes = {node.name: node for node in slurm.nodes()}
    assert (nodes["i005"].state, nodes["i005"].reason) == (NodeState.DRAINED, "fans are loud")
    assert (nodes["i001"].gpus, nodes["i001"].gpus_used, nodes["i001"].memory) == (2, 1, 16000)
    assert batch.cores_used == sum(node.cores_used for node in nodes.values() if "batch" in node.queues)


def test_a_partition_of_23_11(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.say("slurm/nodes", {"nodes": []})
    native = {
        "name": "batch",
        "nodes": {"configured": "cn[001-080]", "total": 80},
        "cpus": {"total": 160},
        "defaults": {"time": number(None)},
        "maximums": {"time": number(60), "nodes": {"set": False, "infinite": True, "number": 0}},
        "priority": {"tier": 3},
        "partition": {"state": ["UP"]},
    }
    rest.say("slurm/partitions", {"partitions": [native]})
    (queue,) = slurm.queues()
    assert (queue.nodes, queue.cores, queue.priority, queue.state) == (80, 160, 3, QueueState.OPEN)
    assert (queue.max_walltime, queue.default_walltime, queue.max_nodes) == (3600, None, None)


def test_a_node_of_23_11(slurm: Slurm, rest: Slurmrestd) -> None:
    native = {
        "name": "cn1",
        "state": ["MIXED", "DRAIN"],
        "cpus": 8,
        "alloc_cpus": 3,
        "real_memory": 4096,
        "alloc_memory": 1024,
        "cpu_load": 159,
        "gres": "gpu:a100:4(S:0-1)",
        "gres_used": "gpu:a100:2(IDX:0-1)",
        "partitions": ["batch"],
        "active_features": ["fast", "ib"],
        "reason": "fans",
    }
    rest.say("slurm/nodes", {"nodes": [native]})
    (node,) = slurm.nodes()
    assert (node.state, node.cores_used, node.memory_used, node.load) == (NodeState.DRAINING, 3, 1024, 1.59)
    assert (node.gpus, node.gpus_used, node.properties) == (4, 2, ("fast", "ib"))


def test_a_job_of_24_11(slurm: Slurm, rest: Slurmrestd) -> None:
    native = {
        "job_id": 15,
        "array_job_id": number(12),
        "array_task_id": number(0),
        "array_task_string": "",
        "name": "new",
        "user_name": "pkerr",
        "job_state": ["CANCELLED", "COMPLETING"],
        "state_reason": "None",
        "exit_code": {"status": ["SIGNALED"], "return_code": number(None), "signal": {"id": number(9), "name": "KILL"}},
        "cpus": number(4),
        "node_count": number(1),
        "tasks": number(2),
        "time_limit": number(60),
        "start_time": number(1731486133),
        "submit_time": number(1731483259),
        "end_time": number(1731486494),
        "nodes": "cn2",
        "current_working_directory": "/home/pkerr",
        "standard_output": "/home/pkerr/%x.out",
        "stdout_expanded": "/home/pkerr/new.out",
        "standard_error": "",
        "tres_req_str": "cpu=4,mem=8G,node=1",
        "tres_per_node": "gres/gpu:a100:2",
        "hold": False,
    }
    rest.say("slurm/jobs", {"jobs": [native, {**native, "array_task_id": number(1), "job_state": ["CANCELLED"]}]})
    ending, ended = slurm.jobs()
    assert (ending.id, ending.state, ending.array) == ("12_0", JobState.ENDING, "")
    assert (ending.cores, ending.nodes, ending.tasks, ending.gpus, ending.memory) == (4, 1, 2, 2, 8192)
    assert (ending.walltime, ending.output, ending.error) == (3600, "/home/pkerr/new.out", "/home/pkerr/new.out")
    assert (ended.id, ended.state, ended.signal, ended.exit_code) == ("12_1", JobState.CANCELLED, 9, None)


@pytest.mark.parametrize(
    ("state", "reason", "known"),
    [
        ("OUT_OF_MEMORY", "It used more memory than it had asked for.", JobState.FAILED),
        (["NODE_FAIL"], "A node that it ran on failed.", JobState.FAILED),
        (["PREEMPTED"], "It had to make way for a more important job.", JobState.CANCELLED),
        ("DEADLINE", "It could not have ended before its deadline.", JobState.TIMEOUT),
        (["PENDING", "REQUEUE_HOLD"], "", JobState.HELD),
        (["RUNNING", "CONFIGURING"], "", JobState.STARTING),
        ("NEVER_SEEN", "", JobState.UNKNOWN),
        ([], "", JobState.UNKNOWN),
    ],
)
def test_states_in_every_spelling(slurm: Slurm, rest: Slurmrestd, state: Any, reason: str, known: JobState) -> None:
    rest.say("slurm/jobs", {"jobs": [{"job_id": 1, "job_state": state, "exit_code": 0}]})
    (job,) = slurm.jobs()
    assert (job.state, job.reason) == (known, reason)


# -- accounting ------------------------------------------------------------------------------------------------


def test_accounting_of_22_05(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.replay("slurmdb/jobs", "slurmdb.json")
    ended = {job.id: job for job in slurm.ended(["228", "225", "230", "231"])}
    uses = ended["228"]
    assert (uses.used_memory, uses.cores, uses.memory, uses.exit_code) == (521, 1, 500, 0)
    assert uses.used_cpu is not None
    assert (ended["225"].signal, ended["225"].reason) == (9, "It was ended by signal 9 (SIGKILL).")
    assert (ended["230"].state, ended["230"].started, ended["230"].hosts) == (JobState.CANCELLED, None, ())
    assert set(ended) == {"225", "228", "230"}
    assert rest.asked[-1][1] == "/slurmdb/v0.0.38/jobs?step=225%2C228%2C230%2C231"


def test_what_accounting_does_not_know_is_left_out(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.say("slurmdb/jobs", error("Nothing found with query"), 500)
    assert list(slurm.ended(["231"])) == []


def account(**changes: Any) -> dict[str, Any]:
    """A job as slurmdb 0.0.40 and later tell it."""
    return {
        "job_id": 670,
        "name": "wrap",
        "partition": "normal",
        "array": {"job_id": 0, "task_id": number(None), "task": ""},
        "state": {"current": ["COMPLETED"], "reason": "None"},
        "time": {"submission": 100, "start": 200, "end": 300, "limit": number(60), "total": {"seconds": 7}},
        "exit_code": {"status": ["SUCCESS"], "return_code": number(0), "signal": {"id": number(None), "name": ""}},
        "tres": {"allocated": [{"type": "cpu", "name": "", "count": 2}, {"type": "gres", "name": "gpu", "count": 1}]},
        "nodes": "cn2",
        "user": "pkerr",
        **changes,
    }


def array_task(task: int, state: str) -> dict[str, Any]:
    array = {"job_id": 12, "task_id": number(task), "task": ""}
    return account(job_id=12 + task, array=array, state={"current": [state], "reason": "None"})


def test_accounting_of_23_11(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.say("slurmdb/jobs", {"jobs": [account()]})
    (job,) = slurm.ended((), since=datetime.datetime.fromtimestamp(250, datetime.UTC))
    assert (job.cores, job.gpus, job.used_cpu, job.exit_code, job.walltime) == (2, 1, 7, 0, 3600)
    assert rest.asked[-1][1] == "/slurmdb/v0.0.38/jobs?start_time=uts250"


def test_a_job_that_ran_twice_is_told_once(slurm: Slurm, rest: Slurmrestd) -> None:
    again = {"submission": 100, "start": 400, "end": 500, "limit": number(60), "total": {"seconds": 9}}
    first = account(state={"current": ["NODE_FAIL"], "reason": "None"})
    rest.say("slurmdb/jobs", {"jobs": [account(time=again), first]})
    (job,) = slurm.ended(["670"])
    assert (job.state, job.used_cpu) == (JobState.COMPLETED, 9)


def test_an_account_that_is_not_whole_yet_is_left_out(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.say("slurmdb/jobs", {"jobs": [account(name="allocation", partition="")]})
    assert list(slurm.ended(["670"])) == []


def test_an_array_is_told_with_its_tasks(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.say("slurmdb/jobs", {"jobs": [array_task(1, "COMPLETED"), array_task(2, "RUNNING"), account()]})
    assert [(job.id, job.state) for job in slurm.ended(["12"])] == [
        ("12_1", JobState.COMPLETED),
        ("12_2", JobState.RUNNING),
    ]
    assert [job.id for job in slurm.ended(["12_2"])] == ["12_2"]


# -- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind", "part"),
    [
        ("Unable to contact slurm controller (connect failure)", Unreachable, "slurmctld"),
        ("Invalid job id specified", Gone, "Invalid job id"),
        ("Invalid account or account/partition combination specified", Rejected, "account"),
        ("Protocol authentication error", Refused, "token has ended"),
        ("A new kind of trouble", Rejected, "new kind"),
    ],
)
def test_an_error_is_one_whatever_the_status(
    slurm: Slurm, rest: Slurmrestd, words: str, kind: type[DriverError], part: str
) -> None:
    for status in (200, 500):
        rest.say("slurm/jobs", error(words), status)
        with pytest.raises(DriverError, match=part) as caught:
            list(slurm.jobs())
        assert type(caught.value) is kind
        assert SECRET not in caught.value.message


def test_an_error_that_says_nothing_is_asked_of_accounting(slurm: Slurm, rest: Slurmrestd) -> None:
    rest.say("slurm/jobs", error("Unspecified error"), 500)
    rest.say("slurmdb/clusters", {"clusters": [], "errors": []})
    with pytest.raises(Unreachable):
        list(slurm.jobs())
    rest.say("slurmdb/clusters", error("Protocol authentication error", 1007))
    with pytest.raises(Refused, match="token"):
        list(slurm.jobs())


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"Authentication failure", Refused),
        (502, b"<html>Bad gateway</html>", Busy),
        (404, b"Unable find requested URL", Rejected),
        (302, b"", Rejected),
        (200, b"", Busy),
        (200, b"[1]", Busy),
        (200, b'{"meta": {}}', Busy),
        (200, b'{"jobs": {"1": 2}}', Busy),
    ],
)
def test_what_is_no_answer_is_no_empty_list(
    slurm: Slurm, rest: Slurmrestd, status: int, body: bytes, kind: type[DriverError]
) -> None:
    rest.say("slurm/jobs", body, status)
    with pytest.raises(DriverError, match=r"\w") as caught:
        list(slurm.jobs())
    assert type(caught.value) is kind


def test_nobody_there(site: Site) -> None:
    slurm = Slurm({"url": "http://127.0.0.1:1", "login": "fsalice", "token": SECRET}, site)
    with pytest.raises(Unreachable, match="No connection"):
        list(slurm.jobs())
