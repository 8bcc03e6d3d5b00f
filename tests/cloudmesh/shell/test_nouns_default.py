"""`cm default`, `info`, `select`, `label` and `group`, against a portal."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import terminal

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]
SET = ("cloud", "key", "group", "prefix", "width", "schema", "security_group", "format", "last_server")


@pytest.fixture(autouse=True)
def untouched(run: Run) -> Iterator[None]:
    """No default is set before and after."""
    forget(run)
    yield
    forget(run)


def forget(run: Run) -> None:
    for key in SET:
        assert run("default", "delete", key, "--format", "table").returncode == 0
    for key in ("image", "flavor", "network", "login"):
        assert run("default", "delete", key, "--cloud", "india", "--format", "table").returncode == 0


def value(data: Data, key: str, *more: str) -> tuple[str, str]:
    [row] = data("default", key, *more)
    return row["value"], row["source"]


def test_each_default_is_set_shown_and_removed(run: Run, data: Data) -> None:
    [row] = data("default", "image", "debian-12", "--cloud", "india")
    assert (row["cloud"], row["value"], row["source"]) == ("india", "debian-12", "own")
    assert value(data, "image", "--cloud", "india") == ("debian-12", "own")
    assert run("default", "cloud=india").returncode == 0
    assert run("default", "cloud", "--raw").stdout == "india\n"
    own = {(row["key"], row["value"]) for row in data("default", "list") if row["source"] == "own"}
    assert own == {("cloud", "india"), ("image", "debian-12")}
    assert data("default", "delete", "image", "--cloud", "india")[0]["source"] == "first"
    assert value(data, "security_group", "web", "--cloud", "india") == ("web", "own")
    assert value(data, "security_group", "--cloud", "sierra") == ("cloudmesh", "first")
    assert run("default", "security_group", "", "--cloud", "india").returncode == 0
    assert value(data, "security_group", "--cloud", "india") == ("cloudmesh", "first")


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["imgae"], "Did you mean image", 2),
        (["imgae=x"], "Did you mean image", 2),
        (["image", "debian", "--cloud", "india"], "Did you mean debian-12", 3),
        (["image", "--cloud", "indai"], "Did you mean india", 3),
        (["group", "x", "--cloud", "india"], "No such option", 2),
        (["width", "0"], "from 1 to 9", 2),
        (["schema", "{usr}{number}"], "Did you mean user", 2),
        (["group", "x", "--for-portal", "--for-project"], "not for both", 2),
    ],
)
def test_what_means_nothing_is_refused_with_a_hint(run: Run, words: list[str], said: str, code: int) -> None:
    ended = run("default", *words)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr


def test_what_is_set_for_all_counts_until_one_sets_it_oneself(run: Run, data: Data) -> None:
    try:
        assert run("default", "group", "class", "--for-portal").returncode == 0
        assert value(data, "group") == ("class", "portal")
        assert run("default", "group", "course", "--for-project").returncode == 0
        assert value(data, "group") == ("course", "project")
        assert value(data, "group", "mine") == ("mine", "own")
        assert value(data, "group", "--for-portal") == ("class", "portal")
    finally:
        for scope in ("--for-portal", "--for-project"):
            assert run("default", "delete", "group", scope).returncode == 0


def test_lists_are_shown_in_the_default_format_unless_asked_otherwise(run: Run) -> None:
    assert run("default", "format", "json").returncode == 0
    assert isinstance(json.loads(run("cloud", "list").stdout), list)
    assert json.loads(run("vm", "list").stdout) == json.loads(run("vm", "list", "--format", "json").stdout)
    assert run("cloud", "list", "--format", "csv").stdout.startswith("cloud,")
    assert run("cloud", "list", CLOUDMESH_FORMAT="table").stdout.startswith("+--")
    assert run("default", "delete", "format").returncode == 0
    assert run("cloud", "list").stdout.startswith("+--")


def test_one_look_tells_everything_with_its_source(run: Run, data: Data) -> None:
    run("default", "group", "demo")
    rows = {row["key"]: row for row in data("info", "--cloud", "india")}
    assert list(rows) == [
        *("name", "project", "cloud", "image", "flavor", "key", "network", "security_group", "login", "group"),
        *("prefix", "width", "schema", "last_server", "format"),
    ]
    assert (rows["group"]["value"], rows["group"]["source"]) == ("demo", "own")
    assert (rows["cloud"]["value"], rows["cloud"]["source"]) == ("india", "option")
    assert rows["name"]["value"] == run("label", "--raw").stdout.strip()


def test_the_next_name_is_told_and_is_the_one_that_is_given(run: Run, data: Data) -> None:
    told = data("label", "--prefix", "cm-", "--width", "3", "--number", "7")
    assert (told["name"], told["number"], told["width"]) == ("cm-007", 7, "3")
    [server] = data("vm", "boot", "--cloud", "india")
    try:
        assert server["name"] == "cm-007"
        assert run("label", "--raw").stdout == "cm-008\n"
        assert value(data, "last_server")[0] == "cm-007"
    finally:
        run("vm", "delete", "cm-007", "-y")
    assert "has {number} once" in run("label", "--schema", "{user}").stderr


def test_a_menu_shows_what_is_taken_now(portal: Path, run: Run, data: Data) -> None:
    with terminal("select", "image", "--cloud", "india", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("q for none")
        lines = [line.split() for line in screen.seen.splitlines()]
        assert [line[2:] for line in lines if "ubuntu-24.04" in line] == [["(now)"]]
        [number] = [line[0] for line in lines if line[1:2] == ["debian-12"]]
        screen.type(f"{number}\n")
        assert screen.end() == 0
    assert value(data, "image", "--cloud", "india") == ("debian-12", "own")
    with terminal("select", "flavor", "--cloud", "india", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("q for none")
        screen.type("q\n")
        assert screen.end() == 1
    assert value(data, "flavor", "--cloud", "india")[1] == "first"
    ended = run("select", "network")
    assert (ended.returncode, "Nobody can answer here" in ended.stderr) == (2, True)
    assert data("select", "group", "web")[0]["value"] == "web"


def test_servers_are_grouped_regrouped_and_deleted_by_group(run: Run, data: Data) -> None:
    data("vm", "boot", "--name", "grp[1-3]", "--cloud", "india", "--group", "alpha")
    assert {row["name"] for row in data("group", "show", "alpha")} == {"grp1", "grp2", "grp3"}
    assert {row["group"] for row in data("group", "add", "beta", "grp[1-2]")} == {"beta"}
    groups = {row["name"]: row for row in data("group", "list")}
    assert (groups["alpha"]["servers"], groups["beta"]["servers"], groups["beta"]["clouds"]) == (1, 2, ["india"])
    native = json.loads(run("vm", "show", "grp1", "--format", "json").stdout)["native"]
    assert "beta" in json.dumps(native)
    assert {row["state"] for row in data("vm", "stop", "--group", "beta")} == {"stopped"}
    assert {row["name"] for row in data("vm", "start", "grp*", "--group", "beta")} == {"grp1", "grp2"}
    nobody = run("vm", "delete", "--group", "betta", "-y")
    assert (nobody.returncode, "Did you mean beta" in nobody.stderr) == (3, True)
    taken = run("group", "rename", "alpha", "beta")
    assert (taken.returncode, "cm group merge" in taken.stderr) == (5, True)
    assert run("group", "merge", "alpha", "beta").returncode == 0
    assert run("group", "rename", "beta", "gamma").returncode == 0
    assert data("group", "remove", "grp3")[0]["group"] == ""
    unknown = run("group", "show", "gama")
    assert (unknown.returncode, "Did you mean gamma" in unknown.stderr) == (3, True)
    asked = run("group", "delete", "gamma", "--servers")
    assert (asked.returncode, "grp1" in asked.stderr) == (2, True)
    assert run("group", "delete", "gamma", "--servers", "-y").returncode == 0
    assert run("vm", "delete", "grp3", "-y").returncode == 0
    assert run("group", "show", "gamma").returncode == 3
