"""Who `cm` is, and to which of several portals it talks."""

import json
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cloudmesh.shell.screen import screen
from tests.cloudmesh.shell.terminal import Terminal, cm, terminal
from tests.cloudmesh.speaker import Answer, Asked, Server, page, problem, reply

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`cm` of somebody whose logins are kept in a folder of their own."""

    def call(*arguments: str, stdin: str = "", **env: str) -> CompletedProcess[str]:
        return cm(*arguments, stdin=stdin, XDG_CONFIG_HOME=str(tmp_path), **env)

    return call


@pytest.fixture
def at(tmp_path: Path) -> Callable[..., AbstractContextManager[Terminal]]:
    """`cm` on a terminal."""
    return lambda *words, **env: terminal(*words, XDG_CONFIG_HOME=str(tmp_path), **env)


Open = Callable[..., AbstractContextManager[Terminal]]


def answer(asked: Asked) -> Answer:
    """As a portal that knows two tokens."""
    known = {"Bearer cm_ada": "ada", "Bearer cm_bob": "bob"}
    name = known.get(asked.headers.get("authorization", ""))
    if not name:
        return problem(401, "not-authenticated", "This API token is unknown, expired or revoked.")
    if asked.target.endswith("/me/"):
        return reply({"username": name, "project": "sandbox"})
    if "/defaults/" in asked.target:
        return page({"key": "cloud", "value": "india", "cloud": None, "source": "own"})
    return page({"name": f"{name}_1"})


@pytest.fixture
def portals(server: Server, run: Run) -> Server:
    """One portal, signed in to as two people."""
    server.answer = answer
    for name in ("ada", "bob"):
        ended = run("login", server.url, "--profile", name, "--token-file", "-", stdin=f"cm_{name}\n")
        assert ended.returncode == 0, ended.stderr
        assert f"as {name}, kept as {name}" in ended.stderr
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


def test_after_a_login_in_the_shell_names_of_the_other_portal_complete(portals: Server, tmp_path: Path) -> None:
    with screen(XDG_CONFIG_HOME=str(tmp_path), XDG_STATE_HOME=str(tmp_path)) as shell:
        shell.prompts()
        shell.type("login --use a\t")
        shell.prompts("login --use ada")
        assert shell.after("\r") == [f"cm talks to {portals.url} from now on."]
        shell.type("vm show \t")
        shell.prompts("vm show ada_1")


@pytest.mark.parametrize("words", ["cm login --use ", "cm --profile ", "cm logout --profile "])
def test_profiles_complete_in_bash(portals: Server, run: Run, words: str) -> None:
    count = str(len(words.split()))
    assert run(COMP_WORDS=words, COMP_CWORD=count, _CM_COMPLETE="bash_complete").stdout == "plain,ada\nplain,bob\n"


def test_a_broken_file_is_told_with_its_place(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cloudmesh/portal.json"
    file.parent.mkdir()
    file.write_text('{"profiles": {,}}')
    ended = run("vm", "list")
    assert ended.returncode == 1
    assert f"{file} cannot be read (line 1, column 15" in ended.stderr


# -- ways in ---------------------------------------------------------------------------------------------------

DEVICE = {
    "device_code": "cm_device",
    "user_code": "BCDF-GHJK",
    "verification_uri": "http://x/device/",
    "verification_uri_complete": "http://x/device/?code=BCDF-GHJK",
    "expires_in": 600.0,
    "interval": 0.1,
}


def device(*answers: bytes) -> Callable[[Asked], Answer]:
    """A portal that answers so, one after the other, to the question for the token."""
    waiting = iter(answers)

    def said(asked: Asked) -> Answer:
        if asked.target.endswith("/login/device/"):
            return reply(DEVICE)
        return next(waiting) if asked.target.endswith("/token/") else answer(asked)

    return said


def test_the_browser_lets_cm_in(server: Server, at: Open, run: Run) -> None:
    pending = problem(400, "invalid", "Nobody has decided yet.", error="authorization_pending")
    server.answer = device(pending, pending, reply({"token": "cm_ada"}, 201))
    with at("login", server.url, "--read-only", "--days", "7", "--profile", "work") as screen:
        assert screen.end() == 0
    assert "BCDF-GHJK" in screen.seen
    assert "http://x/device/?code=BCDF-GHJK" in screen.seen
    assert "as ada, kept as work" in screen.seen
    assert "cm_ada" not in screen.seen
    begun = server.asked[0].json
    assert (begun["client"], begun["scopes"], begun["expires_days"]) == ("cm", ["read"], 7)
    assert "authorization" not in server.asked[0].headers
    assert "ada_1" in run("vm", "list").stdout


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (problem(403, "not-allowed", "It was denied in the browser.", error="access_denied"), "denied"),
        (problem(400, "invalid", "The code is over.", error="expired_token"), "in time"),
    ],
)
def test_who_is_not_let_in_is_told_why(server: Server, at: Open, run: Run, last: bytes, said: str) -> None:
    server.answer = device(last)
    with at("login", server.url) as screen:
        assert screen.end() == 4
    assert said in screen.seen
    assert run("vm", "list").returncode == 6


def test_a_portal_that_is_away_for_a_moment_ends_no_waiting(server: Server, at: Open) -> None:
    server.answer = device(*[b""] * 4, reply({"token": "cm_ada"}, 201))
    with at("login", server.url) as screen:
        assert screen.end() == 0


def test_an_older_portal_is_asked_with_a_token(server: Server, at: Open) -> None:
    server.answer = lambda asked: (
        problem(404, "not-found", "There is no such path.") if "login" in asked.target else answer(asked)
    )
    with at("login", server.url) as screen:
        screen.until("API token: ")
        screen.type("cm_ada\n")
        assert screen.end() == 0
    assert "as ada" in screen.seen
    assert "cm_ada" not in screen.seen


def test_a_password_and_a_code_are_asked_for_and_never_shown(server: Server, at: Open) -> None:
    def enter(asked: Asked) -> Answer:
        if not asked.target.endswith("/login/"):
            return answer(asked)
        owes = problem(403, "not-allowed", "This account asks for a code.", needs="code")
        return reply({"token": "cm_ada"}, 201) if asked.json.get("code") == "123456" else owes

    server.answer = enter
    with at("login", server.url, "--user", "ada") as screen:
        screen.until("Password of ada: ")
        screen.type("pa ss\n")
        screen.until("Code of your device")
        screen.type("123456\n")
        assert screen.end() == 0
    assert [asked.json["password"] for asked in server.asked[:2]] == ["pa ss", "pa ss"]
    assert "pa ss" not in screen.seen
    assert "123456" not in screen.seen


def test_a_wrong_code_is_asked_for_once(server: Server, at: Open) -> None:
    server.answer = lambda asked: problem(403, "not-allowed", "This account asks for a code.", needs="code")
    with at("login", server.url, "--user", "ada") as screen:
        screen.until("Password of ada: ")
        screen.type("x\n")
        screen.until("Code of your device")
        screen.type("y\n")
        assert screen.end() == 4


@pytest.mark.parametrize("words", [[], ["--user", "ada"]])
def test_where_nobody_can_be_asked_it_is_said_what_else_to_do(run: Run, words: list[str]) -> None:
    ended = run("login", "http://127.0.0.1:1", *words)
    assert (ended.returncode, "--token-file" in ended.stderr) == (2, True)


def test_what_others_can_read_on_the_way_is_warned_of(run: Run) -> None:
    assert "without https" in run("login", "http://portal.invalid", "--token-file", "-", stdin="cm_x").stderr
    assert "without https" not in run("login", "http://127.0.0.1:1", "--token-file", "-", stdin="cm_x").stderr


@pytest.mark.parametrize(("folder", "said"), [("/proc/nowhere", "cannot be kept in /proc"), ("here", "Set HOME")])
def test_where_nothing_can_be_kept_nobody_is_sent_to_sign_in(server: Server, folder: str, said: str) -> None:
    server.answer = answer
    ended = cm("login", server.url, "--token-file", "-", stdin="cm_ada", XDG_CONFIG_HOME=folder)
    assert (ended.returncode, said in ended.stderr) == (1, True), ended.stderr
    assert server.asked == []
    assert (
        "ada_1" in cm("vm", "list", CLOUDMESH_URL=server.url, CLOUDMESH_TOKEN="cm_ada", XDG_CONFIG_HOME=folder).stdout
    )


# -- the way out -----------------------------------------------------------------------------------------------


def test_logging_out_ends_the_token_there_and_here(portals: Server, run: Run, tmp_path: Path) -> None:
    ended: list[str] = []

    def leaving(asked: Asked) -> Answer:
        if not asked.target.endswith("/logout/"):
            return answer(asked)
        ended.append(asked.json["token"])
        return b"HTTP/1.1 204 Gone\r\n\r\n"

    portals.answer = leaving
    assert run("logout").returncode == 0
    assert run("vm", "list").returncode == 6
    assert "ada_1" in run("--profile", "ada", "vm", "list").stdout
    assert run("logout", "--all").returncode == 0
    assert ended == ["cm_bob", "cm_ada"]
    assert "cm_" not in (tmp_path / "cloudmesh/portal.json").read_text()
    assert run("logout").returncode == 2


def test_a_portal_that_is_away_keeps_nobody_signed_in_here(portals: Server, run: Run, tmp_path: Path) -> None:
    portals.close()
    ended = run("logout", "--profile", "ada")
    assert ended.returncode == 0
    assert "could not be ended" in ended.stderr
    assert "cm_ada" not in (tmp_path / "cloudmesh/portal.json").read_text()
