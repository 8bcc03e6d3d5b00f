"""What the portal heard and did, while its answer was lost on the way: asked again, it is done once."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloudmesh.client import Client
from cloudmesh.client.http import Connection, Origin
from tests.cloudmesh.speaker import Answer, Asked, Server
from tests.factories import public_key

Wish = Callable[[Client], object]
Count = Callable[[Client], int]


@pytest.fixture
def client(portal: Path, server: Server) -> Iterator[Client]:
    """A client whose way to the portal breaks after each request that is sent for the first time."""
    known = json.loads((portal / "portal.json").read_text())
    heard: set[str] = set()

    def pass_on(asked: Asked) -> Answer:
        key = asked.headers.get("idempotency-key", "")
        is_lost = bool(key) and key not in heard
        heard.add(key)
        headers = {name: value for name, value in asked.headers.items() if name not in ("host", "content-length")}
        with closing(Connection(Origin.parse(known["url"]), 30)) as connection:
            response = connection.request(asked.method, asked.target, headers, asked.body)
            body = response.read()
        head = f"HTTP/1.1 {response.status} Said\r\nContent-Type: {response.headers.get('content-type', '')}\r\n"
        told = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        return iter([told[: 20 * (len(heard) % 2)]]) if is_lost else told  # nothing, or a part; then it hangs up

    server.answer = pass_on
    with Client(server.url, known["token"]) as made:
        yield made


def repeated(server: Server) -> int:
    """How often the last wish was sent."""
    keys = [asked.headers["idempotency-key"] for asked in server.asked if "idempotency-key" in asked.headers]
    return keys.count(keys[-1])


WISHES: dict[str, tuple[Wish, Count]] = {
    "a token": (lambda client: client.create_token(name="lost"), lambda client: len(list(client.tokens()))),
    "an invitation": (
        lambda client: client.invite(client.project(), email="lost@example.org"),
        lambda client: len(list(client.invitations(client.project()))),
    ),
    "a key": (lambda client: client.add_key(public_key("lost"), "lost"), lambda client: len(list(client.keys()))),
    "a policy": (
        lambda client: client.draft_policy(name="lost", effect="allow", service="cloud:india"),
        lambda client: len(list(client.policies(name="lost"))),
    ),
    "a server": (
        lambda client: client.boot(name="lost", cloud="india"),
        lambda client: len(list(client.servers(name="lost"))),
    ),
}


@pytest.mark.parametrize("name", WISHES)
def test_it_is_made_once(client: Client, server: Server, name: str) -> None:
    wish, count = WISHES[name]
    before = count(client)
    assert wish(client)
    assert repeated(server) == 2
    assert count(client) == before + 1


def test_a_secret_whose_answer_was_lost_still_works(client: Client, portal: Path) -> None:
    made = client.create_token(name="lost too")
    with Client(json.loads((portal / "portal.json").read_text())["url"], made["token"]) as other:
        assert other.me()["username"] == client.me()["username"]


def test_what_was_deleted_is_not_missing_when_asked_again(client: Client, server: Server) -> None:
    made = client.create_token(name="gone")
    client.revoke_token(made["id"])
    assert repeated(server) == 2
    assert made["id"] not in [token["id"] for token in client.tokens()]
