"""An OpenStack that answers over a real socket with what a real one once said, and as badly as a test asks for."""

import contextlib
import datetime
import http.server
import json
import pathlib
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cloudmesh.types
from cloudmesh.types import Json

HERE = pathlib.Path(__file__).parent
PATHS = {"compute": "/compute/v2.1", "image": "/image", "network": "/network"}


def recorded(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text())


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json


@dataclass
class Answer:
    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds before the first byte
    drip: float = 0.0  # seconds between two bytes of the body
    cut: bool = False  # the connection, instead of an answer

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Script = Answer | list[Answer] | Callable[[Asked], Answer]


class Replay(http.server.ThreadingHTTPServer):
    """`answers` by method and path; of a list each is given once and the last for ever."""

    daemon_threads = True
    scheme = "http"

    def __init__(self, address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), Handler)
        self.asked: list[Asked] = []
        self.answers: dict[tuple[str, str], Script] = {
            ("POST", "/identity/v3/auth/tokens"): self._token,
            ("GET", "/compute/v2.1/"): Answer(recorded("version")),
        }
        self.catalog = PATHS  # what Keystone says where the services are; a whole URL for one that is elsewhere
        self.region = "RegionOne"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.server_address[0]!s}:{self.server_port}"

    def credential(self, **changes: str) -> dict[str, str]:
        names = {"username": "india", "password": "the secret word", "project_name": "india"}
        domains = {"user_domain_name": "Default", "project_domain_name": "Default"}
        return {"auth_url": f"{self.url}/identity/v3", **names, **domains, "region_name": "RegionOne", **changes}

    def on(self, method: str, path: str, script: Script) -> None:
        self.answers[method, path] = script

    def to(self, method: str, path: str) -> list[Asked]:
        return [asked for asked in self.asked if (asked.method, asked.path) == (method, path)]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The other side hung up: many a test wants just that."""

    def _token(self, asked: Asked) -> Answer:
        token = recorded("token")["token"]
        ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        token["expires_at"] = f"{ends:%Y-%m-%dT%H:%M:%S}.000000Z"
        where = {kind: urllib.parse.urljoin(self.url, path) for kind, path in self.catalog.items()}
        token["catalog"] = [
            {"type": kind, "endpoints": [{"interface": "public", "region": self.region, "url": url}]}
            for kind, url in where.items()
        ]
        number = len(self.to("POST", asked.path))
        return Answer({"token": token}, 201, {"X-Subject-Token": f"token-{number}"})

    def next_answer(self, asked: Asked) -> Answer:
        script = self.answers.get((asked.method, asked.path), Answer({"itemNotFound": {"message": "no"}}, 404))
        if isinstance(script, Answer):
            return script
        if isinstance(script, list):
            return script.pop(0) if len(script) > 1 else script[0]
        return script(asked)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Replay
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = dict(urllib.parse.parse_qsl(url.query))
        asked = Asked(self.command, url.path, query, dict(self.headers), json.loads(text or "{}"))
        self.server.asked.append(asked)
        self.give(self.server.next_answer(asked))

    do_POST = do_PUT = do_DELETE = do_GET

    def give(self, answer: Answer) -> None:
        time.sleep(answer.delay)
        if answer.cut:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.content)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):  # the other side may have had enough
            for part in [answer.content[n : n + 1] for n in range(200)] if answer.drip else [answer.content]:
                self.wfile.write(part)
                time.sleep(answer.drip)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving(server: Replay) -> Iterator[Replay]:
    with server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def paged(noun: str, natives: list[Json], page: int) -> Callable[[Asked], Answer]:
    """A list as Nova gives it: pages of at most `page`, the links as wrong as behind many a proxy."""

    def answer(asked: Asked) -> Answer:
        after = [native["id"] for native in natives].index(asked.query["marker"]) + 1 if "marker" in asked.query else 0
        size = min(page, int(asked.query["limit"]))
        shown = natives[after : after + size]
        query = urllib.parse.urlencode({**asked.query, "marker": shown[-1]["id"]}) if len(shown) == size else ""
        link = {"rel": "next", "href": f"http://inside.example:8774/v2.1{asked.path}?{query}"}
        return Answer({noun: shown, **({f"{noun}_links": [link]} if query else {})})

    return answer


def spec(**changes: Any) -> cloudmesh.types.ServerSpec:
    return cloudmesh.types.ServerSpec(**{"name": "gregor_1", "image": "image-1", "flavor": "flavor-1", **changes})
