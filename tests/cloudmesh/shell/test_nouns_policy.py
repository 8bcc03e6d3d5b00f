"""`cm policy` and the whole portal behind it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


def test_a_policy_goes_from_draft_to_retired(run: Run, data: Data) -> None:
    words = [
        "--effect",
        "deny",
        "--service",
        "queue:batch",
        "--for",
        "project",
        "--subject",
        "sandbox",
        "--limit",
        "cores=8",
    ]
    drafted = data("policy", "add", "small", *words, "--note", "Rain")
    assert (drafted["state"], drafted["limits"], drafted["note"]) == ("draft", {"cores": 8}, "Rain")
    assert data("policy", "propose", "small")["state"] == "proposed"
    refused = run("policy", "approve", "small")
    assert (refused.returncode, "ask another operator" in refused.stderr) == (5, True)
    assert data("policy", "return", "small", "--reason", "Too strict")["reason"] == "Too strict"
    assert data("policy", "show", "small") == data("policy", "show", drafted["id"])
    assert data("policy", "retire", "small", "--reason", "Done", "--yes")["state"] == "retired"
    assert "small" in {each["name"] for each in data("policy", "list", "--state", "retired")}


def test_a_file_says_what_options_do_not(data: Data, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("name: weekly\neffect: allow\nservice: cloud:*\nlimits: {cores: 4}\n")
    made = data("policy", "add", "--file", str(file), "--effect", "ask", "--propose")
    assert (made["name"], made["effect"], made["limits"], made["state"]) == ("weekly", "ask", {"cores": 4}, "proposed")


def test_what_all_policies_say_together_is_told(data: Data) -> None:
    said = data("policy", "check", "cloud:india", "--project", "sandbox")
    assert (said["effect"], "Members of sandbox may use" in said["reasons"][0]) == ("allow", True)


def test_what_cannot_be_is_refused_with_a_word(run: Run, data: Data) -> None:
    data("policy", "add", "rain", "--effect", "allow", "--service", "cloud:*")
    for words, said, code in (
        (["policy", "show", "rian"], "Did you mean rain", 3),
        (["policy", "add", "x"], "effect is required", 2),
        (["policy", "add", "x", "--effect", "allow", "--service", "cloud:*", "--limit", "many"], "RESOURCE=N", 2),
        (["policy", "approve", "rain"], "draft", 5),
        (["policy", "retire", "rain", "--reason", "x"], "--yes", 2),
        (["policy", "check", "cloud:india", "--user", "nobody"], "no user", 3),
    ):
        ended = run(*words)
        assert (ended.returncode, said in ended.stderr) == (code, True), (words, ended.stderr)
