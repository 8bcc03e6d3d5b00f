"""What a script would do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmesh.errors import Rejected
from hpc.drivers.simulator import numbers
from hpc.drivers.simulator.script import Scene, play

SCENE = Scene({"USER": "demo", "HOSTNAME": "i001", "PWD": "/home/demo", "CORES": "4", "JOB_ID": "7"}, started=0.0)


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("echo hello   world", b"hello world\n"),
        ("echo 'two  spaces' \"and ; more\"", b"two  spaces and ; more\n"),
        ("echo $USER on ${HOSTNAME}, job $JOB_ID$NOTHING", b"demo on i001, job 7\n"),
        ("echo a; echo b && echo c", b"a\nb\nc\n"),
        ("hostname; whoami; pwd; nproc", b"i001\ndemo\n/home/demo\n4\n"),
        ("date", b"Thu Jan 01 00:00:00 UTC 1970\n"),
        ("#!/bin/sh\n#SBATCH --nodes=4\n\n  # a comment\necho x # why", b"x\n"),
        ("export A=1 B='x y'; C=$B\necho $A $C", b"1 x y\n"),
        ("export PATH", b"(simulated) export PATH\n"),
        ("mpirun -n 4 ./solve", b"(simulated) mpirun -n 4 ./solve\n"),
        ("sleep 1; true; :", b""),
        ("echo it's open", b"it's open\n"),
        ("echo before; exit; echo after", b"before\n"),
    ],
)
def test_lines_are_played(line: str, written: bytes) -> None:
    assert play(line, SCENE).written(1e9) == written


def test_errors_go_apart() -> None:
    played = play("echo good; echo bad >&2", SCENE)
    assert (played.written(9, error=False), played.written(9, output=False)) == (b"good\n", b"bad\n")


@pytest.mark.parametrize(
    ("script", "code"), [("exit 3", 3), ("false", 1), ("false; echo x", 0), ("exit 256", 0), ("", 0)]
)
def test_it_ends_with_a_code(script: str, code: int) -> None:
    assert play(script, SCENE).code == code


@pytest.mark.parametrize(("line", "seconds"), [("sleep 5", 5), ("sleep 1.5", 1.5), ("sleep 2m", 120), ("sleep x", 0)])
def test_it_lasts_as_long_as_it_sleeps(line: str, seconds: float) -> None:
    assert play(line, SCENE).seconds == pytest.approx(seconds + 0.1)


def test_what_is_written_comes_in_time() -> None:
    played = play("echo one\nsleep 10\necho two", SCENE)
    assert [played.written(after) for after in (0, 5, 10.2)] == [b"", b"one\n", b"one\ntwo\n"]


@given(script=st.text(max_size=300))
def test_nothing_that_people_write_breaks_it(script: str) -> None:
    played = play(script, SCENE)
    assert 0 <= played.code < 256
    assert isinstance(played.written(1e9), bytes)


# -- numbers of arrays -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1-4", ([1, 2, 3, 4], 0)),
        ("1,3,7-9", ([1, 3, 7, 8, 9], 0)),
        ("0-20:5", ([0, 5, 10, 15, 20], 0)),
        ("1-100%5", ([*range(1, 101)], 5)),
        ("3,3,1", ([1, 3], 0)),
        ("7", ([7], 0)),
    ],
)
def test_numbers_are_read(text: str, found: tuple[list[int], int]) -> None:
    assert numbers.parse(text) == found


@pytest.mark.parametrize("text", ["", "x", "1-", "-3", "1--3", "1-9999", "1%0", "1%", "1-999999", "1;2", "1\n2"])
def test_what_are_no_numbers_is_rejected(text: str) -> None:
    with pytest.raises(Rejected, match="Invalid array"):
        numbers.parse(text)


@given(st.sets(st.integers(0, 99_999), min_size=1, max_size=60), st.integers(0, 9))
def test_numbers_are_written_as_they_are_read(chosen: set[int], slots: int) -> None:
    assert numbers.parse(numbers.text(sorted(chosen), slots)) == (sorted(chosen), slots)
