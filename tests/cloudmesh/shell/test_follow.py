"""Waiting for a wish: a line for each step, the data at the end, and what happens when it fails or is left."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cloudmesh.shell.terminal import cm, terminal
from tests.cloudmesh.speaker import Answer, Asked, Server, page, reply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
READY = b'event: ready\ndata: {"seq": 1}\n\n'
CHANGED = b'id: 2\ndata: {"seq": 2, "kind": "operation", "id": "op"}\n\n'
SERVER: dict[str, Any] = {
    "id": "7", "provider_id": "p7", "name": "gregor_7", "cloud": "india", "addresses": ["10.0.0.7"], "state": "active",
}  # fmt: skip
Going = Callable[..., None]


def step(state: str, progress: int = 0, text: str = "", reason: str = "", **more: Any) -> dict[str, Any]:
    about = {"id": "op", "kind": "server.create", "target": {"kind": "server", "id": "7", "name": "gregor_7"}}
    return {**about, "state": state, "progress": progress, "step": text, "reason": reason, "is_batch": False, **more}


@pytest.fixture
def going(server: Server) -> Going:
    """A portal where the next wish goes through these steps, and then leaves the server as it says."""

    def prepare(*steps: dict[str, Any], left: dict[str, Any] = SERVER) -> None:
        ahead = iter(steps)

        def stream() -> Iterator[bytes]:
            yield HEAD + READY + CHANGED * (len(steps) - 1)
            threading.Event().wait(60)

        def answer(asked: Asked) -> Answer:
            if asked.method == "POST":
                return reply({"operation": step("queued"), "servers": [{**left, "state": "requested"}]}, 202)
            if asked.target.startswith("/ws/stream"):
                return stream()
            if "/volumes/" in asked.target:
                return page({"name": "data", "server_provider_id": "p7", "is_bound": False})
            if "/operations/?" in asked.target:
                return page(step("failed", reason="No valid host was found."))
            return reply(next(ahead)) if "/operations/" in asked.target else page(left)

        server.answer = answer

    return prepare


def test_a_boot_tells_each_step_once_and_ends_with_the_server(server: Server, going: Going) -> None:
    building = step("running", 20, "building")
    going(step("queued"), building, building, step("succeeded", 100))
    with terminal("vm", "boot", CLOUDMESH_URL=server.url) as screen:
        assert screen.end() == 0
    told = screen.seen.splitlines()
    assert told[:3] == ["gregor_7  queued", "gregor_7  20 %  building", "gregor_7  succeeded"]
    assert "gregor_7 | 10.0.0.7  |" in told[6]
    assert server.asked[0].json == {}


def test_where_nobody_watches_there_is_no_progress(server: Server, going: Going) -> None:
    going(step("queued"), step("running", 20, "building"), step("succeeded", 100))
    ended = cm("vm", "boot", CLOUDMESH_URL=server.url)
    assert ended.stdout.splitlines()[3] == "| gregor_7 | 10.0.0.7  | active | india |"
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_is_said_is_what_is_asked_for(server: Server, going: Going) -> None:
    going(step("succeeded"))
    cm("vm", "boot", "--count", "-1", "--name", "a b", "--floating-ip", "--if-down", "fail", CLOUDMESH_URL=server.url)
    assert server.asked[0].json == {"count": -1, "name": "a b", "floating_ip": True, "if_down": "fail"}


def test_data_for_programs_are_the_records(server: Server, going: Going) -> None:
    going(step("succeeded"))
    assert json.loads(cm("vm", "boot", "--format", "json", CLOUDMESH_URL=server.url).stdout) == [SERVER]


def test_quiet_is_only_data(server: Server, going: Going) -> None:
    going(step("queued"), step("succeeded"))
    ended = cm("-q", "vm", "boot", "--format", "plain", "--no-header", CLOUDMESH_URL=server.url)
    assert (ended.stdout, ended.stderr) == ("gregor_7\t10.0.0.7\tactive\tindia\n", "")


def test_a_failed_wish_shows_what_it_left_and_fails_with_the_reason(server: Server, going: Going) -> None:
    going(step("queued"), step("failed", reason="No valid host was found."), left={**SERVER, "state": "error"})
    ended = cm("vm", "boot", CLOUDMESH_URL=server.url)
    assert "error" in ended.stdout
    assert ended.stderr.splitlines()[-1] == "cm: No valid host was found."
    assert ended.returncode == 1


@pytest.mark.parametrize(("error", "code"), [("Unreachable", 6), ("Refused", 4), ("Full", 5), ("SomethingNewer", 1)])
def test_a_failed_wish_ends_with_the_exit_code_of_its_error(
    server: Server, going: Going, error: str, code: int
) -> None:
    going(step("failed", reason="The cloud said so.", result={"error": error, "limit": 3}))
    assert cm("vm", "boot", CLOUDMESH_URL=server.url).returncode == code


def test_of_a_failed_batch_each_reason_is_told(server: Server, going: Going) -> None:
    batch: dict[str, Any] = {"target": {"kind": "", "id": None, "name": "2 servers"}, "is_batch": True}
    going(step("running", 50, "1 of 2 done", **batch), step("failed", reason="1 of 2 failed.", **batch))
    ended = cm("vm", "boot", "--count", "2", CLOUDMESH_URL=server.url)
    assert ended.stderr.splitlines() == [
        "gregor_7  failed  No valid host was found.",
        "cm: 1 of 2 failed.",
    ]


def test_why_a_wish_waits_is_told(server: Server, going: Going) -> None:
    busy = step("running", 20, "building", reason="The cloud is busy.")
    going(step("waiting_approval", reason="More than 10 cores need a yes."), busy, step("succeeded"))
    assert cm("vm", "boot", CLOUDMESH_URL=server.url).stderr.splitlines()[:2] == [
        "gregor_7  waiting approval  More than 10 cores need a yes.",
        "gregor_7  20 %  building  The cloud is busy.",
    ]


def test_not_to_wait_is_to_be_told_how_to_follow(server: Server, going: Going) -> None:
    going()
    ended = cm("vm", "boot", "--no-wait", CLOUDMESH_URL=server.url)
    assert "requested" in ended.stdout
    assert "cm operation wait op" in ended.stderr
    assert len(server.asked) == 1


def test_an_interrupt_leaves_the_wish_running_and_says_how_to_follow_it(server: Server, going: Going) -> None:
    going(step("running", 20, "building"))
    with terminal("vm", "boot", CLOUDMESH_URL=server.url) as screen:
        screen.until("building")
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 130
    assert "cm operation wait op" in screen.seen
    assert "Traceback" not in screen.seen
    assert [asked.method for asked in server.asked].count("POST") == 1


def test_servers_are_deleted_after_a_yes(server: Server, going: Going) -> None:
    going(step("succeeded"))
    with terminal("vm", "delete", "gregor_7", CLOUDMESH_URL=server.url) as screen:
        screen.until("Delete this server?")
        assert "| gregor_7 |" in screen.seen
        assert "detached, and stay: data." in screen.seen
        screen.type("y\n")
        assert screen.end() == 0
    wishes = [asked.json for asked in server.asked if asked.method == "POST"]
    assert wishes == [{"action": "delete", "servers": ["7"]}]


def test_nothing_is_deleted_after_a_no_or_where_nobody_can_answer(server: Server, going: Going) -> None:
    going(step("succeeded"))
    with terminal("vm", "delete", "gregor_7", CLOUDMESH_URL=server.url) as screen:
        screen.until("Delete this server?")
        screen.type("\n")
        assert screen.end() == 1
    ended = cm("vm", "delete", "gregor_7", CLOUDMESH_URL=server.url)
    assert ended.returncode == 2
    assert "--yes" in ended.stderr
    assert {asked.method for asked in server.asked} == {"GET"}


@pytest.mark.parametrize("sure", ["-y", "--yes", "--force"])
def test_whoever_is_sure_is_not_asked(server: Server, going: Going, sure: str) -> None:
    going(step("succeeded"))
    assert cm("vm", "delete", "gregor_*", sure, CLOUDMESH_URL=server.url).returncode == 0
    assert "name=gregor_%2A" in server.asked[0].target


@pytest.mark.parametrize(
    ("names", "said", "exit_code"),
    [
        (["gregor_9"], "No server is named gregor_9. Did you mean gregor_7?", 3),
        (["x[1-2"], "brackets", 2),
        (["x[1-20000]"], "at most 10,000", 2),
    ],
)
def test_a_name_of_nothing_is_no_wish(
    server: Server, going: Going, names: list[str], said: str, exit_code: int
) -> None:
    going(step("succeeded"))
    ended = cm("vm", "stop", *names, CLOUDMESH_URL=server.url)
    assert said in ended.stderr
    assert ended.returncode == exit_code
    assert {asked.method for asked in server.asked} <= {"GET"}


def test_a_name_that_two_have_is_ambiguous_but_a_glob_means_both(server: Server) -> None:
    twins = [{**SERVER, "id": "a"}, {**SERVER, "id": "b", "cloud": "sierra"}]
    server.answer = lambda asked: page(*twins) if asked.method == "GET" else reply({"operation": step("queued")}, 202)
    ended = cm("vm", "stop", "gregor_7", CLOUDMESH_URL=server.url)
    assert ended.returncode == 2
    assert "india, sierra" in ended.stderr
    cm("vm", "stop", "--no-wait", "gregor_?", CLOUDMESH_URL=server.url)
    assert server.asked[-1].json == {"action": "stop", "servers": ["a", "b"]}
