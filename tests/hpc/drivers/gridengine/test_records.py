"""What a real Grid Engine 8.1.9 answered, as records."""

import datetime

import pytest

from cloudmesh.errors import Busy, Rejected, Unreachable
from cloudmesh.types import Job, JobState, NodeState, QueueState
from hpc.drivers import Answer
from hpc.drivers.gridengine import GridEngine
from tests.hpc.drivers.gridengine.conftest import Connect, said
from tests.hpc.drivers.gridengine.login_node import ANSWERS, LoginNode

ALL_IDS = [str(number) for number in range(1, 15)]


@pytest.fixture
def listed(cluster: GridEngine) -> dict[str, Job]:
    return {job.id: job for job in cluster.jobs()}


@pytest.fixture
def ended(cluster: GridEngine) -> dict[str, Job]:
    return {job.id: job for job in cluster.ended([*ALL_IDS, "3.1", "14.2"])}


def test_a_running_job_has_all_it_asked_for_and_where_it_is(listed: dict[str, Job]) -> None:
    job = listed["1"]
    assert (job.name, job.login, job.queue, job.state) == ("run", "fsalice", "all.q", JobState.RUNNING)
    assert (job.cores, job.memory, job.gpus, job.walltime) == (2, 100, 1, 600)
    assert (job.hosts, job.nodes, job.token) == (("localhost",), 1, "a" * 32)
    assert (job.directory, job.output, job.error) == ("/tmp", "/tmp/run.o1", "/tmp/run.o1")
    assert job.submitted
    assert job.started
    assert job.started.tzinfo is datetime.UTC


def test_a_held_job_says_what_to_do_and_where_it_will_write(listed: dict[str, Job]) -> None:
    job = listed["2"]
    assert (job.state, job.hosts, job.started) == (JobState.HELD, (), None)
    assert "release" in job.reason
    assert (job.output, job.error) == ("/tmp/held-2.out", "/tmp/held.err")


def test_an_array_is_one_job_that_waits_and_one_for_each_task_that_runs(listed: dict[str, Job]) -> None:
    waiting = listed["3"]
    assert (waiting.array, waiting.state, waiting.queue) == ("5-9:2", JobState.QUEUED, "long.q")
    assert "tasks of its array" in waiting.reason
    assert {listed[task].state for task in ("3.1", "3.3")} == {JobState.RUNNING}
    assert listed["3.3"].output == "/tmp/array.o3.3"
    assert {listed[task].token for task in ("3", "3.1", "3.3")} == {"c" * 32}


@pytest.mark.parametrize(
    ("job_id", "state", "reason"),
    [
        ("10", JobState.HELD, "exit_status of job start = 100"),
        ("11", JobState.QUEUED, "never allows"),
        ("12", JobState.QUEUED, "waits for other jobs"),
        ("13", JobState.HELD, "can't chdir to /nonexistent"),
    ],
)
def test_why_a_job_waits(listed: dict[str, Job], job_id: str, state: JobState, reason: str) -> None:
    assert listed[job_id].state is state
    assert reason in listed[job_id].reason


def test_what_others_wait_for_is_told(listed: dict[str, Job]) -> None:
    assert (listed["12"].dependency, listed["12"].token) == ("2", "")


@pytest.mark.parametrize(
    ("job_id", "state", "code", "signal"),
    [
        ("4", JobState.CANCELLED, None, 9),
        ("5", JobState.CANCELLED, None, None),  # it never began: accounting does not know it
        ("6", JobState.FAILED, 4, None),
        ("7", JobState.COMPLETED, 0, None),
        ("8", JobState.FAILED, None, 11),
        ("9", JobState.TIMEOUT, None, None),
        ("14", JobState.COMPLETED, None, None),
        ("14.2", JobState.COMPLETED, 0, None),
    ],
)
def test_how_jobs_ended(
    ended: dict[str, Job], job_id: str, state: JobState, code: int | None, signal: int | None
) -> None:
    job = ended[job_id]
    assert (job.state, job.exit_code, job.signal) == (state, code, signal)
    assert job.reason or state is JobState.COMPLETED


def test_what_goes_on_has_not_ended(ended: dict[str, Job]) -> None:
    assert not {"1", "2", "3", "3.1", "10", "11", "12", "13"} & set(ended)


def test_an_account_has_times_and_what_was_used(ended: dict[str, Job]) -> None:
    job = ended["9"]
    assert job.submitted
    assert job.started
    assert job.ended
    assert (job.ended - job.started).total_seconds() in (3, 4)
    assert (job.walltime, job.used_cpu, job.cores, job.hosts) == (3, 0, 1, ("localhost",))
    assert job.used_memory is not None


def test_a_job_without_an_account_is_not_called_cancelled_while_accounts_come_late(connect: Connect) -> None:
    late = LoginNode(qconf_sconf=Answer(0, b"reporting_params accounting=true flush_time=00:00:15\n", ""))
    assert [job.id for job in connect(late).ended(["5", "6"])] == ["6"]


def test_what_ended_since_then_is_asked_for_by_its_end(cluster: GridEngine, node: LoginNode) -> None:
    done = next(iter(cluster.ended(["7"])))
    assert done.ended
    recent = {job.id for job in cluster.ended((), since=done.ended + datetime.timedelta(seconds=1))}
    assert "7" not in recent
    assert "9" in recent
    command = node.asked[-1]
    assert command[:3] == ("qacct", "-E", "-b")
    assert command[3] == (done.ended + datetime.timedelta(seconds=1)).strftime("%Y%m%d%H%M.%S")


def test_many_ids_cost_one_reading_of_accounting(cluster: GridEngine, node: LoginNode) -> None:
    list(cluster.ended(ALL_IDS))
    assert [command[1] for command in node.asked if command[0] == "qacct"] == ["-d"]


def test_a_token_is_looked_for_in_accounting_once_the_job_is_gone(cluster: GridEngine, node: LoginNode) -> None:
    assert cluster.find("c" * 32) == "3"
    assert [command[0] for command in node.asked] == ["qstat"]
    cluster.find("d" * 32)
    assert node.asked[-1] == ("qacct", "-A", f"cloudmesh-{'d' * 32}", "-j")


def test_queues_have_the_slots_of_their_nodes(cluster: GridEngine) -> None:
    queues = {queue.name: queue for queue in cluster.queues()}
    assert {name: queue.state for name, queue in queues.items()} == {
        "all.q": QueueState.OPEN,
        "long.q": QueueState.OPEN,
        "old.q": QueueState.STOPPED,
    }
    assert (queues["all.q"].cores, queues["all.q"].cores_used, queues["all.q"].nodes) == (8, 2, 1)
    assert [queues[name].max_walltime for name in ("all.q", "long.q", "old.q")] == [86400, 604800, None]


def test_a_node_has_what_is_used_of_it(cluster: GridEngine) -> None:
    (node,) = cluster.nodes()
    assert (node.name, node.state, node.queues) == ("localhost", NodeState.MIXED, ("all.q", "long.q", "old.q"))
    assert (node.cores, node.cores_used, node.gpus, node.gpus_used) == (8, 4, 2, 1)
    assert node.memory > node.memory_used > 0
    assert set(node.jobs) == {"1", "3.1", "3.3"}


# -- when it does not answer, or otherwise ---------------------------------------------------------------------


def test_an_xml_that_says_that_the_qmaster_is_away_is_no_empty_list(connect: Connect) -> None:
    away = LoginNode(qstat_j=Answer(0, (ANSWERS / "away.xml").read_bytes(), ""))
    with pytest.raises(Unreachable, match="qmaster"):
        list(connect(away).jobs())
    with pytest.raises(Unreachable, match="qmaster"):
        connect(away).find("a" * 32)


def test_no_jobs_at_all_are_an_empty_list(connect: Connect) -> None:
    nothing = Answer(
        0, b"<?xml version='1.0'?>\n<job_info><queue_info></queue_info><job_info></job_info></job_info>", ""
    )
    unknown = Answer(0, b"<?xml version='1.0'?>\n<unknown_jobs ><ST_name>*</ST_name></unknown_jobs>", "")
    assert list(connect(LoginNode(qstat=nothing, qstat_j=unknown)).jobs()) == []


def test_what_ended_between_two_answers_is_left_out(connect: Connect) -> None:
    gone = (ANSWERS / "details.xml").read_bytes().replace(b"<JB_job_number>2<", b"<JB_job_number>77<")
    jobs = {job.id for job in connect(LoginNode(qstat_j=Answer(0, gone, ""))).jobs()}
    assert "1" in jobs
    assert not {"2", "77"} & jobs


@pytest.mark.parametrize("output", [b"", b"Welcome to india\n", b"<?xml version='1.0'?><job_info><queue_info>"])
def test_what_is_no_xml_is_no_empty_list(connect: Connect, output: bytes) -> None:
    with pytest.raises(Busy, match="XML"):
        list(connect(LoginNode(qstat_xml=Answer(0, output, ""))).jobs())


def test_a_name_that_makes_xml_invalid_spoils_no_list(connect: Connect) -> None:
    text = (ANSWERS / "listed.xml").read_bytes()
    for field in (b"JB_name", b"full_job_name"):
        text = text.replace(b"<%s>held</%s>" % (field, field), b"<%s>a<b & \x1b[31m</%s>" % (field, field))
    jobs = {job.id: job for job in connect(LoginNode(qstat=Answer(0, text, ""), qstat_j=recorded_details())).jobs()}
    assert jobs["2"].name == "a<b &  [31m"
    assert len(jobs) == 9


def recorded_details() -> Answer:
    return Answer(0, (ANSWERS / "details.xml").read_bytes(), "")


def test_a_letter_that_nobody_knows_is_unknown(connect: Connect) -> None:
    text = (ANSWERS / "listed.xml").read_bytes().replace(b"<state>hqw</state>", b"<state>X</state>")
    jobs = {job.id: job for job in connect(LoginNode(qstat=Answer(0, text, ""), qstat_j=recorded_details())).jobs()}
    assert jobs["2"].state is JobState.UNKNOWN


@pytest.mark.parametrize(
    ("letters", "state"),
    [
        ("dr", JobState.ENDING),
        ("t", JobState.STARTING),
        ("hr", JobState.RUNNING),
        ("Rr", JobState.RUNNING),
        ("Rq", JobState.QUEUED),
        ("s", JobState.SUSPENDED),
        ("S", JobState.SUSPENDED),
        ("T", JobState.SUSPENDED),
        ("dT", JobState.ENDING),
    ],
)
def test_letters_are_read_by_their_weight(connect: Connect, letters: str, state: JobState) -> None:
    text = (ANSWERS / "listed.xml").read_bytes().replace(b"<state>r</state>", f"<state>{letters}</state>".encode())
    jobs = {job.id: job for job in connect(LoginNode(qstat=Answer(0, text, ""), qstat_j=recorded_details())).jobs()}
    assert jobs["1"].state is state


def test_a_node_that_does_not_answer_is_down(connect: Connect) -> None:
    text = (ANSWERS / "hosts.xml").read_bytes().replace(b"'state_string'></", b"'state_string'>au</")
    cluster = connect(LoginNode(qhost=Answer(0, text, "")))
    (node,) = cluster.nodes()
    assert (node.state, node.reason) == (NodeState.DOWN, "The node does not answer.")
    assert {queue.state for queue in cluster.queues()} == {QueueState.DOWN, QueueState.STOPPED}


def test_a_variable_that_is_missing_is_asked_for(connect: Connect) -> None:
    answer = said("critical error: Please set the environment variable SGE_ROOT.")
    with pytest.raises(Rejected, match="Give the variable SGE_ROOT") as caught:
        connect(LoginNode(qconf=answer)).check()
    assert caught.value.facts["field"] == "environment"


def test_check_says_what_answers(cluster: GridEngine) -> None:
    assert cluster.check() == "Grid Engine 8.1.9 as fsalice"


def test_commands_that_are_not_there_ask_for_their_folder(connect: Connect) -> None:
    with pytest.raises(Rejected, match="no qstat") as caught:
        connect(LoginNode(qstat=said("sh: qstat: not found", 127))).check()
    assert caught.value.facts["field"] == "bin"
