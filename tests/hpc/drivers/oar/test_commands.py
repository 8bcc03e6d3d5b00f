"""What OAR's commands are asked, and what is made of their failures."""

from collections.abc import Callable

import pytest

from cloudmesh.errors import Busy, DriverError, Full, Gone, Rejected, Unreachable
from cloudmesh.types import JobSpec
from hpc.drivers import Answer
from hpc.drivers.oar import Oar
from tests.hpc.drivers.oar.conftest import Connect
from tests.hpc.drivers.oar.login_node import LoginNode

NewSpec = Callable[..., JobSpec]
SERVER_AWAY = "[ERROR] Cannot connect to executor 127.0.0.1:6666. Job is killed.\n"
NO_DATABASE = "DB connection error, exiting.\n"


def failed(error: str, code: int = 1, output: bytes = b"") -> Answer:
    return Answer(code, output, error)


def test_check_asks_the_database_too(oar: Oar, connect: Connect) -> None:
    assert oar.check() == "OAR 2.5.9 (Canicule) as fsalice"
    with pytest.raises(Unreachable, match="database does not answer"):
        connect(LoginNode(oarnodes=failed(NO_DATABASE, 25))).check()


def test_a_wish_becomes_options(oar: Oar, node: LoginNode, spec: NewSpec) -> None:
    wish = spec(
        name="a name", queue="night", account="fg82", nodes=2, tasks=3, cores=2, walltime=3661, array="1-4",
        is_held=True, directory="/work/x", output="out.%jobid%", error="err",
    )  # fmt: skip
    assert oar.submit(wish, token="ab12") == "12"
    assert node.last("oarsub")[1:] == (
        "--scanscript", "--resource=/nodes=2/core=3,walltime=1:01:01", "--name=a name", "--queue=night",
        "--project=fg82", "--stdout=out.%jobid%", "--stderr=err", "--array=4", "--hold", "--directory=/work/x",
        "/home/fsalice/.cloudmesh/oar/ab12-4",
    )  # fmt: skip


def test_what_is_not_asked_for_is_left_to_oar(oar: Oar, node: LoginNode, spec: NewSpec) -> None:
    oar.submit(spec(), token="ab12")
    assert node.last("oarsub")[2:] == (
        "--resource=/nodes=1/core=1", "--name=job", "--stdout=OAR.%jobid%.out", "--stderr=OAR.%jobid%.out",
        "--directory=/home/fsalice", "/home/fsalice/.cloudmesh/oar/ab12",
    )  # fmt: skip


def test_a_script_is_given_and_its_name_is_the_token(oar: Oar, node: LoginNode, spec: NewSpec) -> None:
    oar.submit(spec(script="echo one\r\necho two"), token="ab12")
    kept = next(index for index, command in enumerate(node.asked) if command[0] == "sh")
    assert node.asked[kept][-1] == "ab12"
    assert node.given[kept] == b"#!/bin/bash\necho one\necho two"


@pytest.mark.parametrize("line", ["#OAR -l /nodes=9", "#OAR --resource=/core=2", "#OAR --array 3"])
def test_a_script_does_not_ask_for_resources_beside(oar: Oar, node: LoginNode, spec: NewSpec, line: str) -> None:
    with pytest.raises(Rejected, match="Remove it") as caught:
        oar.submit(spec(script=f"#!/bin/sh\n{line}\n"), token="ab12")
    assert caught.value.facts["field"] == "script"
    assert not node.asked


def test_nothing_ends_the_quotes_that_oar_writes_around_a_name(oar: Oar, node: LoginNode, spec: NewSpec) -> None:
    """It is pasted between single quotes into a program that runs on the node."""
    oar.submit(spec(name="x'; system('id'); '\\\n"), token="ab12")
    named = next(part for part in node.last("oarsub") if part.startswith("--name="))
    assert not set("'\\\n") & set(named)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", "x'; system('id'); '"),
        ("directory", "/work/x'; system('id'); '"),
        ("directory", "/work/\\"),
        ("output", "it's.out"),
        ("output", "a\nb"),
        ("error", "$(id)"),
        ("queue", "a b"),
        ("array", "2-3"),
        ("array", "1-9%2"),
        ("gpus", 1),
        ("memory", 100),
        ("qos", "high"),
    ],
)
def test_what_oar_does_not_take_is_refused_by_name(
    oar: Oar, node: LoginNode, spec: NewSpec, field: str, value: str | int
) -> None:
    with pytest.raises(Rejected, match=r"\w+ \w+") as caught:
        oar.submit(spec(**{field: value}), token="ab12")
    assert caught.value.facts["field"] == field
    assert not [command for command in node.asked if command[0] == "oarsub"]


def test_nothing_is_submitted_without_the_database(connect: Connect, spec: NewSpec) -> None:
    """oarsub would wait for it without an end, and submit what was given up long ago."""
    node = LoginNode(oarstat=failed(NO_DATABASE, 25))
    with pytest.raises(Unreachable, match="database"):
        connect(node).submit(spec(), token="ab12")
    assert {command[0] for command in node.asked} == {"oarstat"}


def test_what_is_made_without_the_server_is_made(connect: Connect, spec: NewSpec) -> None:
    """oarsub says that the job is killed; it waits, and begins with the server."""
    node = LoginNode(oarsub=failed(SERVER_AWAY, 9, b"OAR_JOB_ID=13\n"))
    assert connect(node).submit(spec(), token="ab12") == "13"


def test_an_odd_token_is_no_file_name(oar: Oar, node: LoginNode, spec: NewSpec) -> None:
    for token in ("", "../x", "a'b", "a b", "%"):
        with pytest.raises(Rejected):
            oar.submit(spec(), token=token)
        assert oar.find(token) == ""
    assert not node.asked


@pytest.mark.parametrize(
    ("after", "numbers"), [(("79",), [79]), (("85",), [85, 86]), (("85_2",), [86]), (("78", "79"), [78, 79])]
)
def test_what_it_waits_for_is_all_tasks_of_an_array(
    oar: Oar, node: LoginNode, spec: NewSpec, after: tuple[str, ...], numbers: list[int]
) -> None:
    oar.submit(spec(after=after), token="ab12")
    told = [part for part in node.last("oarsub") if part.startswith("--anterior")]
    assert told == [f"--anterior={number}" for number in numbers]


@pytest.mark.parametrize("after", ["999", "85_7", "1; true", "-u"])
def test_what_is_not_there_is_nothing_to_wait_for(oar: Oar, spec: NewSpec, after: str) -> None:
    with pytest.raises(Gone, match="no job"):
        oar.submit(spec(after=(after,)), token="ab12")


def test_a_wish_is_found_by_its_whole_token(oar: Oar) -> None:
    assert [oar.find(token) for token in ("aaaa4", "bbbb", "aaaa", "bbb", "bbbbb")] == ["87", "90", "", "", ""]


# -- what went wrong -------------------------------------------------------------------------------------------


def test_silence_is_an_empty_list_only_of_an_oar_that_has_nodes(connect: Connect) -> None:
    """oarstat says nothing, and ends with 0, also where its question failed."""
    silent = Answer(0, b"", "")
    assert list(connect(LoginNode(oarstat=silent)).jobs()) == []
    with pytest.raises(Busy, match="database"):
        list(connect(LoginNode(oarstat=silent, oarnodes=silent)).jobs())


@pytest.mark.parametrize("output", [b"Welcome to india!\n{}", b"{", b"[]"])
def test_what_is_no_document_is_no_empty_list(connect: Connect, output: bytes) -> None:
    with pytest.raises(Busy, match="did not answer as OAR does"):
        list(connect(LoginNode(oarstat=Answer(0, output, ""))).jobs())


def test_latin_letters_come_in_one_byte_where_no_other_does(connect: Connect) -> None:
    document = '{"7": {"Job_Id": 7, "array_id": 7, "array_index": 1, "state": "Hold", "name": "Ünï", "owner": "a"}}'
    node = LoginNode(oarstat=Answer(0, document.encode("latin-1"), ""))
    assert [job.name for job in connect(node).jobs()] == ["Ünï"]


@pytest.mark.parametrize(
    ("said", "kind", "field"),
    [
        ("[ADMISSION RULE] Modify resource description with type constraints\nERROR : The queue x does not exist\n",
         Rejected, "queue"),
        ("There are not enough resources for your request\n[ERROR] Oarsub failed, please verify your request syntax.\n",
         Rejected, "nodes"),
        ("/!\\ Invalid stdout file name (bad character)\n", Rejected, "output"),
        ("[ADMISSION RULE] Only member of the group admin can submit jobs in the admin queue\n", Rejected, "queue"),
        ("cat: write error: No space left on device\n", Full, None),
        (SERVER_AWAY, Unreachable, None),
    ],
)  # fmt: skip
def test_refusals_are_in_the_words_of_oar(
    connect: Connect, spec: NewSpec, said: str, kind: type[DriverError], field: str | None
) -> None:
    with pytest.raises(kind, match=r"\w+ \w+") as caught:
        connect(LoginNode(oarsub=failed(said, 8))).submit(spec(), token="ab12")
    assert caught.value.facts.get("field") == field
    assert "verify your request" not in caught.value.message
    assert "ADMISSION" not in caught.value.message


def test_a_command_that_is_not_there_names_the_field(connect: Connect) -> None:
    node = LoginNode(oarstat=failed("", 127))
    with pytest.raises(Rejected, match="no oarstat") as caught:
        list(connect(node, bin="/opt/oar/bin/").jobs())
    assert caught.value.facts["field"] == "bin"
    assert node.asked[0][0] == "/opt/oar/bin/oarstat"


def test_what_hangs_is_told_of_the_database(connect: Connect) -> None:
    with pytest.raises(Busy, match="database may not answer"):
        connect(LoginNode(oardel=Busy("oardel has not ended after 7 s."))).cancel("12")


# -- cancel, hold and release ----------------------------------------------------------------------------------


def test_an_action_is_for_one_job_and_all_tasks_of_an_array(oar: Oar, node: LoginNode) -> None:
    oar.cancel("12")
    oar.cancel("12_3")
    first, second = (command[-1] for command in node.asked)
    assert "job_id IN (12) OR (array_id IN (12) AND command LIKE '%/.cloudmesh/oar/%-%')" in first
    assert "array_id = 12 AND array_index = 3" in second
    assert all("NOT state IN ('Terminated', 'Error')" in asked for asked in (first, second))


@pytest.mark.parametrize("odd", ["", "*", "12 OR 1=1", "1; true", "-u", "12_", "1\n2", "ü"])
def test_an_odd_id_reaches_nothing(oar: Oar, node: LoginNode, odd: str) -> None:
    for act in (oar.cancel, oar.hold, oar.release):
        with pytest.raises(Gone, match="no job"):
            act(odd)
    assert list(oar.ended([odd])) == []
    assert not node.asked


def test_to_cancel_twice_is_no_error(connect: Connect) -> None:
    said = failed("Cannot frag 12 ; This job was already killed.\n", 6, b"Deleting the job = 12 ...ERROR.\n")
    connect(LoginNode(oardel=said)).cancel("12")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("oardel", "Cannot frag 12 ; You are not the right user.\n"),
        ("oarhold", "/!\\ Cannot hold 12 : you are not the right user.\n"),
        ("oarresume", "/!\\ Cannot resume 12 : you are not the right user.\n"),
    ],
)
def test_the_job_of_another_is_not_touched(connect: Connect, command: str, said: str) -> None:
    oar = connect(LoginNode(**{command: failed(said)}))
    act = {"oardel": oar.cancel, "oarhold": oar.hold, "oarresume": oar.release}[command]
    with pytest.raises(Rejected, match="somebody else's"):
        act("12")


def test_without_its_server_nothing_is_ended_and_that_is_told(connect: Connect) -> None:
    said = failed("Could not connect to the socket 127.0.0.1:6666\n", 2, b"Deleting the job = 12 ...REGISTERED.\n")
    with pytest.raises(Unreachable, match="Almighty"):
        connect(LoginNode(oardel=said)).cancel("12")


def test_what_is_held_already_is_held(connect: Connect) -> None:
    said = failed("/!\\ Cannot hold 88 : the job is not in the right state (try '-r' option).\n")
    held = '{"88": {"Job_Id": 88, "array_id": 88, "array_index": 1, "state": "Hold"}}'
    connect(LoginNode(oarhold=said, oarstat=Answer(0, held.encode(), ""))).hold("88")
    runs = held.replace("Hold", "Running")
    with pytest.raises(Rejected, match="Only a job that waits"):
        connect(LoginNode(oarhold=said, oarstat=Answer(0, runs.encode(), ""))).hold("88")


def test_what_is_not_held_goes_on_anyway(connect: Connect) -> None:
    said = failed("/!\\ Cannot resume 5 : the job is not in the Hold or Suspended state.\n")
    connect(LoginNode(oarresume=said)).release("5")


def test_silence_to_hold_and_release_is_no_job(oar: Oar) -> None:
    for act in (oar.hold, oar.release):
        with pytest.raises(Gone, match="knows no job 999"):
            act("999")
