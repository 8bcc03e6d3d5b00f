"""Conversations with a portal that answers, refuses, hangs up, or is none."""

import itertools
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from cloudmesh import errors
from cloudmesh.client.session import Session
from cloudmesh.config import Portal
from tests.cloudmesh.speaker import Answer, Asked, Server, page, problem, reply

A, B, C = {"id": "a"}, {"id": "b"}, {"id": "c"}


@pytest.fixture
def session(server: Server) -> Iterator[Session]:
    made = Session(Portal(server.url, "cm_secret"), 5)
    yield made
    made.close()


def test_a_question_carries_the_token_and_only_what_is_asked(server: Server, session: Session) -> None:
    server.answer = lambda asked: reply({"id": 1})
    assert session.get("servers/", {"cloud": "india", "name": "a b&ü", "state": None}) == {"id": 1}
    assert server.asked[0].target == "/api/v1/servers/?cloud=india&name=a%20b%26%C3%BC"
    assert server.asked[0].headers["authorization"] == "Bearer cm_secret"


def test_a_list_is_read_page_by_page_below_any_prefix(server: Server) -> None:
    url = f"{server.url}/mesh/api/v1/servers/"
    server.answer = lambda asked: page(C) if "cursor" in asked.target else page(A, B, following=f"{url}?cursor=x")
    with closing(Session(Portal(f"{server.url}/mesh/"), 5)) as session:
        assert list(session.pages("servers/")) == [A, B, C]
    assert [asked.target for asked in server.asked] == ["/mesh/api/v1/servers/", "/mesh/api/v1/servers/?cursor=x"]


def test_a_second_page_is_not_fetched_before_it_is_needed(server: Server, session: Session) -> None:
    server.answer = lambda asked: page(A, B, following=f"{server.url}/api/v1/servers/?cursor=x")
    assert list(itertools.islice(session.pages("servers/"), 2)) == [A, B]
    assert len(server.asked) == 1


def test_a_wish_whose_answer_was_lost_is_repeated_under_the_same_key(server: Server, session: Session) -> None:
    answers = iter([b"", b"", reply({"operation": {}}, 202)])
    server.answer = lambda asked: next(answers)
    assert session.send("POST", "servers/", {"count": 2}) == {"operation": {}}
    assert [asked.json for asked in server.asked] == [{"count": 2}] * 3
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1


def test_two_wishes_have_two_keys(server: Server, session: Session) -> None:
    server.answer = lambda asked: reply({}, 202)
    session.send("POST", "servers/")
    session.send("POST", "servers/")
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 2


def test_a_connection_is_kept_and_renewed_where_the_portal_dropped_it(server: Server, session: Session) -> None:
    def answer(asked: Asked) -> Answer:
        return iter([reply({})]) if len(server.asked) == 2 else reply({})  # an iterator: then it hangs up

    server.answer = answer
    assert [session.get("me/") for _ in range(3)] == [{}, {}, {}]
    assert len(server.asked) == 3


def test_a_portal_that_always_hangs_up_is_unreachable(server: Server, session: Session) -> None:
    with pytest.raises(errors.Unreachable, match="closed the connection"):
        session.get("me/")
    assert len(server.asked) == 4


def test_a_portal_that_is_down_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(errors.Unreachable, match=f"No portal answers at {url}.*refused.*cm login"):
        Session(Portal(url), 5).get("me/")


def test_a_portal_that_does_not_answer_is_given_up(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(errors.Unreachable, match=r"did not answer within 0 seconds\.$"):
            Session(Portal(url), 0.05).get("me/")
        with pytest.raises(errors.Unreachable, match="cm operation list"):
            Session(Portal(url), 0.05).send("POST", "servers/")


@pytest.mark.parametrize(
    ("status", "name", "kind", "exit_code"),
    [
        (400, "invalid", errors.Invalid, 2),
        (400, "ambiguous", errors.Ambiguous, 2),
        (401, "not-authenticated", errors.NotAuthenticated, 4),
        (403, "policy-denied", errors.PolicyDenied, 4),
        (404, "not-found", errors.NotFound, 3),
        (409, "quota-exceeded", errors.QuotaExceeded, 5),
        (503, "unreachable", errors.Unreachable, 6),
        (409, "something-newer", errors.Conflict, 5),
        (418, "something-newer", errors.CloudmeshError, 1),
    ],
)
def test_a_refusal_is_our_own_error_again(
    server: Server, session: Session, status: int, name: str, kind: type[errors.CloudmeshError], exit_code: int
) -> None:
    server.answer = lambda asked: problem(status, name, "Because.", limit=10, message="a fact of any name")
    with pytest.raises(errors.CloudmeshError) as refused:
        session.get("me/")
    assert type(refused.value) is kind
    assert refused.value.exit_code == exit_code
    assert refused.value.message == "Because."
    assert refused.value.facts["limit"] == 10


def test_who_is_not_signed_in_is_told_how(server: Server) -> None:
    server.answer = lambda asked: problem(401, "not-authenticated", "This token ended yesterday.")
    kept = Portal(server.url, "cm_secret", "work", "/home/ada/.config/cloudmesh/portal.json")
    with closing(Session(kept, 5)) as session, pytest.raises(errors.NotAuthenticated) as refused:
        session.get("me/")
    assert refused.value.facts["hint"] == f"Sign in with: cm login {server.url} --profile work"


def test_a_redirect_is_not_followed_with_the_token(server: Server, session: Session) -> None:
    server.answer = lambda asked: b"HTTP/1.1 301 Moved\r\nLocation: https://other/\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(errors.Invalid, match="sends on to https://other/"):
        session.get("me/")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(b"<html>Bad gateway</html>", 502, "text/html"), errors.Unreachable),
        (reply(b"<html>Welcome</html>", 200, "text/html"), errors.CloudmeshError),
        (reply(b"[not json", 500), errors.CloudmeshError),
    ],
)
def test_an_answer_of_something_else_is_recognised(
    server: Server, session: Session, answer: bytes, kind: type[errors.CloudmeshError]
) -> None:
    server.answer = lambda asked: answer
    with pytest.raises(errors.CloudmeshError, match="not as a Cloudmesh portal does") as refused:
        session.get("me/")
    assert type(refused.value) is kind


@pytest.mark.parametrize("status", [409, 429, 503])
def test_a_portal_that_says_when_is_asked_again_under_the_same_key(
    server: Server, session: Session, status: int
) -> None:
    told = problem(status, "underway", "Later.").replace(b"\r\n", b"\r\nRetry-After: 1\r\n", 1)
    answers = iter([told, reply({"id": 1}, 201)])
    server.answer = lambda asked: next(answers)
    assert session.send("POST", "tokens/", {"name": "ci"}) == {"id": 1}
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1


@pytest.mark.parametrize("wait", [None, "60", "Sun, 22 Nov 2026 22:00:00 GMT"])
def test_who_is_asked_to_wait_for_long_or_not_told_is_refused(
    server: Server, session: Session, wait: str | None
) -> None:
    told = problem(429, "throttled", "Too many.")
    server.answer = lambda asked: told.replace(b"\r\n", f"\r\nRetry-After: {wait}\r\n".encode(), 1) if wait else told
    with pytest.raises(errors.Busy, match="Too many"):
        session.get("me/")
    assert len(server.asked) == 1


def test_threads_share_a_session_and_each_hears_its_own_answer(server: Server, session: Session) -> None:
    server.answer = lambda asked: reply({"path": asked.target})
    paths = [f"servers/s{number}/" for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(session.get, paths))
    assert [answer["path"] for answer in told] == [f"/api/v1/{path}" for path in paths]
    assert server.connections <= 8


def test_after_a_restart_no_old_connection_is_tried_twice(server: Server, session: Session) -> None:
    together = threading.Barrier(8)

    def answer(asked: Asked) -> Answer:
        if len(server.asked) <= 8:
            together.wait(10)  # so that each has a connection of its own
        return reply({})

    server.answer = answer
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(session.get, ["me/"] * 8))
    server.hang_up()
    assert session.get("me/") == {}
