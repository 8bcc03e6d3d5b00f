"""What becomes of a wish: the arguments of qsub, and what it is refused for."""

import subprocess
from typing import Any

import pytest

from cloudmesh.errors import Busy, Full, Gone, Refused, Rejected, Unreachable
from hpc.drivers import Answer
from hpc.drivers.gridengine import GridEngine, options
from tests.hpc.drivers.gridengine.conftest import Connect, said, spec
from tests.hpc.drivers.gridengine.login_node import LoginNode


def arguments(cluster: GridEngine, node: LoginNode, **changes: Any) -> list[str]:
    assert cluster.submit(spec(**changes), token="t") == "12"
    return list(node.asked[-1])


def value(command: list[str], option: str) -> list[str]:
    return [command[index + 1] for index, part in enumerate(command) if part == option]


@pytest.mark.parametrize(
    ("changes", "slots"),
    [
        ({}, []),
        ({"tasks": 2}, ["smp", "2"]),
        ({"tasks": 2, "cores": 4}, ["smp", "8"]),
        ({"nodes": 3}, ["mpi", "3"]),
        ({"nodes": 2, "tasks": 4, "cores": 2}, ["mpi", "8"]),
    ],
)
def test_tasks_and_cores_are_slots(
    cluster: GridEngine, node: LoginNode, changes: dict[str, int], slots: list[str]
) -> None:
    command = arguments(cluster, node, **changes)
    assert (command[command.index("-pe") + 1 : command.index("-pe") + 3] if "-pe" in command else []) == slots


def test_memory_is_spread_over_slots_and_all_is_called_as_the_cluster_does(connect: Connect, node: LoginNode) -> None:
    cluster = connect(node, pe="threads", memory="mem_free", gpus="ngpus")
    command = arguments(cluster, node, tasks=3, memory=1000, gpus=2, walltime=90)
    assert value(command, "-l") == ["h_rt=90", "mem_free=334M", "ngpus=2"]
    assert value(command, "-pe") == ["threads"]


def test_the_token_is_the_account_and_the_account_a_project(cluster: GridEngine, node: LoginNode) -> None:
    command = arguments(cluster, node, account="fg82")
    assert (value(command, "-A"), value(command, "-P")) == (["cloudmesh-t"], ["fg82"])


def test_an_array_has_numbers_and_how_many_at_once(connect: Connect) -> None:
    node = LoginNode(qsub=Answer(0, b"Your site welcomes you\n12.1-9:2\n", ""))
    command = arguments(connect(node), node, array="1-9:2%3")
    assert (value(command, "-t"), value(command, "-tc")) == (["1-9:2"], ["3"])


@pytest.mark.parametrize("array", ["1,2", "0-3", "x", "1-", "3%0", "-1", "1-3 -h"])
def test_an_array_that_it_cannot_have_is_rejected(cluster: GridEngine, array: str) -> None:
    with pytest.raises(Rejected) as caught:
        cluster.submit(spec(array=array), token="t")
    assert caught.value.facts["field"] == "array"


@pytest.mark.parametrize("path", ["relative", "/tmp/a,b", "host:/tmp/x", "/tmp/$HOME/x", "/tmp/a'b", "/tmp/a\nb"])
def test_a_path_that_qsub_would_misread_is_rejected(cluster: GridEngine, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        cluster.submit(spec(output=path), token="t")
    assert caught.value.facts["field"] == "output"


@pytest.mark.parametrize("job_id", ["*", "name", "-u", "1 2", "1,2", "", "1-3", "12.3.4"])
def test_only_numbers_are_jobs(cluster: GridEngine, node: LoginNode, job_id: str) -> None:
    cluster.cancel(job_id)
    with pytest.raises(Gone):
        cluster.hold(job_id)
    assert node.asked == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("1st", "job1st"),
        ("a b", "a_b"),
        ("\N{SNOWMAN}", "job"),
        ("-o", "job-o"),
        ("x" * 600, "x" * 200),
        ("a:b/c", "a_b_c"),
    ],
)
def test_a_name_is_one_that_it_takes(typed: str, name: str) -> None:
    assert options.name(spec(name=typed)) == name


@pytest.mark.parametrize(
    ("script", "output"),
    [
        ("#!/bin/sh\necho $1 'it''s'\n", "its\n"),
        ("#!/usr/bin/env -S python3 -B\nprint('snake')\n", "snake\n"),
        ("[[ 1 == 1 ]] && echo bash", "bash\n"),
        ("#!/bin/bash\r\necho lines\r\n", "lines\n"),
    ],
)
def test_a_script_is_run_by_what_it_names(script: str, output: str) -> None:
    given = options.script(spec(script=script))
    ran = subprocess.run(["/bin/sh"], input=given, capture_output=True, check=True)
    assert ran.stdout.decode() == output


@pytest.mark.parametrize(
    ("words", "kind", "field"),
    [
        ('Unable to run job: Job was rejected because job requests unknown queue "x".\nExiting.', Rejected, "queue"),
        ('Unable to run job: job rejected: the requested project "x" does not exist\nExiting.', Rejected, "account"),
        ('Unable to run job: job rejected: the requested parallel environment "x" does not exist', Rejected, "cores"),
        ("Unable to run job: error: no suitable queues\nExiting.", Rejected, "queue"),
        ("sh: 1: cd: can't cd to /nowhere", Rejected, "directory"),
        ('Unable to run job: denied: host "a" is no submit host.', Refused, ""),
        ("Unable to run job: job rejected: Only 5 jobs are allowed per user (current job count: 5).", Full, ""),
        ("Unable to run job: unable to send message to qmaster using port 1 on host", Unreachable, ""),
    ],
)
def test_a_refusal_names_what_to_change(connect: Connect, words: str, kind: type[Exception], field: str) -> None:
    with pytest.raises(kind) as caught:
        connect(LoginNode(qsub=said(words))).submit(spec(directory="/tmp"), token="t")
    assert getattr(caught.value, "facts", {}).get("field", "") == field
    assert "Exiting" not in str(caught.value)


def test_what_qsub_does_not_say_is_asked_again(connect: Connect) -> None:
    with pytest.raises(Busy, match="did not say"):
        connect(LoginNode(qsub=Answer(0, b"hello\n", ""))).submit(spec(), token="t")


def test_a_forecast_is_not_submitted(connect: Connect) -> None:
    node = LoginNode(qsub=Answer(0, b"verification: found suitable queue(s)\n", ""))
    assert "suitable" in connect(node).forecast(spec(queue="all.q")).text
    assert node.asked[-1][1:3] == ("-w", "v")


def test_to_release_what_ended_in_between_is_no_error(connect: Connect) -> None:
    gone = said('denied: job "7" does not exist', 3)
    connect(LoginNode(qrls=gone)).release("7")
    with pytest.raises(Gone):
        connect(LoginNode(qrls=gone)).release("999")


def test_a_job_of_another_is_rejected(connect: Connect) -> None:
    words = 'denied: "fsbob" must be at least owner of job 2 to change job attributes'
    with pytest.raises(Rejected, match="somebody else"):
        connect(LoginNode(qhold=said(words, 18))).hold("2")


def test_what_qdel_writes_to_its_output_is_what_is_wrong(connect: Connect) -> None:
    noise = "error: commlib error: got select error (Connection refused)\n"
    words = b'unable to send message to qmaster using port 1 on host "localhost": got send error\n'
    with pytest.raises(Unreachable, match=r"^unable to send"):
        connect(LoginNode(qdel=said(noise, 1, words))).cancel("2")
