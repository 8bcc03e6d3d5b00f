"""`cm usage`: what a server took from its boot to its deletion, as it is told in the shell."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


def test_what_was_booted_and_deleted_was_used(run: Run, data: Data) -> None:
    assert run("vm", "boot", "--name", "counted", "--cloud", "alamo").returncode == 0
    assert run("vm", "delete", "counted", "--yes").returncode == 0
    [cloud] = [row for row in data("usage", "--since", "1d", "--by", "cloud") if row["name"] == "alamo"]
    assert 0 < cloud["core_hours"] < 1
    days = data("usage", "--project", "sandbox", "--since", "3d")
    assert len(days) == 3
    assert days[-1]["core_hours"] >= cloud["core_hours"]
    assert run("usage", "--since", "1d", "--format", "csv").stdout.startswith("name,core_hours,ram_gib_hours,")


@pytest.mark.parametrize(
    ("wanted", "said", "exit_code"),
    [
        (["--since", "yesterday"], "such as 2026-03-31", 2),
        (["--by", "week"], "'week' is not one of", 2),
        (["--project", "elsewhere"], "elsewhere", 3),
    ],
)
def test_what_cannot_be_told_is_explained(run: Run, wanted: list[str], said: str, exit_code: int) -> None:
    answer = run("usage", *wanted)
    assert (answer.returncode, said in answer.stderr) == (exit_code, True), answer.stderr
