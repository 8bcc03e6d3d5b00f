"""The portal's own processes, web, worker and beat, and the address it listens on."""

import dataclasses
import errno
import http.client
import os
import socket
import sys

from portal.celery import app
from portal.standalone.children import Command
from portal.standalone.identity import CannotRun
from portal.standalone.places import BASE

TRIED = 100  # ports, before giving up
WORKER = "portal@localhost"
THREADS = 16  # twice as many as one lane may use, so that a cloud that hangs never holds them all


@dataclasses.dataclass(frozen=True)
class Listener:
    """A listening socket. It is the supervisor's, so that a dying web process refuses nobody."""

    socket: socket.socket

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    @property
    def host(self) -> str:
        """A name for people and browsers on this machine."""
        host = str(self.socket.getsockname()[0])
        return {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)  # noqa: S104

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def listen(host: str, port: int) -> Listener:
    """Listen on `port` or the next free one. Raises CannotRun."""
    if not 0 < port < 65536:
        raise CannotRun(f"There is no port {port}; use one from 1024 to 65535.")
    for number in range(port, min(port + TRIED, 65536)):
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return Listener(socket.create_server((host, number), family=family, backlog=1024))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CannotRun(f"The portal cannot listen on {host} port {number}: {error.strerror}.") from error
    raise CannotRun(f"The ports from {port} on are all taken. Name a free one: make run ARGS='--port N'")


def commands(listener: Listener) -> tuple[Command, ...]:
    descriptor = listener.socket.fileno()
    celery = ("celery", "-A", "portal")
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    worker = ("worker", "--pool", "threads", "--concurrency", str(THREADS), "--hostname", WORKER, *quiet)
    beat = ("beat", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--pidfile", "")
    return (
        _command("web", listener, "portal.standalone.serve", str(descriptor), listening=(descriptor,)),
        _command("worker", listener, *celery, *worker),
        _command("beat", listener, *celery, *beat),
    )


def _command(name: str, listener: Listener, *module: str, listening: tuple[int, ...] = ()) -> Command:
    return Command(
        name=name,
        argv=(sys.executable, "-m", *module),
        env={"CLOUDMESH_URL": listener.url, **os.environ, "CLOUDMESH_ROLE": name},
        cwd=BASE,
        patience=8.0,
        listening=listening,
    )


def web_answers(listener: Listener) -> bool:
    """Whether the web is ready, database and all."""
    connection = http.client.HTTPConnection(listener.socket.getsockname()[0], listener.port, timeout=1)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def worker_answers() -> bool:
    with app.connection_for_write() as connection:
        return bool(app.control.ping([WORKER], timeout=0.5, connection=connection))
