"""`cm application` and the whole portal behind it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


def test_what_is_missing_is_named_and_stays_as_a_draft(run: Run, data: Data, tmp_path: Path) -> None:
    file = tmp_path / "application.yaml"
    file.write_text("title: Quantum weather\nanswers:\n  details: {abstract: We measure rain.}\n")
    refused = run("application", "apply", "--file", str(file))
    assert (refused.returncode, "Details: Intellectual merit, Broader impact" in refused.stderr) == (2, True)
    [draft] = data("application", "list", "--state", "draft")
    whole = data("application", "show", draft["id"])
    assert whole["answers"]["details"] == {"abstract": "We measure rain."}
    assert data("application", "withdraw", draft["id"], "--reason", "Later")["state"] == "withdrawn"


def test_what_answers_all_questions_is_submitted(data: Data, tmp_path: Path) -> None:
    answers: dict[str, dict[str, Any]] = {}
    for question in data("application", "questions"):
        if question["required"]:
            answers.setdefault(question["section"], {})[question["name"]] = _some(question)
    file = tmp_path / "application.json"
    file.write_text(json.dumps({"title": "Compilers", "answers": answers}))
    assert data("application", "apply", "--file", str(file))["state"] == "submitted"


def test_a_file_that_cannot_be_is_refused_with_a_word(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "application.yaml"
    for text, said in (("- a\n- b", "must hold an object"), ("a: [", "neither JSON nor YAML"), ("titel: x", "title")):
        file.write_text(text)
        ended = run("application", "apply", "--file", str(file))
        assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr


def _some(question: dict[str, Any]) -> Any:
    if question["kind"] == "flag":
        return True
    if question["kind"] == "choices":
        return question["choices"][:1]
    return question["choices"][0] if question["kind"] == "choice" else "Something"
