"""`cm review`, `approve`, `user`, `quota`, `token`, `info` and the whole portal behind them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]
NOBODY = "00000000-0000-0000-0000-000000000000"


def test_a_token_is_made_shown_once_and_revoked(run: Run, data: Data) -> None:
    made = run("token", "create", "laptop", "--read-only", "--days", "3")
    secret = made.stdout.strip()
    assert secret.startswith("cm_")
    assert secret not in made.stderr
    [kept] = [each for each in data("token", "list") if each["name"] == "laptop"]
    assert (kept["scopes"], "token" in kept) == (["read"], False)
    assert run("key", "default", "none", CLOUDMESH_TOKEN=secret).returncode == 4
    assert run("token", "revoke", kept["id"], "--yes").returncode == 0
    assert run("token", "list", CLOUDMESH_TOKEN=secret).returncode == 4


def test_a_limit_is_set_and_taken_away(data: Data) -> None:
    [made] = [row for row in data("quota", "set", "cores", "8") if not row["where"]]
    assert (made["limit"], made["source"]) == (8, "portal")
    assert [row for row in data("quota", "set", "cores", "none") if not row["where"]] == []


def test_the_next_boot_is_told_with_its_sources(data: Data) -> None:
    rows = {row["key"]: row for row in data("info")}
    assert rows["project"]["value"] == "sandbox"
    assert rows["flavor"]["source"]


def test_what_cannot_be_is_refused_with_a_word(run: Run, data: Data) -> None:
    [me] = [each["user"] for each in data("project", "member", "list", "--role", "lead")]
    assert data("user", "show", me)["state"] == "active"
    assert data("approve", "list") == []
    for words, said, code in (
        (["review", "show", "x"], "not a valid UUID", 2),
        (["review", "vote", NOBODY, "deny"], "no application", 3),
        (["review", "vote", NOBODY, "maybe"], "is not one of", 2),
        (["approve", "yes", NOBODY], "no operation", 3),
        (["user", "show", "nobody"], "no user named nobody", 3),
        (["user", "suspend", me, "--reason", "x"], "--yes", 2),
        (["quota", "set", "cores", "many"], "whole number or none", 2),
        (["quota", "set", "corse", "3"], "Did you mean cores", 2),
        (["token", "create", "x", "--days", "0"], "between 1 and 3650", 2),
        (["token", "revoke", NOBODY, "--yes"], "no API token", 3),
        (["apply"], "--file", 2),
    ):
        ended = run(*words)
        assert (ended.returncode, said in ended.stderr) == (code, True), (words, ended.stderr)
