"""What benchmarks stand on: real services in a temporary folder, a migrated database, processes, quantiles."""

import base64
import contextlib
import dataclasses
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import django
from django.core.management import call_command

from portal.standalone.children import wait_until
from tests import services

HERE = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def stage() -> Iterator[None]:
    """PostgreSQL and Valkey of our own, named in the environment; Django set up on an empty, migrated database."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "CLOUDMESH_SECRET_KEY": secrets.token_urlsafe(),
        "CLOUDMESH_KEYS": f"1:{base64.b64encode(bytes(32)).decode()}",
        "CLOUDMESH_STANDALONE": "1",
        "CLOUDMESH_LOG_LEVEL": "WARNING",
    }
    with services.environment():
        django.setup()
        call_command("migrate", verbosity=0)
        yield


@contextlib.contextmanager
def process(*module: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m MODULE ARGUMENT…`, spoken to in lines."""
    child = subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=HERE,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            yield child
        finally:
            child.terminate()


@dataclasses.dataclass(frozen=True)
class Server:
    port: int
    pid: int


@contextlib.contextmanager
def serving(application: str, **environment: str) -> Iterator[Server]:
    """An ASGI application on uvicorn, as the portal runs it."""
    port = free_port()
    options = ("--no-access-log", "--log-level", "warning", "--ws-per-message-deflate", "false")
    with process("uvicorn", application, "--port", str(port), *options, CLOUDMESH_ROLE="web", **environment) as server:
        assert wait_until(lambda: listens(port), seconds=30), f"{application} does not start"
        yield Server(port, server.pid)


@contextlib.contextmanager
def uvicorn(application: str) -> Iterator[int]:
    """The port of an application that is being served."""
    with serving(application) as server:
        yield server.port


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def cpu_seconds(pid: int) -> float:
    """What a process and its threads used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantile(values: Sequence[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)]
