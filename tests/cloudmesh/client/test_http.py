"""HTTP as it arrives: whole, in chunks, in pieces, cut off, or not at all HTTP."""

import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmesh.client.http import Broken, Connection, Origin, Response, quote
from cloudmesh.errors import Invalid
from tests.cloudmesh.speaker import Asked, Server, reply

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def ask(server: Server, *answers: bytes) -> tuple[Response, bytes]:
    server.answer = lambda asked: iter(answers)
    with closing(Connection(Origin.parse(server.url), 5)) as connection:
        response = connection.request("GET", "/", {})
        return response, response.read()


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        ("http://127.0.0.1:8000", Origin(False, "127.0.0.1", 8000, ""), "127.0.0.1:8000"),
        ("https://portal.example.org/", Origin(True, "portal.example.org", 443, ""), "portal.example.org"),
        ("HTTPS://portal.example.org/mesh/", Origin(True, "portal.example.org", 443, "/mesh"), "portal.example.org"),
        ("http://[::1]:80", Origin(False, "::1", 80, ""), "[::1]"),
        ("https://wölkchen.example", Origin(True, "wölkchen.example", 443, ""), "xn--wlkchen-90a.example"),
    ],
)
def test_an_address_has_its_parts(url: str, origin: Origin, authority: str) -> None:
    assert Origin.parse(url) == origin
    assert origin.authority == authority


@given(st.text())
def test_a_part_of_an_address_is_quoted_as_everybody_does(text: str) -> None:
    assert quote(text) == urllib.parse.quote(text, safe="")


@pytest.mark.parametrize("url", ["", "portal", "ftp://portal", "http://a:70000", "http://user:pw@host", "http://a b"])
def test_what_is_no_address_is_named(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        Origin.parse(url)
    assert repr(url) in refused.value.message


def test_a_body_of_known_length_is_read_and_the_connection_kept(server: Server) -> None:
    response, body = ask(server, reply({"a": 1}))
    assert (response.status, body, response.stays_open) == (200, b'{"a": 1}', True)


def test_a_body_in_chunks_is_put_together(server: Server) -> None:
    response, body = ask(server, CHUNKED, b"4\r\nab", b"cd\r\n1;x=y\r\ne\r\n", b"0\r\nTrailer: x\r\n\r\n")
    assert (body, response.stays_open) == (b"abcde", True)


def test_a_body_without_length_ends_with_the_connection(server: Server) -> None:
    response, body = ask(server, b"HTTP/1.1 200 OK\r\n\r\nall ", b"of it")
    assert (body, response.stays_open) == (b"all of it", False)


def test_an_interim_answer_is_skipped(server: Server) -> None:
    response, _ = ask(server, b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
    assert response.status == 204


@pytest.mark.parametrize(
    "parts",
    [
        [CHUNKED, b"8\r\none\ntwo\r\r\n", b"7\r\n\nthree\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n\r\none\ntw", b"o\r\nthree\n"],
    ],
)
def test_a_line_comes_as_soon_as_it_is_complete(server: Server, parts: list[bytes]) -> None:
    def answer(asked: Asked) -> Iterator[bytes]:
        yield from parts
        threading.Event().wait(30)  # and then nothing for long

    server.answer = answer
    with closing(Connection(Origin.parse(server.url), 5)) as connection:
        lines = connection.request("GET", "/", {}).lines()
        assert [next(lines), next(lines), next(lines)] == [b"one", b"two", b"three"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        CHUNKED + b"a\r\nshort",
        CHUNKED + b"nonsense\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"x" * 100_000,
        b"",
    ],
)
def test_an_answer_that_is_cut_off_or_no_http_is_broken(server: Server, answer: bytes) -> None:
    with pytest.raises(Broken):
        ask(server, answer)


@pytest.mark.parametrize("token", ["cm_a\r\nX-Evil: 1", "cm_a\nb", "cm_\0"])
def test_a_header_cannot_smuggle_another(server: Server, token: str) -> None:
    with closing(Connection(Origin.parse(server.url), 5)) as connection, pytest.raises(Invalid):
        connection.request("GET", "/", {"Authorization": token})
    assert server.asked == []
