"""How PBS writes values and documents, and what a wish is for qsub."""

import datetime
import subprocess
from typing import Any

import pytest

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected, Unreachable
from cloudmesh.types import JobSpec, JobState, NodeState
from hpc.drivers.pbs import answers, directives, failures, jobs, machines, options, values

NOON = datetime.datetime(2026, 11, 23, 12, 0, 5, tzinfo=datetime.UTC)
#: As OpenPBS 20.0.1 writes it (openpbs issues 1255 and 2541).
BROKEN = rb"""{
    "timestamp":1795409190,
    "Jobs":{
        "1.pbs1":{
            "Job_Name":"say "hi", or not\",
            "Priority":-007,
            "Empty":"",
            "Resource_List":{
                "ncpus":1
            },
            "Variable_List":{
                "LEVEL":007,
                "RATIO":nan,
                "HEX":0x1F,
                "MORE":1e5,
                "LIST":"a\,b={"c":1},",
                "FUNCTION":"() {  eval \"$1\" }"
            },
            "jobs":[
                "2.pbs1",
                "3.pbs1"
            ]
        },
        "2[].pbs1":{
            "Job_Name":"007"
        }
    }
}
"""


@pytest.mark.parametrize("value", [int(NOON.timestamp()), str(int(NOON.timestamp())), "Mon Nov 23 12:00:05 2026"])
def test_a_time_is_seconds_or_a_clock_in_utc(value: Any) -> None:
    assert values.moment(value) == NOON


@pytest.mark.parametrize("value", [None, "", "0", "UNKNOWN", "--", "Mon Nov 31 12:00:05 2026", "Mon Noon 1 1:1:1 2026"])
def test_no_time_too(value: Any) -> None:
    assert values.moment(value) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("24:00:00", 86400),
        ("00:01:40", 100),
        ("40", 40),
        ("1:00:00:01", 86401),
        ("02:03.7", 123),
        ("", None),
        ("-", None),
    ],
)
def test_durations_have_any_number_of_parts(text: str, seconds: int | None) -> None:
    assert values.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "mebibytes"),
    [
        ("4gb", 4096),
        ("17592kb", 17),
        ("33554432kb", 32768),
        ("2mw", 16),
        ("1tb", 2**20),
        ("1048576", 1),
        ("", 0),
        ("-", 0),
    ],
)
def test_sizes_have_units(text: str, mebibytes: int) -> None:
    assert values.mebibytes(text) == mebibytes


def test_variables_are_a_table_or_a_text_with_commas_in_it() -> None:
    assert values.variables({"A": "1"}) == {"A": "1"}
    assert values.variables(r"A=1,PATTERN=a\,b,LIST=x,y,B=c=d") == {
        "A": "1",
        "PATTERN": "a,b",
        "LIST": "x,y",
        "B": "c=d",
    }
    assert values.variables(None) == {}


def test_json_that_is_none_is_read_by_its_lines() -> None:
    first, second = answers.document(BROKEN)["Jobs"].items()
    assert first[1]["Job_Name"] == 'say "hi", or not\\'
    assert (first[1]["Priority"], first[1]["Empty"]) == ("-007", "")
    assert first[1]["Resource_List"] == {"ncpus": "1"}
    assert first[1]["Variable_List"] == {
        "LEVEL": "007", "RATIO": "nan", "HEX": "0x1F", "MORE": "1e5", "LIST": 'a,b={"c":1},',
        "FUNCTION": '() {  eval "$1" }',
    }  # fmt: skip
    assert first[1]["jobs"] == ["2.pbs1", "3.pbs1"]
    assert second == ("2[].pbs1", {"Job_Name": "007"})


def test_numbers_of_json_stay_the_text_that_they_are() -> None:
    assert answers.document(b'{"Job_Name": 1e5, "other": 1.0, "none": NaN}') == {
        "Job_Name": "1e5",
        "other": "1.0",
        "none": "NaN",
    }


@pytest.mark.parametrize("output", [BROKEN[:300], b"Welcome to login1!\n", b'{"Jobs":{\n"1":', b"[]", b'{\n"a"\n}'])
def test_half_a_document_is_none(output: bytes) -> None:
    with pytest.raises(Busy, match="broke off"):
        answers.document(output)


def test_xml_that_broke_off_is_no_empty_list() -> None:
    assert answers.elements(b"", "Job") == answers.elements(b'<?xml version="1.0"?>\n', "Job") == []
    assert answers.elements(b"<Data></Data>", "Job") == []
    for broken in (b"<Data><Job><Job_Id>1", b"Welcome to login1!\n", b"<html>"):
        with pytest.raises(Busy, match="broke off"):
            answers.elements(broken, "Job")


def test_xml_has_no_entities_of_its_own() -> None:
    bomb = b'<!DOCTYPE Data [<!ENTITY a "aaaa">]><Data><Job><Job_Id>&a;</Job_Id></Job></Data>'
    with pytest.raises(Busy):
        answers.elements(bomb, "Job")


def test_text_goes_on_after_a_tab() -> None:
    told = b"Queue: batch\n    acl_hosts = a,\n\tb\n    resources_max.walltime = 1:00\n    enabled = True\n\nQueue: b\n"
    assert dict(answers.blocks(told)) == {
        "batch": {"acl_hosts": "a,b", "resources_max": {"walltime": "1:00"}, "enabled": "True"},
        "b": {},
    }


# -- jobs and nodes --------------------------------------------------------------------------------------------

LIVE = {"Job_Id": "7.s", "Job_Owner": "alice@login1", "ctime": "1795400000", "start_time": "1795400001"}


@pytest.mark.parametrize(
    ("native", "state", "code", "by_signal"),
    [
        ({"job_state": "F", "Exit_status": "0", "substate": "92"}, JobState.COMPLETED, 0, None),
        ({"job_state": "F", "Exit_status": "3", "substate": "93"}, JobState.FAILED, 3, None),
        ({"job_state": "F", "Exit_status": "-29", "substate": "93"}, JobState.TIMEOUT, None, None),
        ({"job_state": "F", "Exit_status": "-27", "substate": "93"}, JobState.FAILED, None, None),
        ({"job_state": "F", "Exit_status": "271", "substate": "91"}, JobState.CANCELLED, None, 15),
        ({"job_state": "F", "Exit_status": "265", "substate": "93"}, JobState.FAILED, None, 9),
        ({"job_state": "F", "substate": "91"}, JobState.CANCELLED, None, None),
        ({"job_state": "F", "substate": "92"}, JobState.COMPLETED, None, None),
        ({"job_state": "F", "substate": "93"}, JobState.FAILED, None, None),
        ({"job_state": "X"}, JobState.UNKNOWN, None, None),
        ({"job_state": "X", "Exit_status": "0"}, JobState.COMPLETED, 0, None),
        ({"job_state": "C", "exit_status": "0"}, JobState.COMPLETED, 0, None),
        ({"job_state": "C", "exit_status": "-11"}, JobState.TIMEOUT, None, None),
        ({"job_state": "C", "exit_status": "-10"}, JobState.FAILED, None, None),
        ({"job_state": "C", "exit_status": "271"}, JobState.CANCELLED, None, 15),
        ({"job_state": "M"}, JobState.UNKNOWN, None, None),
        ({"job_state": "?"}, JobState.UNKNOWN, None, None),
        ({"job_state": "U"}, JobState.SUSPENDED, None, None),
        ({"job_state": "W"}, JobState.QUEUED, None, None),
        ({"job_state": "E"}, JobState.ENDING, None, None),
    ],
)
def test_how_a_job_ended_is_in_its_exit_status(
    native: dict[str, str], state: JobState, code: int | None, by_signal: int | None
) -> None:
    job = jobs.job({**LIVE, **native})
    assert (job.state, job.exit_code, job.signal) == (state, code, by_signal)
    assert not job.state.is_final or job.reason or state is JobState.COMPLETED


def test_one_that_waits_for_others_is_not_held_by_anybody() -> None:
    held = {**LIVE, "job_state": "H", "depend": "afterok:6.s@s"}
    assert jobs.job({**held, "Hold_Types": "s"}).state is JobState.QUEUED
    assert jobs.job({**held, "Hold_Types": "us"}).state is JobState.HELD
    assert jobs.job({**LIVE, "job_state": "H", "Hold_Types": "s"}).state is JobState.HELD


def test_an_array_that_has_begun_stands_for_its_tasks_that_wait() -> None:
    array = {
        **LIVE,
        "Job_Id": "7[].s",
        "job_state": "B",
        "Resource_List": {"ncpus": "4"},
        "array_indices_submitted": "0-9",
    }
    waiting = jobs.job({**array, "array_indices_remaining": "3-9"})
    assert (waiting.state, waiting.array, waiting.cores) == (JobState.QUEUED, "3-9", 4)
    begun = jobs.job({**array, "array_indices_remaining": "-"})
    assert (begun.state, begun.array, begun.cores) == (JobState.RUNNING, "0-9", 0)


def test_tasks_that_wait_are_gathered() -> None:
    tasks = [{**LIVE, "Job_Id": f"7[{n}].s", "job_state": state} for n, state in enumerate("CRHQQ")]
    found = [jobs.job(native) for native in jobs.gathered(tasks)]
    assert [(job.id, job.state, job.array) for job in found] == [
        ("7[0].s", JobState.UNKNOWN, ""),
        ("7[1].s", JobState.RUNNING, ""),
        ("7[].s", JobState.QUEUED, "2-4"),
    ]


def test_hosts_are_vnodes_or_slots() -> None:
    assert jobs.hosts({"vnodes": "(a[0]:ncpus=8:mem=9kb+a[1]:ncpus=4)+(b:ncpus=1)+(b:ncpus=1)"}) == (
        "a[0]",
        "a[1]",
        "b",
    )
    assert jobs.hosts({"vnodes": None, "hosts": "a/0-3+b/0,2+b/1*2"}) == ("a", "b")


@pytest.mark.parametrize(
    ("facts", "state", "used"),
    [
        ({"state": "free"}, NodeState.FREE, 0),
        ({"state": "free", "jobs": "0-2/12.s,3,5/13.s, 7/14.s"}, NodeState.MIXED, 6),
        ({"state": "job-exclusive", "jobs": "0-7/12.s"}, NodeState.BUSY, 8),
        ({"state": "down,offline"}, NodeState.DOWN, 0),
        ({"state": "offline"}, NodeState.DRAINED, 0),
        ({"state": "offline,job-exclusive", "jobs": "0/12.s"}, NodeState.DRAINING, 1),
        ({"state": "free", "power_state": "Hibernate"}, NodeState.OFF, 0),
        ({"state": "something new"}, NodeState.UNKNOWN, 0),
    ],
)
def test_a_node_of_torque(facts: dict[str, str], state: NodeState, used: int) -> None:
    [node] = machines.nodes({"n1": {"np": "8", **facts}}, {"batch": {"queue_type": "Execution"}})
    assert (node.state, node.cores_used, node.queues) == (state, used, ("batch",))


# -- wishes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "tasks", "spread"), [(1, 1, [(1, 1)]), (2, 5, [(1, 3), (1, 2)]), (3, 6, [(3, 2)]), (4, 2, [(4, 1)])]
)
def test_tasks_are_spread_over_nodes(nodes: int, tasks: int, spread: list[tuple[int, int]]) -> None:
    assert options.spread(JobSpec(name="x", script="", nodes=nodes, tasks=tasks)) == spread


@pytest.mark.parametrize(
    ("name", "kept"),
    [("plain-1.x", "plain-1.x"), ("it's so; rm", "it_s_so_rm"), ("7up", "job7up"), ("-o x", "job-o_x"), ("☃", "job")],
)
def test_a_name_is_what_both_products_take(name: str, kept: str) -> None:
    assert options.name(JobSpec(name=name, script="")) == kept


def ran(script: str) -> str:
    return subprocess.run(
        ["/bin/sh"], input=options.script(JobSpec(name="x", script=script)), capture_output=True, check=True
    ).stdout.decode()


def test_a_script_runs_in_its_own_language() -> None:
    assert ran("#!/usr/bin/env python3\nprint('it''s $HOME')\r\n") == "its $HOME\n"
    assert ran("#!/usr/bin/env -S python3 -u\nimport sys; print(sys.argv[0])") == "/dev/fd/3\n"
    assert ran("a=(1 2); echo ${a[1]}") == "2\n"


def test_directives_of_what_the_portal_does_not_say_stay_where_qsub_looks_for_them() -> None:
    text = (
        "#!/bin/sh\n\n# what it is\n#PBS -m abe\n#PBS -r n -N other\n#PBS -l place=excl,walltime=9:00:00\n#PBS -J 1-9\n"
        "#PBS -l select=4:ncpus=8\necho\n#PBS -q later\n"
    )
    lines = options.script(JobSpec(name="x", script=text)).decode().splitlines()
    assert lines[:4] == ["#!/bin/sh", "#PBS -m abe", "#PBS -r n", "#PBS -l place=excl"]
    assert directives.read(text) == {
        "name": "other", "walltime": 9 * 3600, "array": "1-9", "nodes": 4, "tasks": 4, "cores": 8
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("-l nodes=2:ppn=8:gpus=1", {"nodes": 2, "tasks": 16, "cores": 1, "gpus": 1}),
        (
            "-lselect=2:ncpus=8:mpiprocs=4:mem=4gb:ngpus=1",
            {"nodes": 2, "tasks": 8, "cores": 2, "gpus": 1, "memory": 4096},
        ),
        ("-l ncpus=4,mem=100mb,walltime=90", {"cores": 4, "memory": 100, "walltime": 90}),
        ("-l select=1:ncpus=8+2:ncpus=2", {}),
        ("-q batch -A fg82 -t 1,3%2", {"queue": "batch", "account": "fg82", "array": "1,3%2"}),
        ("-V -j oe # -q no", {}),
        ("-N 'not closed", {}),
    ],
)
def test_what_a_script_asks_for_itself(line: str, asked: dict[str, Any]) -> None:
    assert directives.read(f"#!/bin/sh\n#PBS {line}\nhostname\n#PBS -q later") == asked


def test_a_script_that_cannot_be_written_down_is_refused() -> None:
    with pytest.raises(Rejected, match="no text") as refusal:
        options.script(JobSpec(name="x", script="echo \ud800"))
    assert refusal.value.facts["field"] == "script"


@pytest.mark.parametrize(
    ("said", "kind", "field"),
    [
        ("qdel: Unknown Job Id 12.pbs1", Gone, None),
        ("qdel: Unknown Job Id Error 12.pbs1", Gone, None),
        ("qstat: cannot connect to server pbs1 (errno=15034)", Unreachable, None),
        ("qstat: cannot connect to server (null) (errno=15137) could not connect to trqauthd", Unreachable, None),
        ("qsub: Unauthorized Request ", Rejected, None),
        ("qsub: would exceed queue workq's per-user limit", Full, None),
        ("qsub: Bad UID for job execution", Refused, None),
        ("qsub: Unknown queue", Rejected, "queue"),
        ("sh: 1: cd: can't cd to /nowhere", Rejected, "directory"),
        ("sh: line 0: cd: /nowhere: No such file or directory", Rejected, "directory"),
        ("", Rejected, None),
    ],
)
def test_failures_have_their_kind(said: str, kind: type[DriverError], field: str | None) -> None:
    error = failures.failure(said)
    assert type(error) is kind
    assert error.facts.get("field") == field
    assert error.message.endswith(".")
