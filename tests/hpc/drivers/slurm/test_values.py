"""How versions of Slurm write the same values."""

import datetime
from typing import Any

import pytest

from hpc.drivers.slurm import values

NO_VAL, INFINITE, NO_VAL64 = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFE


@pytest.mark.parametrize("value", [7, "7", {"set": True, "infinite": False, "number": 7}])
def test_a_number_is_written_in_three_ways(value: Any) -> None:
    assert values.number(value) == 7


@pytest.mark.parametrize(
    "value",
    [
        None,
        "N/A",
        "UNLIMITED",
        "",
        -1,
        NO_VAL,
        INFINITE,
        NO_VAL64,
        {"set": False, "infinite": False, "number": 0},
        {"set": True, "infinite": True, "number": 0},
        {"set": False, "infinite": True, "number": 0},
    ],
)
def test_no_number_too(value: Any) -> None:
    assert values.number(value) is None
    assert values.limit(value) is None


@pytest.mark.parametrize("value", [1795400810, "1795400810", {"set": True, "infinite": False, "number": 1795400810}])
def test_a_time_is_utc(value: Any) -> None:
    assert values.moment(value) == datetime.datetime(2026, 11, 23, 2, 26, 50, tzinfo=datetime.UTC)


@pytest.mark.parametrize("value", [0, None, "Unknown", "N/A", "None", {"set": True, "infinite": False, "number": 0}])
def test_no_time_too(value: Any) -> None:
    assert values.moment(value) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(20, 1200), ("20", 1200), ("20:00", 1200), ("1:00:00", 3600), ("1-00:00:00", 86400), ("7-12:00:01", 648001)],
)
def test_limits_are_minutes_or_clocks(value: Any, seconds: int) -> None:
    assert values.limit(value) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:00.001", 0), ("01:02.5", 62), ("00:00:59", 59), ("2-03:04:05", 183845), ("", None)]
)
def test_durations_of_accounting(text: str, seconds: int | None) -> None:
    assert values.seconds(text) == seconds


@pytest.mark.parametrize(
    ("value", "mebibytes"),
    [("500M", 500), ("99G", 101376), ("1.50T", 1572864), ("2048K", 2), ("16000", 16000), (16000, 16000), (None, 0)],
)
def test_sizes_have_units(value: Any, mebibytes: int) -> None:
    assert values.mebibytes(value) == mebibytes


@pytest.mark.parametrize(
    ("counts", "gpus"),
    [
        ("cpu=8,mem=2000M,node=2,billing=8,gres/gpu=2", 2),
        ("cpu=8,gres/gpu=4,gres/gpu:a100=4", 4),
        ("gres/gpu:a100=2,gres/gpu:v100=1", 3),
        ("gres:gpu:1", 1),
        ("gres/gpu:2", 2),
        ("gpu:2", 2),
        ("gpu:a100:2(S:0-1),nic:1", 2),
        ("gpu:2(IDX:0-1)", 2),
        ("gpu", 1),
        ("gpu:a100", 1),
        ("cpu=8", 0),
        ("(null)", 0),
        ("gres/gpumem=80G", 0),
        (None, 0),
    ],
)
def test_gpus_are_counted_in_every_spelling(counts: str | None, gpus: int) -> None:
    assert values.gpus(counts) == gpus
