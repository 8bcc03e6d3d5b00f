"""Who `cm` is, and to which of several portals it talks."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cloudmesh.shell.terminal import cm
from tests.cloudmesh.speaker import Answer, Asked, Server, page, problem, reply

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`cm` of somebody whose logins are kept in a folder of their own."""

    def call(*arguments: str, stdin: str = "", **env: str) -> CompletedProcess[str]:
        return cm(*arguments, stdin=stdin, XDG_CONFIG_HOME=str(tmp_path), **env)

    return call


def answer(asked: Asked) -> Answer:
    """As a portal that knows two tokens."""
    known = {"Bearer cm_ada": "ada", "Bearer cm_bob": "bob"}
    name = known.get(asked.headers.get("authorization", ""))
    if not name:
        return problem(401, "not-authenticated", "This API token is unknown, expired or revoked.")
    return reply({"username": name}) if asked.target.endswith("/me/") else page({"name": f"{name}_1"})


@pytest.fixture
def portals(server: Server, run: Run) -> Server:
    """One portal, signed in to as two people."""
    server.answer = answer
    for name in ("ada", "bob"):
        ended = run("login", server.url, "--profile", name, "--token-file", "-", stdin=f"cm_{name}\n")
        assert ended.returncode == 0, ended.stderr
        assert f"Signed in as {name}" in ended.stderr
        assert ended.stdout == ""
    return server


def test_the_last_login_is_used_and_others_by_name(portals: Server, run: Run) -> None:
    assert "bob_1" in run("vm", "list").stdout
    assert "ada_1" in run("--profile", "ada", "vm", "list").stdout
    assert "ada_1" in run("vm", "list", CLOUDMESH_PROFILE="ada").stdout
    assert run("login", "--use", "ada").returncode == 0
    assert "ada_1" in run("vm", "list").stdout


def test_what_is_said_comes_before_the_environment(portals: Server, run: Run) -> None:
    elsewhere = {"CLOUDMESH_URL": "http://127.0.0.1:1", "CLOUDMESH_TOKEN": "cm_x"}
    assert "ada_1" in run("--profile", "ada", "vm", "list", **elsewhere).stdout
    assert "ada_1" in run("--url", portals.url, "vm", "list", CLOUDMESH_PROFILE="nobody").stdout
    assert run("--url", portals.url, "--profile", "ada", "vm", "list").returncode == 2


def test_logins_are_listed_without_their_tokens(portals: Server, run: Run, tmp_path: Path) -> None:
    ended = run("login", "--list", "--format", "json")
    assert [(row["profile"], row["chosen"]) for row in json.loads(ended.stdout)] == [("ada", False), ("bob", True)]
    assert "cm_ada" not in ended.stdout
    file = tmp_path / "cloudmesh/portal.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_token_that_opens_nothing_is_not_kept(portals: Server, run: Run) -> None:
    refused = run("login", portals.url, "--profile", "eve", "--token-file", "-", stdin="cm_eve\n")
    assert refused.returncode == 4
    assert "cm_eve" not in refused.stderr
    assert run("--profile", "eve", "vm", "list").returncode == 3


def test_a_token_that_ended_is_told_with_the_command_for_its_profile(portals: Server, run: Run) -> None:
    portals.answer = lambda asked: problem(401, "not-authenticated", "This API token is unknown, expired or revoked.")
    ended = run("--profile", "ada", "vm", "list")
    assert ended.returncode == 4
    assert f"cm login {portals.url} --profile ada" in ended.stderr
    other = run("vm", "list", CLOUDMESH_URL=portals.url, CLOUDMESH_TOKEN="cm_of_another")
    assert "for another portal" in other.stderr
    assert "cm_of_another" not in other.stderr


@pytest.mark.parametrize("words", [[], ["--list", "--use", "x"], ["http://x", "--list"]])
def test_only_one_thing_can_be_said(run: Run, words: list[str]) -> None:
    assert run("login", *words).returncode == 2


def test_in_the_shell_a_login_turns_to_the_other_portal(portals: Server, run: Run) -> None:
    ended = run(stdin="vm list\nlogin --use ada\nvm list\n")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.index("bob_1") < ended.stdout.index("ada_1")


def test_a_broken_file_is_told_with_its_place(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cloudmesh/portal.json"
    file.parent.mkdir()
    file.write_text('{"profiles": {,}}')
    ended = run("vm", "list")
    assert ended.returncode == 1
    assert f"{file} cannot be read (line 1, column 15" in ended.stderr
