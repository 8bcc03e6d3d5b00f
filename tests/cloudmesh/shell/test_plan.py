"""`cm vm boot --dryrun` shows what a boot would come to, ends as it would end, and takes nothing."""

from collections.abc import Callable
from typing import Any

from tests.cloudmesh.shell.conftest import Run


def test_a_dry_run_tells_and_takes_nothing(run: Run, data: Callable[..., Any]) -> None:
    before = {server["id"] for server in data("vm", "list")}
    told = run("vm", "boot", "--count", "2", "--name", "dry", "--dryrun")
    assert told.returncode == 0, told.stderr
    assert "boots" in told.stdout
    assert "dry_1, dry_2" in told.stdout
    assert "instances" in told.stdout
    plan = data("vm", "boot", "--count", "2", "--dryrun")
    assert (plan["outcome"], plan["count"], plan["decision"]["effect"]) == ("boots", 2, "allow")
    assert {server["id"] for server in data("vm", "list")} == before


def test_a_dry_run_of_too_much_ends_as_the_boot_would(run: Run) -> None:
    told = run("vm", "boot", "--count", "900", "--dryrun")
    assert told.returncode == 5
    assert "refused" in told.stdout
    assert "would be passed" in told.stderr
