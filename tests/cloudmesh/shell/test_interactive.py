"""The shell that `cm` alone is: on a real terminal, from a pipe, from a file."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from cloudmesh.shell.interactive.words import split, whole_lines
from tests.cloudmesh.shell.terminal import Terminal, cm
from tests.cloudmesh.shell.test_main import imported

pytestmark = pytest.mark.timeout(300)
Open = Callable[..., AbstractContextManager[Terminal]]


def test_a_script_runs_another_in_its_session_but_never_itself(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.write_text("var from=inside\n")
    outer.write_text(f"exec {inner}\nvar from\nexec {outer}\n")
    ended = cm("-f", str(outer))
    assert (ended.returncode, ended.stdout) == (2, "inside\n")
    assert "cannot run itself" in ended.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("vmm", "Did you mean 'vm'?"),
        ("timr on", "Did you mean 'timer'?"),
        ("var which=$nothing", "There is no variable nothing"),
        ("var 1a=2", "cannot be a variable's name"),
        ("vm show 'a", "does not end as it began"),
        ("exec /nonexistent", "cannot be read"),
    ],
)
def test_a_line_that_makes_no_sense_is_a_usage_error(line: str, said: str) -> None:
    ended = cm(stdin=f"{line}\n")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "standard input:1:" in ended.stderr


def test_help_of_what_only_the_shell_has_shows_examples() -> None:
    assert "use cloud india" in cm(stdin="man use\n").stdout
    assert "cm vm boot --count" in cm(stdin="help vm boot\n").stdout


def test_the_time_is_told_beside_the_data() -> None:
    ended = cm(stdin="timer on\nvar a=1\nvar a\n")
    assert ended.stdout == "1\n"
    assert ended.stderr.count(" s\n") == 3


def test_a_script_speaks_waits_and_forgets() -> None:
    ended = cm(stdin="var who=world\necho hello $who\nsleep 0.01\nvar --delete who\nvar\n-pause\n")
    assert (ended.returncode, ended.stdout) == (0, "hello world\n")
    assert "pause is for a terminal" in ended.stderr
    assert "There is no variable x" in cm(stdin="var --delete x\n").stderr


def test_a_file_and_a_command_contradict_each_other() -> None:
    assert cm("-f", "x", "vm", "list").returncode == 2


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(name: str) -> None:
    assert "_CM_COMPLETE" in cm("completion", name).stdout


def test_bash_is_told_what_can_follow() -> None:
    asked: dict[str, Any] = {"COMP_WORDS": "cm vm bo", "COMP_CWORD": "2", "_CM_COMPLETE": "bash_complete"}
    assert cm(**asked).stdout == "plain,boot\n"


def test_a_script_loads_nothing_of_the_conversation(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("var a=1\n")
    modules = imported("-f", str(script))
    assert "cloudmesh.shell.interactive.script" in modules
    assert {"prompt_toolkit", "asyncio"}.isdisjoint(modules)
    assert not any(name.startswith("cloudmesh.shell.interactive") for name in imported("completion", "fish"))


def test_a_value_stays_one_word() -> None:
    values = {"a": "two words; $b", "os.HOME": "/home/gregor"}
    assert split("vm show $a ${a}x '#1' $$a $os.HOME/x # said", values.__getitem__) == [
        *("vm", "show", "two words; $b", "two words; $bx", "#1", "$a", "/home/gregor/x")
    ]


def test_lines_know_where_they_began() -> None:
    assert list(whole_lines(["a\\\n", "b\n", "c"])) == [(1, "ab"), (3, "c")]
