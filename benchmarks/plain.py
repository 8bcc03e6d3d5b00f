"""The bound: a hub on the same server without Django, permissions, replay or back-pressure; the least that does it."""

import asyncio
import os
from typing import Any

import orjson
import redis.asyncio

CHANNEL = "plain"

sends: set[Any] = set()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        ringing = asyncio.create_task(ring())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        ringing.cancel()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    sends.add(send)
    while (await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": '{"ready": 0}'})
    sends.discard(send)


async def ring() -> None:
    client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], protocol=2, socket_timeout=None)
    bell = client.pubsub(ignore_subscribe_messages=True)
    await bell.subscribe(CHANNEL)
    async for message in bell.listen():
        for hint in orjson.loads(message["data"]):
            frame = {"type": "websocket.send", "text": orjson.dumps(hint).decode()}
            for send in list(sends):
                await send(frame)
