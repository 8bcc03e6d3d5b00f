"""`cm watch` and `cm select`, and the whole portal behind them."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import terminal

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


def test_what_is_selected_is_watched_elsewhere_and_taken_next(run: Run, data: Data, portal: Path) -> None:
    with terminal("watch", "--format", "json", columns=400, CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("Ctrl-C ends it.")
        threading.Event().wait(2)
        chosen = data("select", "cloud", "india")
        assert [(row["key"], row["value"]) for row in chosen] == [("cloud", "india")]
        screen.until("default cloud set")
        screen.until("}\n")
        [line] = [each for each in screen.seen.splitlines() if "default cloud set" in each]
        assert json.loads(line)["verb"] == "set"
    assert {row["key"]: row["value"] for row in data("info")}["cloud"] == "india"
    assert run("select", "cloud", "").returncode == 0


def test_what_cannot_be_is_refused_with_a_word(run: Run) -> None:
    for words, said, code in (
        (["select", "x", "y"], "is not one of", 2),
        (["select", "cloud", "indai"], "indai", 3),
        (["watch", "--since", "-1"], "--since", 2),
    ):
        ended = run(*words)
        assert (ended.returncode, said in ended.stderr) == (code, True), (words, ended.stderr)
