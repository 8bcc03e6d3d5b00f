"""Just enough of Keystone and Nova to be read by the OpenStack driver, from pages made beforehand.

    python -m benchmarks.emulator --servers 10000 [--latency-ms 10]

prints its port and serves on the loopback until its standard input ends. It is never the slow part.
"""

import argparse
import asyncio
import json
import sys
import urllib.parse
from collections.abc import Callable

PAGE = 1000
TOKEN = {
    "token": {
        "methods": ["password"],
        "expires_at": "2099-01-01T00:00:00.000000Z",
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "user": {"id": "u", "name": "bench", "domain": {"id": "default", "name": "Default"}},
        "project": {"id": "p", "name": "bench", "domain": {"id": "default", "name": "Default"}},
        "roles": [{"id": "r", "name": "member"}],
        "catalog": [],
    }
}


def server(number: int, base: str) -> dict[str, object]:
    """A server as Nova 2.79 tells it, about 2 KB."""
    key = f"00000000-0000-4000-8000-{number:012d}"
    return {
        "id": key,
        "name": f"bench-{number}",
        "status": "ACTIVE",
        "tenant_id": "p",
        "user_id": "u",
        "metadata": {"purpose": "benchmark", "row": str(number)},
        "hostId": "2091634baaccdc4c5a1d57069c833e402921df696b7f970791b12ec6",
        "image": {"id": "image-1", "links": [{"rel": "bookmark", "href": f"{base}/images/image-1"}]},
        "flavor": {
            "vcpus": 1,
            "ram": 512,
            "disk": 1,
            "ephemeral": 0,
            "swap": 0,
            "original_name": "m1.tiny",
            "extra_specs": {},
        },
        "created": "2026-01-01T00:00:00Z",
        "updated": "2026-01-01T00:00:10Z",
        "addresses": {
            "private": [
                {
                    "version": 4,
                    "addr": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
                    "OS-EXT-IPS:type": "fixed",
                    "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01",
                }
            ]
        },
        "accessIPv4": "",
        "accessIPv6": "",
        "links": [{"rel": rel, "href": f"{base}/servers/{key}"} for rel in ("self", "bookmark")],
        "OS-DCF:diskConfig": "AUTO",
        "progress": 0,
        "OS-EXT-AZ:availability_zone": "nova",
        "config_drive": "",
        "key_name": "laptop",
        "OS-SRV-USG:launched_at": "2026-01-01T00:00:10.000000",
        "OS-SRV-USG:terminated_at": None,
        "security_groups": [{"name": "default"}],
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:power_state": 1,
        "os-extended-volumes:volumes_attached": [],
        "host_status": "UP",
        "description": None,
        "tags": [],
        "locked": False,
        "trusted_image_certificates": None,
    }


class Nova:
    """The answers, ready as bytes."""

    def __init__(self, base: str, count: int) -> None:
        servers = [server(number, base) for number in range(count)]
        self.pages: dict[str, bytes] = {}
        marker = ""
        for start in range(0, max(count, 1), PAGE):
            page = servers[start : start + PAGE]
            more = start + PAGE < count
            following = str(page[-1]["id"]) if page else ""
            links = [{"rel": "next", "href": f"{base}/servers/detail?limit={PAGE}&marker={following}"}]
            self.pages[marker] = json.dumps({"servers": page} | ({"servers_links": links} if more else {})).encode()
            marker = following
        self.empty = b'{"servers": []}'
        self.version = json.dumps(
            {"version": {"id": "v2.1", "status": "CURRENT", "version": "2.79", "min_version": "2.1"}}
        ).encode()
        endpoint = {"region": "R", "region_id": "R", "interface": "public", "id": "e", "url": base}
        TOKEN["token"]["catalog"] = [{"type": "compute", "name": "nova", "id": "c", "endpoints": [endpoint]}]
        self.token = json.dumps(TOKEN).encode()

    def answer(self, method: str, target: str) -> bytes:
        parts = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if parts.path.endswith("/auth/tokens"):
            return _http(201, self.token, "X-Subject-Token: bench\r\n")
        if parts.path.endswith("/servers/detail"):
            return _http(
                200, self.empty if "changes-since" in query else self.pages.get(query.get("marker", ""), self.empty)
            )
        return _http(200, self.version)


class Connection(asyncio.Protocol):
    def __init__(self, nova: Nova, latency: float) -> None:
        self.nova, self.latency, self.buffer = nova, latency, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            length = next(
                (int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0
            )
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            method, target, _ = head.split("\r\n", 1)[0].split(" ")
            asyncio.get_running_loop().call_later(self.latency, self.transport.write, self.nova.answer(method, target))


def _http(status: int, body: bytes, headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


async def serve(count: int, latency: float, ready: Callable[[int], None]) -> None:
    """Serve `count` servers on a free port until the standard input ends."""
    loop = asyncio.get_running_loop()
    holder: list[Nova] = []
    listener = await loop.create_server(lambda: Connection(holder[0], latency), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    holder.append(Nova(f"http://127.0.0.1:{port}/v2.1", count))
    ready(port)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--servers", type=int, default=1000)
    options.add_argument("--latency-ms", type=float, default=0)
    given = options.parse_args()
    asyncio.run(serve(given.servers, given.latency_ms / 1000, lambda port: print(port, flush=True)))
