"""The web process: uvicorn on a listening socket inherited from the supervisor.

`uvicorn --fd` takes every socket for a Unix socket and so loses the client's address and TCP_NODELAY.

usage: python -m portal.standalone.serve DESCRIPTOR
"""

import socket
import sys

import uvicorn

CLOSING = 3  # seconds for open streams when the portal stops


def main(descriptor: str) -> None:
    config = uvicorn.Config(
        "portal.asgi:application",
        log_config=None,  # Django's logging serves all
        server_header=False,
        access_log=False,  # paths can hold login links
        timeout_graceful_shutdown=CLOSING,
        ws_max_size=65_536,
        ws_per_message_deflate=False,  # a hint is small, and encoded once for all who hear it
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(descriptor))])


if __name__ == "__main__":
    main(*sys.argv[1:])
