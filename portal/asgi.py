"""Everything on one port: what is live under `/ws/`, all else by Django's WSGI handler in threads.

Where HTTP has a server of its own (gunicorn with `portal.wsgi`), this serves `/ws/` alone, by the same code.
Why: docs/decisions/0002-web-servers.md.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from a2wsgi import WSGIMiddleware

from portal.wsgi import application as pages  # first: it sets Django up, whose models the next line needs

from portal.consumers import routes  # isort: skip

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

THREADS = 12  # as many as the database pool has connections
LARGEST = 5_000_000  # bytes of a request's body
NOTHING_HERE = {"type": "websocket.close", "code": 4404, "reason": "There is nothing here."}

_pages: Any = WSGIMiddleware(pages, workers=THREADS)  # type: ignore[arg-type]  # each describes WSGI in its own types
_routes = routes()


async def application(scope: Message, receive: Receive, send: Send) -> None:
    path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    live = _routes.get((scope["type"], path))
    if live:
        await live(scope, receive, send)
    elif scope["type"] == "http":
        await _serve_page(scope, receive, send)
    elif scope["type"] == "websocket":
        await send(NOTHING_HERE)
    else:
        await _pages(scope, receive, send)  # lifespan


async def _serve_page(scope: Message, receive: Receive, send: Send) -> None:
    """With a body that has arrived as a whole, so that no thread waits for a slow sender."""
    body = bytearray()
    is_more = True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        if len(body) > LARGEST:
            await _refuse(send)
            return
        is_more = message.get("more_body", False)

    async def whole() -> Message:
        return {"type": "http.request", "body": bytes(body)}

    # A name with an underscore could pass for the header that a proxy sets.
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    await _pages({**scope, "headers": headers}, whole, send)


async def _refuse(send: Send) -> None:
    detail = f"A request has at most {LARGEST // 1_000_000} MB."
    body = b'{"type": "/docs/errors/too-large", "title": "Too large", "status": 413, "detail": "%b"}' % detail.encode()
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
