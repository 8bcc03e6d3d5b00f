"""What is said to Slurm's commands, and what is made of their refusals."""

import datetime
from collections.abc import Callable

import pytest

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected, Unreachable
from cloudmesh.types import JobSpec
from hpc.drivers import Answer
from tests.hpc.drivers.slurm.conftest import Connect, said
from tests.hpc.drivers.slurm.login_node import ANSWERS, LoginNode

Specify = Callable[..., JobSpec]
MUNGE = """sbatch: error: If munged is up, restart with --num-threads=10
sbatch: error: Munge encode failed: Failed to access "/run/munge/munge.socket.2": No such file or directory
sbatch: error: slurm_send_node_msg: auth_g_create: REQUEST_SUBMIT_BATCH_JOB has authentication error
sbatch: error: Batch job submission failed: Protocol authentication error
"""
DATABASE = """sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection to host:127.0.0.1
sacct: error: Sending PersistInit msg: Connection refused
sacct: error: Problem talking to the database: Connection refused
"""

# -- submitting ------------------------------------------------------------------------------------------------


def test_each_wish_is_an_argument_of_its_own(connect: Connect, node: LoginNode, spec: Specify) -> None:
    wanted = spec(
        name="a b", queue="batch", account="fg82", qos="short", nodes=2, tasks=4, cores=3, gpus=1, memory=2000,
        walltime=601, array="1-10%2", after=("7", "8_1"), is_held=True, directory="/d", output="/o %j", error="/e",
    )  # fmt: skip
    assert connect(node).submit(wanted, token="f00d") == "12"
    assert node.asked[-1][:3] == ("env", "sbatch", "--parsable")
    assert node.options == [
        "--parsable", "--job-name=a b", "--nodes=2", "--ntasks=4", "--cpus-per-task=3", "--comment=cloudmesh:f00d",
        "--partition=batch", "--account=fg82", "--qos=short", "--gpus-per-node=1", "--mem=2000M", "--time=11",
        "--array=1-10%2", "--dependency=afterok:7:8_1", "--chdir=/d", "--output=/o %j", "--error=/e", "--hold",
    ]  # fmt: skip


def test_what_is_not_wished_is_left_to_the_queue(connect: Connect, node: LoginNode, spec: Specify) -> None:
    connect(node).submit(spec(), token="f00d")
    asked = {option.partition("=")[0] for option in node.options}
    assert asked == {"--parsable", "--job-name", "--nodes", "--ntasks", "--cpus-per-task", "--comment"}


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("; rm -rf ~", "; rm -rf ~"),
        ("two\nlines\tand\x1b[31m", "two lines and [31m"),
        ("--wrap=reboot", "--wrap=reboot"),
        ("☃" * 4000, "☃" * 200),
        ("\ud800", "job"),
        (" \n ", "job"),
    ],
)
def test_names_are_cleaned_and_cut(connect: Connect, node: LoginNode, spec: Specify, typed: str, taken: str) -> None:
    connect(node).submit(spec(name=typed), token="f00d")
    assert f"--job-name={taken}" in node.asked[-1]


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("#!/usr/bin/python3\nprint()\n", b"#!/usr/bin/python3\nprint()\n"),
        ("#!/bin/sh\r\necho\r\n", b"#!/bin/sh\necho\n"),
        ("echo hello", b"#!/bin/bash\necho hello"),
    ],
)
def test_scripts_go_in_as_slurm_takes_them(
    connect: Connect, node: LoginNode, spec: Specify, typed: str, taken: bytes
) -> None:
    connect(node).submit(spec(script=typed), token="f00d")
    assert node.given[-1] == taken


@pytest.mark.parametrize("changes", [{"name": "a\0b"}, {"output": "/a\0b"}, {"script": "#!/bin/sh\n\ud800"}])
def test_what_no_command_takes_is_rejected(
    connect: Connect, node: LoginNode, spec: Specify, changes: dict[str, str]
) -> None:
    with pytest.raises(Rejected, match=r"\w+ \w+"):
        connect(node).submit(spec(**changes), token="f00d")
    assert node.asked == []


def test_an_id_that_is_none_reaches_no_command(connect: Connect, node: LoginNode, spec: Specify) -> None:
    slurm = connect(node)
    for call in (slurm.cancel, slurm.hold, slurm.release, lambda odd: slurm.submit(spec(after=(odd,)), token="f")):
        for odd in ("", "-u", "--user=root", "1 2", "1,2", "1\n", "ü", "1_", "12345678901"):
            with pytest.raises(Gone):
                call(odd)
    assert node.asked == []


def test_another_cluster_answers_with_its_name(connect: Connect, spec: Specify) -> None:
    node = LoginNode(sbatch=said("", 0, b"sbatch: a note of the site\n77;india\n"))
    assert connect(node, cluster="india").submit(spec(), token="f00d") == "77"
    assert "--clusters=india" in node.asked[-1]


def test_commands_are_found_where_they_are(connect: Connect, node: LoginNode) -> None:
    connect(node, bin="/opt/slurm/bin/").cancel("12")
    assert node.asked == [("env", "/opt/slurm/bin/scancel", "12")]


def test_every_command_has_as_long_as_the_site_gives(connect: Connect, node: LoginNode) -> None:
    slurm = connect(node)
    list(slurm.jobs())
    list(slurm.nodes())
    slurm.find("f00d")
    assert set(node.timeouts) == {7}


def test_the_end_of_a_value_is_another_each_time(connect: Connect, node: LoginNode) -> None:
    slurm = connect(node, answers="text")
    assert list(slurm.jobs()) == list(slurm.jobs())
    assert node.asked[0] != node.asked[1]


# -- forecast --------------------------------------------------------------------------------------------------


def test_a_forecast_is_a_time_and_hosts(connect: Connect, spec: Specify) -> None:
    words = "sbatch: Job 10 to start at 1795524591 using 2 processors on nodes i[001-002] in partition batch\n"
    node = LoginNode(sbatch=said(words, 0))
    forecast = connect(node).forecast(spec())
    assert forecast.start == datetime.datetime.fromtimestamp(1795524591, datetime.UTC)
    assert forecast.hosts == ("i001", "i002")
    assert forecast.text.startswith("Job 10 to start at 2026-11-24 12:49 UTC using 2 processors")
    assert "--test-only" in node.options
    assert not [option for option in node.options if option.startswith("--comment")]


def test_a_forecast_without_a_time_is_its_words(connect: Connect, spec: Specify) -> None:
    forecast = connect(LoginNode(sbatch=said("sbatch: Job will wait for its dependency\n", 0))).forecast(spec())
    assert (forecast.start, forecast.text) == (None, "Job will wait for its dependency")


def test_a_forecast_of_what_is_impossible_is_rejected(connect: Connect, spec: Specify) -> None:
    node = LoginNode(sbatch=said("allocation failure: Requested node configuration is not available\n"))
    with pytest.raises(Rejected, match="Requested node configuration is not available"):
        connect(node).forecast(spec())


# -- finding ---------------------------------------------------------------------------------------------------


def test_a_wish_is_found_in_the_queue(connect: Connect, node: LoginNode) -> None:
    assert connect(node).find("f00d") == "221"
    assert len(node.asked) == 1


def test_a_wish_is_looked_up_in_accounting_then(connect: Connect) -> None:
    node = LoginNode(squeue=said("", 0))
    assert connect(node).find("beef") == "224"
    assert len(node.asked) == 2


def test_where_accounting_is_away_a_wish_is_not_lost(connect: Connect) -> None:
    with pytest.raises(Unreachable, match="slurmdbd"):
        connect(LoginNode(sacct=said(DATABASE))).find("other")


def test_without_accounting_a_wish_is_not_found(connect: Connect) -> None:
    node = LoginNode(sacct=said("Slurm accounting storage is disabled\n"))
    assert connect(node).find("other") == ""
    assert list(connect(node).ended(["12"])) == []


# -- failures --------------------------------------------------------------------------------------------------


FAILED = "sbatch: error: Batch job submission failed: "
REFUSALS = [
    (FAILED + "Unable to contact slurm controller (connect failure)", Unreachable, "slurmctld"),
    (FAILED + "Socket timed out on send/recv operation", Busy, "timed out"),
    (FAILED + "Zero Bytes were transmitted or received", Busy, "Zero"),
    ("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", Busy, "temporarily"),
    (MUNGE, Unreachable, "administrator has to start munged"),
    (FAILED + "Invalid authentication credential", Refused, "clocks"),
    (FAILED + "Invalid account or account/partition combination specified", Rejected, "account"),
    ("sbatch: error: invalid partition specified: nope\n" + FAILED + "Invalid partition name", Rejected, "nope"),
    (FAILED + "Invalid qos specification", Rejected, "qos"),
    ("sbatch: error: QOSMaxJobs\n" + FAILED + "Job violates accounting/QOS policy (job limit)", Full, "QOSMaxJobs"),
    (FAILED + "I/O error writing script/environment to file", Full, "disk"),
    (FAILED + "Required partition not available (inactive or drain)", Rejected, "queue"),
    (FAILED + "Invalid job array specification", Rejected, "1-10"),
    ("sbatch: error: Memory specification can not be satisfied\n" + FAILED + "Not available", Rejected, "Memory"),
    ("sbatch: error: Unknown host\nsbatch: fatal: Could not establish a configuration source", Unreachable, "set up"),
    ("something new", Rejected, "something new"),
]


@pytest.mark.parametrize(("words", "kind", "part"), REFUSALS)
def test_refusals_are_told_apart(
    connect: Connect, spec: Specify, words: str, kind: type[DriverError], part: str
) -> None:
    with pytest.raises(DriverError, match=part) as caught:
        connect(LoginNode(sbatch=said(words))).submit(spec(), token="f00d")
    assert type(caught.value) is kind
    assert not caught.value.message.startswith("sbatch")
    assert "num-threads" not in caught.value.message


def test_a_refusal_names_the_field(connect: Connect, spec: Specify) -> None:
    node = LoginNode(sbatch=said("sbatch: error: Batch job submission failed: Invalid qos specification"))
    with pytest.raises(Rejected) as caught:
        connect(node).submit(spec(), token="f00d")
    assert caught.value.facts == {"field": "qos", "code": 1}


def test_commands_that_are_not_there_are_said_so(connect: Connect) -> None:
    with pytest.raises(Rejected, match="no squeue") as caught:
        list(connect(LoginNode(squeue=said("env: ‘squeue’: No such file or directory", 127))).jobs())
    assert caught.value.facts["field"] == "bin"


def test_to_cancel_what_has_ended_is_no_error(connect: Connect) -> None:
    words = "scancel: error: Kill job error on job id 3: Job/step already completing or completed"
    node = LoginNode(scancel=said(words, 210))
    connect(node).cancel("3")
    assert node.asked[-1][-1] == "3"


def test_the_job_of_another_is_not_cancelled(connect: Connect) -> None:
    node = LoginNode(scancel=said("scancel: error: Kill job error on job id 1: Access/permission denied", 210))
    with pytest.raises(Rejected, match="somebody else's"):
        connect(node).cancel("1")


def test_an_unknown_job_is_gone(connect: Connect) -> None:
    words = "Invalid job id specified for job 9999\nslurm_suspend error: Invalid job id specified\n"
    with pytest.raises(Gone, match="Invalid job id specified for job 9999"):
        connect(LoginNode(scontrol=said(words))).hold("9999")


# -- answers that are none -------------------------------------------------------------------------------------


def test_an_error_with_exit_code_0_is_not_an_empty_list(connect: Connect) -> None:
    away = (ANSWERS / "squeue-away.json").read_bytes()
    with pytest.raises(Unreachable, match="slurmctld"):
        list(connect(LoginNode(squeue=Answer(0, away, ""))).jobs())
    with pytest.raises(Unreachable, match="munged"):
        list(connect(LoginNode(squeue=Answer(0, away, MUNGE))).jobs())


@pytest.mark.parametrize("output", [b"", b"{", b"[]", b"{}", b'{"jobs": null}', b"Welcome to India!\n{}"])
def test_garbage_is_not_an_empty_list(connect: Connect, output: bytes) -> None:
    with pytest.raises(Busy, match="squeue"):
        list(connect(LoginNode(squeue=Answer(0, output, ""))).jobs())


def test_a_table_that_breaks_off_is_not_a_list(connect: Connect) -> None:
    class Breaking(LoginNode):
        def run(self, *command: str, **options: object) -> Answer:
            whole = super().run(*command)
            return whole._replace(output=whole.output[:-100])

    with pytest.raises(Busy, match="broke off"):
        list(connect(Breaking(), answers="text").jobs())


def test_no_partition_at_all_is_no_answer(connect: Connect) -> None:
    with pytest.raises(Busy, match="partition"):
        list(connect(LoginNode(scontrol=Answer(0, b"", ""))).queues())


@pytest.mark.parametrize(
    "words",
    ["squeue: unrecognized option '--json'\nTry squeue --help", "squeue: fatal: Unable to load serializer/json plugin"],
)
def test_where_there_is_no_json_text_is_asked_for_from_then_on(connect: Connect, words: str) -> None:
    class Old(LoginNode):
        def run(self, *command: str, **options: object) -> Answer:
            answer = super().run(*command)
            return said(words) if "--json" in command else answer

    node = Old()
    slurm = connect(node)
    assert {job.id for job in slurm.jobs()} == {job.id for job in slurm.jobs()} >= {"221", "223", "223_1"}
    assert [("--json" in command) for command in node.asked] == [True, False, False]


def test_a_controller_that_hangs_is_busy(connect: Connect) -> None:
    node = LoginNode(squeue=Busy("env has not ended after 7 s and was stopped."))
    with pytest.raises(Busy, match="controller may not answer"):
        list(connect(node).jobs())
