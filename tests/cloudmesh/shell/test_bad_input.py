"""What people mistype, and places that lack what others have: a sentence and an exit code, never a traceback."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cloudmesh.shell.main import cm as shell
from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import CM, cm, environment, terminal
from tests.cloudmesh.speaker import Asked, Server, page

pytestmark = pytest.mark.timeout(300)
ROW = {
    "id": "7", "name": "gregor_7", "state": "active", "addresses": ["10.0.0.7"], "cloud": "india", "version": 1,
    "state_reason": "", "age_seconds": 3, "public_addresses": [],
}  # fmt: skip


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    """The words of every command there is."""
    if not isinstance(command, click.Group):
        yield path
        return
    for name in command.commands:
        yield from commands(command.commands[name], *path, name)


ALL = [*commands(shell)]


# -- words that are not known ----------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_an_unknown_option_is_named_with_one_like_it(words: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(shell, [*words, "--hepl"])
    assert ended.exit_code == 2
    assert "No such option '--hepl'" in ended.output
    assert "Did you mean" in ended.output
    assert "--help" in ended.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["vms"], "'vm'"),
        (["vm", "bot"], "'boot'"),
        (["vm", "strat"], "'start'"),
        (["vm", "ip", "asign"], "'assign'"),
        (["clould", "list"], "'cloud'"),
        (["help", "vm", "sssh"], "'ssh'"),
        (["vm", "xyzzy"], "No such command 'xyzzy'"),
    ],
)
def test_an_unknown_command_is_named_with_one_like_it(words: list[str], said: str) -> None:
    ended = cm(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr


# -- names -----------------------------------------------------------------------------------------------------

NAMING = [
    *(["vm", verb] for verb in ("status", "wait", "stop", "delete", "start", "list", "watch", "label", "reboot")),
    *(["vm", "ip", verb] for verb in ("show", "assign", "release")),
]


@pytest.mark.parametrize("verb", [words for words in NAMING if words[1] != "label"], ids=" ".join)
@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("a[1-", "Write hostlists as sample[1-3,18]."),
        ("a[1,,2]", "empty place"),
        ("a[3-1]", "Write the smaller number first."),
        ("a[1-99999999]", "at most 10,000"),
        ("", "A name is empty."),
        (" , ", "A name is empty."),
    ],
)
def test_a_hostlist_that_means_nothing_is_explained(run: Run, verb: list[str], names: str, said: str) -> None:
    ended = run(*verb, names)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr


@pytest.mark.parametrize("verb", ["run", "put", "get"])
def test_a_hostlist_for_ssh_is_explained_too(run: Run, verb: str) -> None:
    ended = run("vm", verb, "a[1-", str(CM), ".")
    assert (ended.returncode, "sample[1-3,18]" in ended.stderr) == (2, True)


@pytest.mark.parametrize("name", ["münchen", "云服务器", "a b", "🦊[1-2]", "x" * 300, "-", "../etc", "%00", "a'b\"c"])
def test_a_name_that_nobody_has_is_not_found_whatever_is_in_it(run: Run, name: str) -> None:
    for verb in ("show", "status", "ssh", "log"):
        ended = run("vm", verb, "--", name) if verb != "ssh" else run("vm", verb, name)
        assert ended.returncode == 3, (verb, ended.stderr)
        assert ended.stderr.startswith("cm: ")
    assert run("vm", "list", "--", name).returncode == 0


def test_a_unicode_name_is_shown_as_wide_as_it_is(server: Server) -> None:
    server.answer = lambda asked: page({**ROW, "name": "云服务器"}, {**ROW, "name": "münchen"})
    lines = cm("vm", "list", "--columns", "name,state", CLOUDMESH_URL=server.url).stdout.splitlines()
    assert lines[3:5] == ["| 云服务器 | active |", "| münchen  | active |"]


# -- columns, limits, states -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--columns", "nme"], "There is no column nme. Did you mean name"),
        (["--columns", "name,"], None),
        (["--columns", ","], "Say which columns"),
        (["--sort", "stat"], "Did you mean state"),
        (["--format", "jsn"], "json"),
    ],
)
def test_a_column_that_is_not_there_names_those_that_are(server: Server, words: list[str], said: str | None) -> None:
    server.answer = lambda asked: page(ROW)
    ended = cm("vm", "list", *words, CLOUDMESH_URL=server.url)
    assert ended.returncode == (2 if said else 0)
    assert (said or "") in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["event", "list", "--limit", "9" * 30],
        ["operation", "list", "--limit", "0"],
        ["vm", "wait", "x", "--timeout", "nan"],
        ["vm", "wait", "x", "--timeout", "-1"],
        ["vm", "run", "x", "--at-once", "0", "ls"],
        ["vm", "log", "x", "--lines", "many"],
        ["vm", "boot", "--count", "1e3"],
        ["vm", "ssh", "x", "--key", "/nonexistent"],
    ],
)
def test_a_number_or_file_that_cannot_be_is_a_usage_error(words: list[str]) -> None:
    ended = cm(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Invalid value" in ended.stderr


def test_a_state_that_is_not_there_names_those_that_are(run: Run) -> None:
    ended = run("vm", "list", "--state", "actve")
    assert (ended.returncode, "Did you mean active?" in ended.stderr) == (2, True)


# -- places ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["vm list", "vm status gregor_7", "vm ip show gregor_7", "cloud list", "key list", "event list"]
)
def test_a_narrow_terminal_gets_what_fits(server: Server, words: str) -> None:
    server.answer = lambda asked: page(ROW)
    with terminal(*words.split(), columns=40, CLOUDMESH_URL=server.url, NO_COLOR="1") as screen:
        assert screen.end() == 0
    drawn = [line for line in screen.seen.splitlines() if line.startswith(("|", "+"))]
    assert drawn
    assert max(map(len, drawn)) <= 40


def test_without_a_home_the_persons_own_is_taken(server: Server) -> None:
    server.answer = lambda asked: page(ROW)
    env = {name: value for name, value in environment(CLOUDMESH_URL=server.url).items() if name != "HOME"}
    ended = subprocess.run([CM, "vm", "list"], capture_output=True, text=True, timeout=60, env=env)
    assert (ended.returncode, "gregor_7" in ended.stdout) == (0, True)


@pytest.mark.parametrize(("words", "code"), [("vm list", 0), ("completion bash", 0), ("login {url} --token-file -", 1)])
def test_a_home_that_cannot_be_written_matters_only_to_what_is_kept_there(
    server: Server, words: str, code: int
) -> None:
    server.answer = lambda asked: page(ROW)
    arguments = words.format(url=server.url).split()
    nowhere = {"HOME": "/proc/nowhere", "XDG_CONFIG_HOME": "/proc/nowhere", "XDG_STATE_HOME": "/proc/nowhere"}
    ended = cm(*arguments, stdin="cm_token\n", CLOUDMESH_URL=server.url, **nowhere)
    assert ended.returncode == code, ended.stderr
    assert ("cannot be" in ended.stderr) == bool(code)
    assert "Traceback" not in ended.stderr


# -- many rows -------------------------------------------------------------------------------------------------


@pytest.fixture
def many(server: Server) -> Server:
    """A portal with ten pages of a thousand servers."""

    def answer(asked: Asked) -> bytes:
        number = int(asked.target.rpartition("cursor=")[2]) if "cursor=" in asked.target else 0
        rows = ({**ROW, "id": str(index), "name": f"server{number * 1000 + index}"} for index in range(1000))
        return page(*rows, following=f"http://portal/api/v1/servers/?cursor={number + 1}" if number < 9 else None)

    server.answer = answer
    return server


def peak(url: str, *words: str) -> int:
    """The most memory, in KiB, that a `cm` of these words held."""
    process = subprocess.Popen(
        [CM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(CLOUDMESH_URL=url)
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    with process:
        assert process.returncode == 0
    return used.ru_maxrss


@pytest.mark.parametrize("form", ["table", "csv", "json", "yaml", "plain"])
def test_ten_thousand_rows_are_all_printed_and_never_all_held(many: Server, form: str) -> None:
    small = peak(many.url, "event", "list", "--limit", "1000", "--format", form)
    assert peak(many.url, "vm", "list", "--format", form) < 1.3 * small
    ended = cm("vm", "list", "--format", form, CLOUDMESH_URL=many.url)
    assert ended.stdout.count("gregor_") == 0
    assert "server9999" in ended.stdout
    if form == "json":
        assert len(json.loads(ended.stdout)) == 10_000


@pytest.mark.parametrize("form", ["table", "csv", "json", "yaml", "plain"])
def test_a_reader_of_the_first_rows_waits_for_no_others(many: Server, form: str) -> None:
    command = ["bash", "-c", f'set -o pipefail; "$0" vm list --format {form} | head -5', str(CM)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment(CLOUDMESH_URL=many.url))
    assert (ended.returncode, ended.stderr, len(ended.stdout.splitlines())) == (0, "", 5)
    assert len(many.asked) <= 2


def test_a_sorted_list_is_sorted_over_all_pages(many: Server) -> None:
    ended = cm("vm", "list", "--sort", "-name", "--format", "csv", "--columns", "name", CLOUDMESH_URL=many.url)
    assert ended.stdout.splitlines()[:3] == ["name", "server9999", "server9998"]


def test_a_portal_that_breaks_in_the_middle_leaves_what_came_and_fails(server: Server, tmp_path: Path) -> None:
    first = page(*[ROW] * 3, following="http://portal/api/v1/servers/?cursor=1")
    server.answer = lambda asked: first if "cursor" not in asked.target else b""
    ended = cm("vm", "list", "--format", "csv", "--columns", "name", CLOUDMESH_URL=server.url)
    assert ended.returncode == 6
    assert ended.stderr.startswith("cm: ")
