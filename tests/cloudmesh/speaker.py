"""A server on a real socket that says what a test tells it to, and hangs up where it is told to."""

import contextlib
import dataclasses
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

Answer = bytes | Iterator[bytes]  # an iterator: parts as they come; then the connection is closed


@dataclasses.dataclass(frozen=True)
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """Answers each request with what `answer` makes of it; no bytes mean that it hangs up."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Answer] = lambda asked: b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def connections(self) -> int:
        """How many were ever opened."""
        return len(self._open)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Drop all connections, as a server that restarts."""
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as reader:
            while asked := _read(reader):
                self.asked.append(asked)
                answer = self.answer(asked)
                if isinstance(answer, bytes) and answer:
                    connection.sendall(answer)
                    continue
                for part in answer if not isinstance(answer, bytes) else ():
                    connection.sendall(part)
                return


def _read(reader: Any) -> Asked | None:
    first = reader.readline().decode()
    if not first:
        return None
    method, target, _ = first.split(" ")
    lines = iter(lambda: reader.readline().decode().strip(), "")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Asked(method, target, headers, reader.read(int(headers.get("content-length", 0))))


def reply(value: Any, status: int = 200, kind: str = "application/json") -> bytes:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return (
        b"HTTP/1.1 %d Said\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        % (
            status,
            kind.encode(),
            len(body),
        )
        + body
    )


def page(*results: Any, following: str | None = None) -> bytes:
    return reply({"next": following, "previous": None, "results": list(results)})


def problem(status: int, name: str, detail: str, **facts: Any) -> bytes:
    kind = "application/problem+json"
    return reply(
        {"type": f"/docs/errors/{name}", "title": "No", "status": status, "detail": detail, **facts}, status, kind
    )


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def message(event: str = "", **data: Any) -> bytes:
    """One message of a stream, with `event` one that is no hint."""
    lines = [f"event: {event}"] if event else [f"id: {data['seq']}"]
    return "\n".join([*lines, f"data: {json.dumps(data)}", "", ""]).encode()
