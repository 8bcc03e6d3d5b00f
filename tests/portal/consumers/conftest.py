"""A web process with a database and a Valkey of its own; the tests' process writes what the web tells."""

import contextlib
import dataclasses
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client, override_settings
from pytest_django.plugin import DjangoDbBlocker
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts import services as accounts
from accounts.models import User
from activity import events, lifecycle
from portal.standalone import web
from portal.standalone.children import Child, wait_until
from portal.standalone.valkey import Valkey
from projects.models import Project
from tests import factories, services

WAIT = 10.0  # seconds for what should come at once, on a machine that has other things to do
Json = dict[str, Any]


@dataclasses.dataclass
class Socket:
    """A WebSocket of a client."""

    connection: ClientConnection

    def send(self, content: object) -> None:
        self.connection.send(content if isinstance(content, str | bytes) else json.dumps(content))

    def subscribe(self, *topics: str, since: int | None = None) -> int:
        """The number it is ready at."""
        self.send({"subscribe": topics} | ({} if since is None else {"since": since}))
        while "ready" not in (answer := self.next()):
            pass
        return int(answer["ready"])

    def next(self, seconds: float = WAIT) -> Json:
        return dict(json.loads(self.connection.recv(timeout=seconds)))

    def until(self, seq: int) -> list[int]:
        """The numbers heard, up to this one."""
        heard = [self.next()["seq"]]
        while heard[-1] < seq:
            heard.append(self.next()["seq"])
        return heard

    def is_silent(self, seconds: float = 0.3) -> bool:
        with contextlib.suppress(TimeoutError):
            self.connection.recv(timeout=seconds)
            return False
        return True

    def closed(self) -> tuple[int, str]:
        """The code and the reason of its end."""
        try:
            while True:
                self.connection.recv(timeout=WAIT)
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


@dataclasses.dataclass(kw_only=True)
class Place:
    """Where the web runs, and who does what there."""

    listener: web.Listener
    valkey: Valkey
    logs: Path
    environment: dict[str, str]
    children: dict[str, Child] = dataclasses.field(default_factory=dict)

    def start(self, name: str) -> None:
        commands = {"valkey": self.valkey.command(), "web": web.commands(self.listener)[0]}
        command = commands[name]
        if name == "web":
            command = dataclasses.replace(command, env={**self.environment, "CLOUDMESH_ROLE": "web"})
        self.children[name] = child = Child(command, self.logs / f"{name}.log")
        answers: Callable[[], bool] = self.valkey.answers if name == "valkey" else self._web_answers
        assert wait_until(answers, seconds=60), child.last_words(20)

    def kill(self, name: str) -> None:
        child = self.children.pop(name)
        os.killpg(child.pid, 9)
        child.wait()

    def _web_answers(self) -> bool:
        with contextlib.suppress(OSError, ConnectionClosed, TimeoutError), self.socket("cm_nobody") as socket:
            return socket.closed()[0] == 4401
        return False

    @contextlib.contextmanager
    def socket(self, token: str = "", path: str = "/ws/live", **options: Any) -> Iterator[Socket]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        url = self.listener.url.replace("http", "ws") + path
        with connect(url, additional_headers=headers, compression=None, close_timeout=1, **options) as connection:
            yield Socket(connection)

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.valkey.url())


@dataclasses.dataclass(frozen=True)
class Person:
    user: User
    token: str

    @classmethod
    def new(cls) -> "Person":
        user = factories.make_user(f"user-{uuid.uuid4().hex[:8]}")
        return cls(user, accounts.issue_token(user=user, name="test")[1])


@dataclasses.dataclass(frozen=True)
class Team:
    """A project, who leads it and who works in it."""

    project: Project
    lead: Person
    member: Person

    @classmethod
    def new(cls) -> "Team":
        lead, member = Person.new(), Person.new()
        name = f"project-{uuid.uuid4().hex[:8]}"
        return cls(factories.make_project(name, lead=lead.user, members=(member.user,)), lead, member)

    @property
    def topic(self) -> str:
        return self.project.topic

    def change(self) -> int:
        """Something that happens in the project; the number it got."""
        event = lifecycle.change(self.project, actor=self.lead.user, title=uuid.uuid4().hex)
        event.refresh_from_db()
        assert event.seq
        return event.seq


def sign_in(place: Place, person: Person) -> tuple[dict[str, str], SessionBase]:
    """The headers that a browser sends, and the session behind them."""
    client = Client()
    client.force_login(person.user)
    name = f"cloudmesh-session-{place.listener.port}"
    return {"Cookie": f"theme=dark; {name}={client.session.session_key}"}, client.session


@pytest.fixture(scope="package")
def _place(django_db_blocker: DjangoDbBlocker) -> Iterator[Place]:
    with django_db_blocker.unblock(), services.folder() as home, database() as url, contextlib.ExitStack() as stack:
        valkey = Valkey(data=home / "valkey", socket=home / "vk/valkey.sock")
        valkey.prepare()
        listener = web.listen("127.0.0.1", 9300 + os.getpid() % 400)
        stack.enter_context(listener.socket)
        # Its connections inherit this: the kernel must not hold all that somebody does not read.
        listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        cache = settings.CACHES["default"] | {"LOCATION": valkey.url()}
        stack.enter_context(override_settings(REDIS_URL=valkey.url(), CACHES={"default": cache}))
        named = {"DATABASE_URL": url, "REDIS_URL": valkey.url(), "CLOUDMESH_URL": listener.url}
        place = Place(listener=listener, valkey=valkey, logs=home, environment=os.environ | named)
        stack.callback(lambda: [child.stop() for child in place.children.values()])
        events.doorbell.cache_clear()
        stack.callback(events.doorbell.cache_clear)
        place.start("valkey")
        place.start("web")
        yield place


@contextlib.contextmanager
def database() -> Iterator[str]:
    """A database where what is committed stays, for this process too; its URL."""
    connections.close_all()
    usual, name, server = dict(connection.settings_dict), f"live_{uuid.uuid4().hex[:12]}", os.environ["DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
        connection.settings_dict |= {"NAME": name, "CONN_MAX_AGE": 0}
        try:
            call_command("migrate", verbosity=0)
            head, _, query = server.partition("?")
            yield f"{head.rpartition('/')[0]}/{name}?{query}"
        finally:
            connections.close_all()
            connection.settings_dict |= usual
            owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@pytest.fixture
def place(_place: Place, django_db_blocker: DjangoDbBlocker) -> Iterator[Place]:
    """The place of all these tests, whole again after each."""
    with django_db_blocker.unblock():
        yield _place
        for name in ("valkey", "web"):
            if name not in _place.children:
                _place.start(name)
                events.doorbell.cache_clear()  # else it stays silent for a moment


@pytest.fixture
def team(place: Place) -> Team:
    return Team.new()


@pytest.fixture
def stranger(place: Place) -> Person:
    return Person.new()
