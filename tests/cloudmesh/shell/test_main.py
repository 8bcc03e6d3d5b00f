"""`cm` itself, as a process: what it imports, says and ends with, whatever the portal."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudmesh import __version__
from cloudmesh.shell.main import NO_NOUNS, Nouns
from tests.cloudmesh.shell.terminal import CM, cm, environment, terminal
from tests.cloudmesh.speaker import Server, page, problem

HEAVY = {"http.client", "ssl", "email", "urllib", "dataclasses", "shutil", "pathlib", "subprocess", "yaml", "csv"}


def imported(*arguments: str, **env: str) -> set[str]:
    """The modules that a `cm` of these arguments has in the end."""
    code = (
        "import os, sys; sys.path.insert(0, sys.argv.pop(1)); from cloudmesh.shell.__main__ import run;"
        "os._exit = lambda code: print(*sys.modules, file=sys.stderr); run();"
        "'cloudmesh.shell.main' in sys.modules or os._exit(0)"
    )
    command = [sys.executable, "-I", "-c", code, str(CM.parent), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment(**env))
    return set(ended.stderr.split())


def test_the_version_is_told_before_anything_is_imported() -> None:
    assert cm("--version").stdout == f"cm {__version__}\n"
    assert {"click", "typing", "re"}.isdisjoint(imported("--version"))


def test_a_list_imports_nothing_heavy(server: Server) -> None:
    server.answer = lambda asked: page({"name": "gregor_1"})
    modules = imported("vm", "list", CLOUDMESH_URL=server.url)
    assert len(server.asked) == 1
    assert "cloudmesh.shell.vm.look" in modules
    assert "cloudmesh.shell.vm.boot" not in modules
    assert not HEAVY & modules
    assert "cloudmesh.shell.cloud" not in modules


def test_importing_cloudmesh_is_cheap_and_still_has_the_client() -> None:
    code = "import sys, cloudmesh; light = 'typing' not in sys.modules; print(light, cloudmesh.Client.__name__)"
    ended = subprocess.run([sys.executable, "-S", "-c", code], cwd=CM.parent, capture_output=True, text=True)
    assert ended.stdout == "True Client\n"


def test_every_file_but_the_rooms_is_a_noun_with_help() -> None:
    nouns = Nouns()
    files = {path.stem for path in (CM.parent / "cloudmesh/shell").glob("[a-z]*")}
    assert files == set(nouns) | NO_NOUNS
    assert all(command.help for command in nouns.values())


def test_the_reference_has_every_command_as_it_is() -> None:
    page = (CM.parent / "docs/reference/cm.md").read_text()
    assert page.endswith(cm("help", "--markdown", COLUMNS="80").stdout)


def test_the_table_of_the_originals_names_commands_that_are_there() -> None:
    made = subprocess.run(
        [sys.executable, ".ci/originals.py"], cwd=CM.parent, env={"PYTHONPATH": "."}, capture_output=True, text=True
    )
    assert made.stdout == (CM.parent / "docs/reference/originals.md").read_text(), made.stderr


def test_alone_it_tells_what_it_can() -> None:
    ended = cm()
    assert ended.returncode == 0
    assert "vm " in ended.stdout


def test_help_of_a_verb_is_the_verbs_help() -> None:
    assert cm("help", "vm", "boot").stdout == cm("vm", "boot", "--help").stdout
    assert "--if-down" in cm("help", "vm", "boot").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vmm"], "Did you mean 'vm'?"),
        (["vm", "lst"], "Did you mean 'list'?"),
        (["vm", "list", "--clod", "x"], "--cloud"),
        (["vm", "boot", "--count", "many"], "not a valid integer"),
        (["vm", "boot", "--if-down", "cry"], "wait"),
        (["vm", "rename"], "Missing argument"),
        (["help", "vm", "boot", "more"], "has no verbs"),
        (["cloud", "register", "x"], "--driver"),
    ],
)
def test_what_is_mistyped_is_a_usage_error(arguments: list[str], said: str) -> None:
    ended = cm(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stdout == ""


def test_without_a_portal_it_is_said_how_to_start_one() -> None:
    ended = cm("vm", "list")
    assert ended.returncode == 6
    assert "make run" in ended.stderr


@pytest.mark.parametrize(
    ("status", "name", "exit_code"),
    [
        (400, "invalid", 2),
        (404, "not-found", 3),
        (401, "not-authenticated", 4),
        (409, "quota-exceeded", 5),
        (500, "", 1),
    ],
)
def test_a_refusal_is_one_sentence_and_its_exit_code(server: Server, status: int, name: str, exit_code: int) -> None:
    server.answer = lambda asked: problem(status, name, "It is so, because it is.")
    ended = cm("vm", "list", CLOUDMESH_URL=server.url)
    assert ended.returncode == exit_code
    assert ended.stderr.splitlines()[0] == "cm: It is so, because it is."
    assert ended.stdout == ""


def test_what_is_wrong_with_each_field_is_told_once(server: Server) -> None:
    wrong = {"count": ["Too few."], "credential": {"url": ["No address."]}}
    server.answer = lambda asked: problem(400, "invalid", "Too few.", errors=wrong)
    ended = cm("vm", "boot", "--count", "0", CLOUDMESH_URL=server.url)
    assert ended.stderr == "cm: Too few.\n    No address.\n"


def test_what_is_no_text_is_a_usage_error() -> None:
    ended = subprocess.run([CM, "vm", "show", b"\xff"], capture_output=True, text=True, env=environment())
    assert ended.returncode == 2
    assert "no text" in ended.stderr


def test_who_is_not_signed_in_is_told_how(server: Server) -> None:
    server.answer = lambda asked: problem(401, "not-authenticated", "This token ended.")
    assert f"cm login {server.url}" in cm("vm", "list", CLOUDMESH_URL=server.url).stderr


def test_a_reason_cannot_steer_the_terminal(server: Server) -> None:
    server.answer = lambda asked: problem(409, "conflict", "\x1b[2JAll is well")
    assert "\x1b" not in cm("vm", "list", CLOUDMESH_URL=server.url).stderr


def test_a_token_on_the_command_line_works_with_a_warning(server: Server) -> None:
    server.answer = lambda asked: page()
    ended = cm("--url", server.url, "--token", "cm_x", "vm", "list")
    assert server.asked[0].headers["authorization"] == "Bearer cm_x"
    assert "CLOUDMESH_TOKEN" in ended.stderr
    assert "CLOUDMESH_TOKEN" not in cm("vm", "list", CLOUDMESH_URL=server.url, CLOUDMESH_TOKEN="cm_x").stderr


def test_a_reader_that_has_seen_enough_is_no_error(server: Server) -> None:
    rows = [{"name": f"gregor_{number}"} for number in range(10_000)]
    server.answer = lambda asked: page(*rows)
    command = ["sh", "-c", '"$0" vm list | head -1', str(CM)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment(CLOUDMESH_URL=server.url))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("+---")


def test_an_unencodable_name_is_shown_somehow(server: Server) -> None:
    server.answer = lambda asked: page({"name": "münchen-云"})
    ended = cm("vm", "list", CLOUDMESH_URL=server.url, LC_ALL="POSIX", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert ended.returncode == 0
    assert "nchen" in ended.stdout


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
def test_a_table_fits_the_terminal_and_what_is_left_out_is_told(server: Server, columns: int) -> None:
    row = {"name": "gregor_1", "addresses": ["2001:db8::1", "192.0.2.1"], "image": "ubuntu-24.04-with-a-long-name"}
    server.answer = lambda asked: page({**row, "state": "active", "cloud": "india", "flavor": "m1.small"})
    with terminal("vm", "list", columns=columns, CLOUDMESH_URL=server.url, NO_COLOR="1") as screen:
        assert screen.end() == 0
    lines = [line for line in screen.seen.splitlines() if line.startswith(("|", "+"))]
    assert {len(line) for line in lines} == {len(lines[0])}
    assert len(lines[0]) <= columns
    assert "gregor_1" in lines[3]
    assert ("| age" in lines[1]) != ("--columns" in screen.seen)


def test_columns_that_are_asked_for_are_all_there(server: Server) -> None:
    server.answer = lambda asked: page({"name": "gregor_1", "addresses": ["2001:db8::1", "192.0.2.1"]})
    arguments = ("vm", "list", "--columns", "name,state,addresses,age")
    with terminal(*arguments, columns=40, CLOUDMESH_URL=server.url) as screen:
        assert screen.end() == 0
    assert [word for word in screen.seen.splitlines()[1].split() if word != "|"] == [
        "name",
        "state",
        "addresses",
        "age",
    ]


def test_colours_are_for_terminals_that_want_them(server: Server) -> None:
    server.answer = lambda asked: page({"name": "gregor_1", "state": "active"})
    with terminal("vm", "list", CLOUDMESH_URL=server.url) as screen:
        screen.end()
    with terminal("vm", "list", CLOUDMESH_URL=server.url, NO_COLOR="1") as plain:
        plain.end()
    assert "\x1b[32m" in screen.seen
    assert "\x1b" not in plain.seen + cm("vm", "list", CLOUDMESH_URL=server.url).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A clone with a space in its path, with or without its Python."""
    home = tmp_path / "my clone"
    home.mkdir()
    shutil.copy(CM, home / "cm")

    def run(path: Path, *, has_python: bool) -> subprocess.CompletedProcess[str]:
        if has_python:
            (home / ".venv").symlink_to(CM.parent / ".venv")
            (home / "cloudmesh").symlink_to(CM.parent / "cloudmesh")
        link = tmp_path / path
        if not link.exists():
            link.symlink_to(home / "cm")
        return subprocess.run([link, "--version"], capture_output=True, text=True, cwd="/", env=environment())

    return run


def test_the_wrapper_finds_its_clone_through_spaces_and_links(
    clone: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert clone(Path("my clone/cm"), has_python=True).stdout == f"cm {__version__}\n"


def test_the_wrapper_says_what_is_missing(clone: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    ended = clone(Path("link-to-cm"), has_python=False)
    assert ended.returncode == 1
    assert "run" in ended.stderr
    assert "my clone" in ended.stderr


def test_an_interrupt_while_asking_is_130(server: Server, tmp_path: Path) -> None:
    server.answer = lambda asked: problem(404, "not-found", "There is no '/api/v1/login/device/'.")
    with terminal("--url", server.url, "login", server.url, XDG_CONFIG_HOME=str(tmp_path)) as screen:
        screen.until("API token")
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130
