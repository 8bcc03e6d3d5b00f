"""One port for all: pages by WSGI in threads, the rest live."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from portal.asgi import LARGEST, application
from tests.portal.consumers.conftest import Place


@pytest.fixture
def client(place: Place) -> Iterator[http.client.HTTPConnection]:
    client = http.client.HTTPConnection("127.0.0.1", place.listener.port, timeout=10)
    yield client
    client.close()


def test_pages_come_through_the_same_port(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/healthz")
    response = client.getresponse()
    assert (response.status, response.read()) == (200, b"ok\n")


def test_a_connection_is_kept_for_the_next_page(client: http.client.HTTPConnection) -> None:
    ports = set()
    for _ in range(2):
        client.request("POST", "/api/v1/servers/", body=b"{}" * 1000, headers={"Content-Type": "application/json"})
        assert client.sock
        ports.add(client.sock.getsockname())
        response = client.getresponse()
        assert response.status == 401
        response.read()
    assert len(ports) == 1


def test_a_body_that_is_too_large_is_refused(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/api/v1/servers/", body=b"x" * (LARGEST + 1))
    response = client.getresponse()
    assert response.status == 413
    assert "5 MB" in json.load(response)["detail"]


def test_an_upload_that_breaks_off_asks_nobody() -> None:
    async def broken() -> list[dict[str, Any]]:
        received = [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return received.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
        await application(scope, receive, send)
        return sent

    with ThreadPoolExecutor(1) as threads:  # a browser test leaves its loop running in this thread
        assert threads.submit(asyncio.run, broken()).result() == []
