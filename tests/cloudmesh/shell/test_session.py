"""A session with the shell that `cm` alone is, as a person has it: typed on a terminal, read from its screen."""

import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from clouds.drivers.simulator import control
from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.screen import Screen, screen

pytestmark = pytest.mark.timeout(300)
Open = Callable[..., AbstractContextManager[Screen]]
TAB, CTRL_C, CTRL_D, CTRL_R, UP = "\t", "\x03", "\x04", "\x12", "\x1b[A"


@pytest.fixture
def begin(portal: Path, tmp_path: Path) -> Open:
    """Opens the shell, with a history of its own."""

    def start(*arguments: str, **env: str) -> AbstractContextManager[Screen]:
        known = {"CLOUDMESH_STATE_DIR": str(portal), "XDG_STATE_HOME": str(tmp_path), "SHELL": "/bin/sh", **env}
        return screen(*arguments, **known)

    return start


@pytest.fixture
def shell(begin: Open) -> Iterator[Screen]:
    """A shell that waits for its first line."""
    with begin() as opened:
        opened.prompts()
        yield opened


@pytest.fixture
def slow(portal: Path) -> Iterator[None]:
    """A cloud that takes its time."""
    world = control.World(portal, "sierra")
    known = control.latencies(world)
    control.set_latency(world, 8)
    yield
    for kind, span in known.items():
        control.set_latency(world, *span, kinds=[kind])


def test_it_greets_shows_where_one_works_and_lets_go(shell: Screen) -> None:
    assert "Tab completes" in shell.shows("Tab completes")
    assert re.match(r"cm [\w-]+/\w+>", shell.lines[-1])
    shell.type("q\r")
    assert shell.end() == 0


@pytest.mark.parametrize(("arguments", "env"), [(["--no-banner"], {}), ([], {"CLOUDMESH_BANNER": "off"})])
def test_the_greeting_can_be_off(begin: Open, arguments: list[str], env: dict[str, str]) -> None:
    with begin(*arguments, **env) as shell:
        shell.prompts()
        shell.type(CTRL_D)
        assert shell.end() == 0
        assert "Tab completes" not in "\n".join(shell.lines)


def test_a_server_comes_and_goes_with_a_few_words(shell: Screen) -> None:
    told = shell.does("vm boot --name spoken")
    assert any("spoken" in line and "active" in line for line in told)
    assert any("spoken" in line for line in shell.does("vm list"))
    shell.type("vm delete spo" + TAB)
    shell.prompts("vm delete spoken")
    shell.type("\r")
    shell.shows(r"Delete this server\?")
    assert shell.after("n\r") == ["Nothing was done."]
    assert not any("Delete" in line for line in shell.does("vm delete --yes spoken"))


def test_tab_completes_verbs_options_and_the_clouds_that_are_there(shell: Screen) -> None:
    shell.type("cloud sh" + TAB)
    shell.prompts("cloud show")
    shell.type(" ind" + TAB)
    shell.prompts("cloud show india")
    shell.after(CTRL_C)
    shell.type("vm list --no-h" + TAB)
    shell.prompts("vm list --no-header")
    shell.after(CTRL_C)
    shell.type("vm boot --cloud " + TAB)
    offered = shell.offers("india", "sierra", "alamo")
    assert "active" in offered  # what each is, beside its name


def test_an_interrupt_leaves_the_line_and_not_the_shell(shell: Screen) -> None:
    shell.type("var lost=1")
    shell.prompts("var lost=1")
    shell.after(CTRL_C)
    assert shell.does("var kept=2") == []
    assert shell.does("var") == ["kept=2"]


def test_an_interrupt_leaves_a_wish_running_and_says_how_to_follow_it(shell: Screen, run: Run, slow: None) -> None:
    shell.type("vm boot --name patient --cloud sierra\r")
    shell.shows("building on sierra")
    advice = re.search(r"cm operation wait (\S+)", " ".join(shell.after(CTRL_C)))
    assert advice
    assert run("operation", "wait", advice[1]).returncode == 0
    assert run("vm", "show", "patient").returncode == 0


def test_what_was_typed_is_there_in_the_next_session_without_secrets(begin: Open, tmp_path: Path) -> None:
    with begin() as first:
        first.prompts()
        first.does("var name=remembered")
        first.does("vm list --token cm_abcdefghijkl")
        first.type("q\r")
        assert first.end() == 0
    kept = tmp_path / "cloudmesh" / "history"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "cm_abcdefghijkl" not in kept.read_text()
    with begin() as second:
        second.prompts()
        second.type(CTRL_R + "name=rem")
        second.shows("var name=remembered")
        second.type("\r")
        second.prompts("var name=remembered")
        second.after("\r")
        assert second.does("var") == ["name=remembered"]


def test_where_no_history_can_be_kept_it_is_said(begin: Open) -> None:
    with begin(XDG_STATE_HOME="/dev/null") as shell:
        shell.shows("No history is kept")
        shell.prompts()
        shell.does("var a=works")
        assert shell.does("var a") == ["works"]


def test_after_a_backslash_the_line_goes_on_and_history_knows_it_whole(shell: Screen) -> None:
    shell.type("var both=one\\\r")
    shell.shows(r"^\.\.\.")
    shell.after("two\r")
    assert shell.does("var") == ["both=onetwo"]
    shell.type(UP + UP)
    shell.shows("two$")
    shell.after("\r")


def test_what_was_typed_can_be_listed(shell: Screen) -> None:
    for line in ("echo one", "echo other", "var a=1"):
        shell.does(line)
    assert shell.does("history echo") == ["echo one", "echo other", "history echo"]
    assert shell.does("history -n 1") == ["history -n 1"]


def test_a_script_can_wait_for_its_reader(shell: Screen) -> None:
    shell.type("pause Look at the web page\r")
    assert shell.shows("^Look at the web page:").endswith(":")
    assert shell.after("\r") == []


def test_what_follows_an_exclamation_mark_is_done_by_the_other_shell(shell: Screen) -> None:
    assert shell.does("!expr 20 + 22") == ["42"]


def test_variables_scripts_and_a_scope(shell: Screen, tmp_path: Path) -> None:
    script = tmp_path / "morning.cm"
    script.write_text("# comments are nothing\n// either way\nuse cloud $where\nvar on=$default.cloud\n")
    shell.does("var where=sierra")
    shell.does(f"exec {script}")
    assert shell.does("var on") == ["sierra"]
    assert shell.lines[-1].endswith("/sierra>")
    told = shell.does("vm boot --name scoped --dryrun --format plain --columns cloud --no-header")
    assert told == ["cloud\tsierra".expandtabs(8)]
    shell.does("use cloud ''")
    assert not shell.lines[-1].endswith("/sierra>")


def test_a_line_that_makes_no_sense_is_told_and_forgiven(shell: Screen) -> None:
    assert any("Did you mean 'list'" in line for line in shell.does("vm lsit"))
    assert any("There is no variable nothing" in line for line in shell.does("var a=$nothing"))
    assert any("nobody" in line for line in shell.does("vm show nobody"))
    shell.type("exit\r")
    assert shell.end() == 0
