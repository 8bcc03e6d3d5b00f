"""A slurmrestd on loopback: for each path what a test tells it to answer, and a note of what it was asked."""

import contextlib
import http.server
import pathlib
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import orjson

ANSWERS = pathlib.Path(__file__).with_name("answers")


class Slurmrestd:
    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, str, Any]] = []  # method, path with its query, document
        self.headers: list[dict[str, str]] = []
        self._answers: dict[str, tuple[int, bytes]] = {}

    def offer(self, *versions: int) -> None:
        paths = {f"/slurm/v0.0.{version}/jobs": {} for version in versions}
        self.say("openapi", {"paths": paths})

    def say(self, path: str, document: Any, status: int = 200) -> None:
        """Answer to a path without its version: `slurm/jobs`, `slurmdb/job/12`, `openapi`."""
        self._answers[path] = status, document if isinstance(document, bytes) else orjson.dumps(document)

    def replay(self, path: str, name: str) -> None:
        self.say(path, (ANSWERS / name).read_bytes())

    @property
    def bodies(self) -> list[Any]:
        return [document for _, _, document in self.asked if document is not None]

    def answer(self, method: str, path: str, document: Any) -> tuple[int, bytes]:
        self.asked.append((method, path, document))
        parts = [part for part in urllib.parse.urlsplit(path).path.split("/") if part and not part.startswith("v0.0.")]
        return self._answers.get("/".join(parts), (404, b"Unable find requested URL. Please view /openapi/v3"))

    @contextlib.contextmanager
    def serving(self) -> Iterator["Slurmrestd"]:
        offered = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                offered.headers.append(dict(self.headers))
                status, answer = offered.answer(self.command, self.path, orjson.loads(body) if body else None)
                self.send_response(status)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(answer)

            do_GET = do_POST = do_DELETE = do

            def log_message(self, format: str, *args: object) -> None:
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            yield self
            server.shutdown()
