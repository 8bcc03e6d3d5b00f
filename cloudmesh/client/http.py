"""HTTP/1.1 over one socket: what the client needs of it, and as fast to import as `cm` must start.

http.client brings the e-mail parser and TLS along, which double the start of `cm`: docs/decisions/0010-http-of-cm.md.
"""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BufferedReader
from typing import NamedTuple

from cloudmesh.errors import Invalid

MAX_LINE = 65_536

_URL = re.compile(r"(https?)://(\[[0-9a-fA-F:.]+\]|[^\s/?#@:\[\]]+)(?::([0-9]{1,5}))?(/[^\s?#]*)?", re.IGNORECASE)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")


_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def quote(text: str) -> str:
    """Any text as one part of an address; what urllib.parse.quote does, without its import."""
    return "".join(
        char if char in _UNRESERVED else "".join(f"%{byte:02X}" for byte in char.encode(errors="surrogateescape"))
        for char in text
    )


class Broken(ConnectionError):
    """The other side hung up in the middle, or does not speak HTTP."""


class Origin(NamedTuple):
    """Where a portal is: the parts of its URL."""

    secure: bool
    host: str
    port: int
    prefix: str

    @classmethod
    def parse(cls, url: str) -> "Origin":
        parts = _URL.fullmatch(url.strip())
        if not parts or int(parts[3] or 1) > 65_535:
            raise Invalid(f"{url!r} is no address of a portal. Write it as https://portal.example.org.", field="url")
        secure = parts[1].lower() == "https"
        return cls(secure, parts[2].strip("[]"), int(parts[3] or (443 if secure else 80)), (parts[4] or "").rstrip("/"))

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else _ascii(self.host).decode()
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


class Connection:
    """One kept-alive connection; raises OSError for whatever goes wrong on the way."""

    def __init__(self, origin: Origin, timeout: float) -> None:
        self.origin = origin
        self._socket = _connect(origin, timeout)
        self._reader = self._socket.makefile("rb")

    def request(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> "Response":
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.origin.authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method in ("POST", "PATCH", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        if any(not line.isprintable() for line in lines):
            raise Invalid("The address or the token of the portal has characters that cannot be sent.")
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return Response(self._reader)

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def break_off(self) -> None:
        """Let whoever reads in another thread find the connection lost."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


class Response:
    """What came back: the head at once, the body as it arrives."""

    def __init__(self, reader: BufferedReader) -> None:
        self._reader = reader
        self.status, self.headers = _read_head(reader)
        while self.status < 200:
            self.status, self.headers = _read_head(reader)

    @property
    def stays_open(self) -> bool:
        """Whether another request can follow on the same connection."""
        framed = self._is_chunked or "content-length" in self.headers or self.status in (204, 304)
        return framed and self.headers.get("connection", "").lower() != "close"

    @property
    def retry_after(self) -> int:
        """In how many seconds to ask again; 0 where nothing is said."""
        seconds = self.headers.get("retry-after", "")
        return int(seconds) if seconds.isascii() and seconds.isdigit() else 0

    def is_a(self, kind: str) -> bool:
        return kind in self.headers.get("content-type", "")

    def read(self) -> bytes:
        return b"".join(self.chunks())

    def lines(self) -> Iterator[bytes]:
        """The lines of the body, each as soon as it is complete."""
        rest = b""
        for chunk in self.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.removesuffix(b"\r") for line in lines)

    def chunks(self) -> Iterator[bytes]:
        if self._is_chunked:
            yield from self._framed_chunks()
        elif "content-length" in self.headers:
            yield self._exactly(int(self.headers["content-length"]))
        elif self.status not in (204, 304):
            yield from iter(lambda: self._reader.read1(MAX_LINE), b"")

    @property
    def _is_chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    def _framed_chunks(self) -> Iterator[bytes]:
        while size := _chunk_size(_read_line(self._reader)):
            yield self._exactly(size)
            _read_line(self._reader)
        while _read_line(self._reader).strip():
            pass  # trailers

    def _exactly(self, size: int) -> bytes:
        data = self._reader.read(size)
        if len(data) < size:
            raise Broken("the connection broke in the middle of the answer")
        return data


def _connect(origin: Origin, timeout: float) -> socket.socket:
    """Bytes as host spare the import of the IDNA codec, which a `str` always costs."""
    connection = socket.create_connection((_ascii(origin.host), origin.port), timeout)  # type: ignore[arg-type]
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not origin.secure:
        return connection
    import ssl

    return ssl.create_default_context().wrap_socket(connection, server_hostname=origin.host)


def _ascii(host: str) -> bytes:
    try:
        return host.encode("ascii" if host.isascii() else "idna")
    except UnicodeError as error:
        raise Invalid(f"{host!r} is no host name.", field="url") from error


def _read_head(reader: BufferedReader) -> tuple[int, dict[str, str]]:
    first = _STATUS_LINE.fullmatch(_read_line(reader))
    if not first:
        raise Broken("what answers there does not speak HTTP")
    headers = {}
    while line := _read_line(reader).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return int(first[1]), headers


def _read_line(reader: BufferedReader) -> bytes:
    line = reader.readline(MAX_LINE)
    if not line.endswith(b"\n"):
        raise Broken("the connection broke in the middle of the answer" if line else "the portal closed the connection")
    return line


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.split(b";")[0], 16)
    except ValueError as error:
        raise Broken("what answers there does not speak HTTP") from error
