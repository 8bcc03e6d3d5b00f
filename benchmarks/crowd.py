"""Many WebSocket clients in one process, which do as little as possible: they count frames and note when they came.

usage: python -m benchmarks.crowd PORT COUNT TOKEN TOPIC

Says "ready" when all are subscribed. For each line N on its standard input it waits until every client got N more
frames, and answers the monotonic time of each client's last one, as a JSON list.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

TEXT, PING, PONG = 0x81, 0x89, b"\x8a"
SHORT, MASKED = 126, 0x80


class Client(asyncio.Protocol):
    def __init__(self, crowd: "Crowd") -> None:
        self.crowd = crowd
        self.rest = b""
        self.is_open = False

    async def connect(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.crowd.port)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.crowd.handshake)

    def data_received(self, data: bytes) -> None:
        data = self.rest + data if self.rest else data
        if not self.is_open:
            head, _, data = data.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101"), head
            self.is_open = True
            self.transport.write(self.crowd.subscribe)
        at, size = 0, len(data)
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length == SHORT:
                length, start = int.from_bytes(data[at + 2 : at + 4]), at + 4
            if start + length > size:
                break
            if data[at] == TEXT:
                self.crowd.count(self)
            elif data[at] == PING:
                self.transport.write(PONG + bytes([MASKED | length, 0, 0, 0, 0]) + data[start : start + length])
            at = start + length
        self.rest = data[at:]


class Crowd:
    def __init__(self, port: int, count: int, token: str, topic: str) -> None:
        self.port = port
        self.clients = [Client(self) for _ in range(count)]
        self.handshake = (
            f"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        ).encode()
        text = json.dumps({"subscribe": [topic]}).encode()
        assert len(text) < SHORT
        self.subscribe = bytes([TEXT, MASKED | len(text), 0, 0, 0, 0]) + text  # a mask of zeros
        self.all_came = asyncio.Event()

    def expect(self, each: int) -> None:
        self.each = each
        self.had = dict.fromkeys(self.clients, 0)
        self.lasts: list[float] = []
        self.all_came.clear()

    def count(self, client: Client) -> None:
        self.had[client] += 1
        if self.had[client] == self.each:
            self.lasts.append(time.monotonic())
            if len(self.lasts) == len(self.clients):
                self.all_came.set()


async def main(port: str, count: str, token: str, topic: str) -> None:
    crowd = Crowd(int(port), int(count), token, topic)
    crowd.expect(1)  # ready
    for client in crowd.clients:
        await client.connect()
    await crowd.all_came.wait()
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        crowd.expect(int(line))
        print("waiting", flush=True)
        await crowd.all_came.wait()
        print(json.dumps(crowd.lasts), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
