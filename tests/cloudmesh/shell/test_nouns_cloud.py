"""`cm cloud`, against a portal: which one is taken, how it answers, what it is called."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloudmesh.shell.conftest import Run
from tests.cloudmesh.shell.terminal import terminal

pytestmark = pytest.mark.timeout(300)
Data = Callable[..., Any]


@pytest.fixture
def usual(run: Run) -> Iterator[None]:
    """No cloud is anybody's default, before and after."""
    assert run("default", "set", "cloud", "").returncode == 0
    yield
    assert run("default", "set", "cloud", "").returncode == 0


def test_the_cloud_of_the_next_boots_is_shown_and_set(run: Run, data: Data, usual: None) -> None:
    assert data("cloud", "default")["source"] == "first"
    told = data("cloud", "default", "sierra")
    assert (told["cloud"], told["source"], told["image"]) == ("sierra", "own", "ubuntu-24.04")
    assert data("cloud", "info")["name"] == "sierra"
    assert data("cloud", "info", "india")["name"] == "india"
    assert run("cloud", "select", "india").stderr == "The next boots take the cloud india.\n"
    assert data("cloud", "default")["cloud"] == "india"
    wrong = run("cloud", "default", "indai")
    assert (wrong.returncode, "Did you mean india" in wrong.stderr) == (3, True)


def test_a_cloud_is_chosen_from_a_list(portal: Path, data: Data, usual: None) -> None:
    with terminal("cloud", "select", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("q for none")
        assert "1 alamo  (now)" in screen.seen
        [number] = re.findall(r"(\d+) sierra", screen.seen)
        screen.type(f"{number}\n")
        assert screen.end() == 0
    assert data("cloud", "default")["cloud"] == "sierra"
    with terminal("cloud", "select", CLOUDMESH_STATE_DIR=str(portal)) as screen:
        screen.until("q for none")
        screen.type("q\n")
        assert screen.end() == 1
    assert data("cloud", "default")["cloud"] == "sierra"


def test_where_nobody_can_choose_a_name_is_asked_for(run: Run) -> None:
    ended = run("cloud", "select")
    assert (ended.returncode, "give its name" in ended.stderr) == (2, True)


def test_how_clouds_answer(run: Run, data: Data) -> None:
    run("cloud", "off", "alamo")
    try:
        told = {each["name"]: each for each in data("cloud", "health")}
    finally:
        run("cloud", "on", "alamo")
    assert told["alamo"]["health_reason"] == "It is switched off."
    assert (told["india"]["health"], told["india"]["failures"], told["india"]["health_reason"]) == ("ok", 0, "")
    assert run("cloud", "health").stdout.count("\n") == len(told) + 4


def test_another_name_for_a_cloud_is_the_name_everywhere(run: Run, data: Data, usual: None) -> None:
    data("cloud", "default", "india")
    ended = run("cloud", "alias", "india", "bloomington")
    try:
        assert (ended.returncode, ended.stderr) == (0, "The cloud india is now called bloomington.\n")
        assert data("cloud", "default")["cloud"] == "bloomington"
        assert data("image", "list", "--cloud", "bloomington")
        assert run("cloud", "show", "india").returncode == 3
        taken = run("cloud", "alias", "bloomington", "sierra")
        assert (taken.returncode, "sierra already" in taken.stderr) == (5, True)
    finally:
        run("cloud", "alias", "india")  # of the cloud that the next boot takes
    assert data("cloud", "default")["cloud"] == "india"


@pytest.mark.parametrize(("names", "said"), [((), "Say which"), (("a", "b", "c"), "Say which")])
def test_an_alias_needs_a_name(run: Run, names: tuple[str, ...], said: str) -> None:
    ended = run("cloud", "alias", *names)
    assert (ended.returncode, said in ended.stderr) == (2, True)


def test_several_clouds_are_switched_at_once(run: Run, data: Data) -> None:
    try:
        assert run("cloud", "off", "alamo,sier*").returncode == 0
        assert {each["name"] for each in data("cloud", "list") if not each["is_active"]} == {"alamo", "sierra"}
    finally:
        assert run("cloud", "on", "*").returncode == 0
    assert run("cloud", "refresh", "*").returncode == 0
    wrong = run("cloud", "off", "indai")
    assert (wrong.returncode, "Did you mean india" in wrong.stderr) == (3, True)


def test_what_is_removed_is_shown_first(run: Run, data: Data) -> None:
    asked = run("cloud", "remove", "india,alamo")
    assert (asked.returncode, "Forget these 2 clouds" in asked.stderr) == (2, True)
    assert [name for name in ("india", "alamo") if f"| {name}" not in asked.stderr] == []
    assert {"india", "alamo"} <= {each["name"] for each in data("cloud", "list")}
