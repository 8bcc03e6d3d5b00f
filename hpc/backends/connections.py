"""Connections to login nodes, kept and shared: one event loop in a thread of its own for the whole process.

A connection belongs to one login with one key at one machine whose own key is pinned. Whichever thread asks next
uses it too, with a channel of its own. What nobody used for a while is closed, what has died is made anew.
"""

import asyncio
import contextlib
import dataclasses
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from socket import socket
from typing import Any, Self, TypeVar

import asyncssh

from cloudmesh import wire
from cloudmesh.errors import DriverError, Refused, Unreachable
from hpc.backends import keys

T = TypeVar("T")
IDLE = 120.0  # seconds until a connection that nobody uses is closed
ALIVE = 15  # seconds between two signs of life
CHANNELS = 8  # at once in one connection; MaxSessions of sshd_config(5) is 10
KEY_KINDS = (  # of machines, the best first
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Door:
    """A machine that speaks SSH, with the key it must have, and who one is there."""

    host: str
    port: int
    host_key: str  # see keys.checked_pin
    login: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Route:
    """A way to a login node: through which machine, if any, and with what key."""

    door: Door
    identity: keys.Identity = dataclasses.field(repr=False)
    jump: Door | None = None


asyncssh.set_log_level("WARNING")  # on INFO it writes down every command


class Stranger(Refused):
    """A machine that does not have the key it should have."""


class Line:
    """One open connection."""

    def __init__(self, connection: asyncssh.SSHClientConnection, address: str, jump: Self | None) -> None:
        self.connection, self.address, self._jump = connection, address, jump
        self.channels = asyncio.Semaphore(CHANNELS)
        self.users, self.used = 0, time.monotonic()

    @property
    def is_open(self) -> bool:
        return not self.connection.is_closed() and (self._jump is None or self._jump.is_open)

    @property
    def is_idle(self) -> bool:
        return self.users == 0 and time.monotonic() - self.used > IDLE

    def close(self) -> None:
        self.connection.abort()
        if self._jump:
            self._jump.close()


class Exchange:
    """All connections of one process, and the loop they live in."""

    def __init__(self) -> None:
        self._lines: dict[Route, Line] = {}
        self._locks: dict[Route, threading.Lock] = {}
        self._guarding = threading.Lock()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="ssh", daemon=True).start()
        self._loop.call_soon_threadsafe(self._tick)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have work done in the loop, and wait for it; it has its own time-outs."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()  # where it is the waiting that was interrupted

    def line(self, route: Route, guard: wire.Guard, seconds: float) -> Line:
        """An open connection; one that is kept is used only where `guard` lets its address pass, too."""
        with self._guarding:
            lock = self._locks.setdefault(route, threading.Lock())
        if not lock.acquire(timeout=seconds):
            raise Unreachable(f"{route.door} did not answer within {seconds:g} s.")
        try:
            line = self._lines.get(route)
            if line is None or not line.is_open:
                line = self._lines[route] = self._opened(route, guard, seconds)
            else:
                guard(line.address)
            line.used = time.monotonic()
            return line
        finally:
            lock.release()

    def forget(self, route: Route, line: Line) -> None:
        """Use a connection no more, since it turned out to be dead."""
        if self._lines.get(route) is line:
            del self._lines[route]
        self._loop.call_soon_threadsafe(line.close)

    def host_key(self, host: str, port: int, guard: wire.Guard, seconds: float) -> str:
        """The key that a machine shows now, whatever it is worth; raises Unreachable, Rejected."""
        opened = _socket(Door(host=host, port=port, host_key="", login=""), guard, seconds)

        async def ask() -> asyncssh.SSHKey | None:
            async with asyncio.timeout(seconds):
                return await asyncssh.get_server_host_key(sock=opened, server_host_key_algs=KEY_KINDS, config=None)

        with translated(f"{host}:{port}", seconds):
            key = self.run(ask())
        if key is None:
            raise Unreachable(f"{host}:{port} shows no host key.")
        return keys.written(key)

    def close(self) -> None:
        """Close all connections; the next command makes its own."""
        for route, line in list(self._lines.items()):
            self.forget(route, line)

    def _opened(self, route: Route, guard: wire.Guard, seconds: float) -> Line:
        if route.jump is None:
            return self._entered(route.door, route.identity, guard, seconds)
        with contextlib.ExitStack() as undo:
            jump = self._entered(route.jump, route.identity, guard, seconds)
            undo.callback(self._loop.call_soon_threadsafe, jump.close)
            line = self._entered(route.door, route.identity, guard, seconds, through=jump)
            undo.pop_all()
            return line

    def _entered(
        self, door: Door, identity: keys.Identity, guard: wire.Guard, seconds: float, through: Line | None = None
    ) -> Line:
        """A connection through a door; where only a fingerprint is known, each kind of key is asked for."""
        key = None if identity.agent else keys.private_key(identity)  # here, since to unlock one takes a while
        first: DriverError | None = None
        for kinds in _kinds(door.host_key):
            way = through or _socket(door, guard, seconds)
            try:
                return self.run(_login(door, key, identity.agent, kinds, seconds, way))
            except (Stranger, Unreachable) as error:  # one that has no key of a kind may just hang up
                first = first or error
            if isinstance(first, Unreachable):
                break
        raise first or Stranger(str(door))

    def _sweep(self) -> None:
        for route, line in list(self._lines.items()):
            if line.is_idle or not line.is_open:
                self.forget(route, line)

    def _tick(self) -> None:
        self._sweep()
        self._loop.call_later(IDLE / 4, self._tick)


_exchanges: dict[int, Exchange] = {}
_making = threading.Lock()


def exchange() -> Exchange:
    """That of this process; one that forked has none of its parent's."""
    with _making:
        found = _exchanges.get(os.getpid())
        if found is None:
            _exchanges.clear()
            found = _exchanges[os.getpid()] = Exchange()
        return found


def _socket(door: Door, guard: wire.Guard, seconds: float) -> socket:
    """A socket to an address that was checked."""
    with translated(str(door), seconds):
        opened = wire.connected(guard, door.host, door.port, seconds)
    opened.setblocking(False)
    return opened


async def _login(
    door: Door, key: asyncssh.SSHKey | None, agent: str, kinds: tuple[str, ...], seconds: float, way: socket | Line
) -> Line:
    """Log in at a machine, over a socket or through another, if it shows the key it must have."""
    shown: list[asyncssh.SSHKey] = []
    through = way if isinstance(way, Line) else None
    far: dict[str, Any] = {"tunnel": through.connection, "host": door.host, "port": door.port} if through else {}
    address = way.address if isinstance(way, Line) else str(way.getpeername()[0])
    with translated(str(door), seconds, lambda: _stranger(door, shown), login=door.login):
        async with asyncio.timeout(seconds), _proofs(key, agent) as proofs:
            connection, _ = await asyncssh.create_connection(
                lambda: _Client(door, shown),
                **(far or {"sock": way}),
                config=None,
                known_hosts=([], [], []),
                server_host_key_algs=kinds,
                username=door.login,
                client_keys=proofs,
                agent_path=None,
                preferred_auth="publickey",
                gss_host=None,
                keepalive_interval=ALIVE,
            )
    return Line(connection, address, through)


@contextlib.asynccontextmanager
async def _proofs(key: asyncssh.SSHKey | None, agent: str) -> AsyncIterator[list[Any]]:
    """What one may log in with: a key, or all that an agent has; never what lies about in the portal's home."""
    if key:
        yield [key]
        return
    try:
        desk = await asyncssh.connect_agent(agent)
    except (OSError, asyncssh.Error) as error:
        raise Refused(f"The portal's agent at {agent} does not answer: {error}.") from error
    async with desk:
        yield list(await desk.get_keys())


class _Client(asyncssh.SSHClient):
    def __init__(self, door: Door, shown: list[asyncssh.SSHKey]) -> None:
        self._door, self._shown = door, shown

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self._shown.append(key)
        return keys.is_pinned(key, self._door.host_key)


def _kinds(pin: str) -> list[tuple[str, ...]]:
    """What kinds of key a machine is asked for, one after the other: it may have several."""
    kind = pin.split()[0]
    if kind.startswith("SHA256:"):
        return [(each,) for each in KEY_KINDS]
    return [("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)]


def _stranger(door: Door, shown: list[asyncssh.SSHKey]) -> str:
    """What to say of a machine that does not have the key it should have."""
    now = f"now it shows {shown[-1].get_fingerprint()}" if shown else "it has none of that kind now"
    return (
        f"{door} is not the machine that was registered: it had the host key {keys.fingerprint(door.host_key)}, "
        f"{now}. Either somebody is in between, or it was installed anew. Ask its administrators; if they changed it, "
        "register the new key."
    )


@contextlib.contextmanager
def translated(place: str, seconds: float, stranger: Callable[[], str] = str, *, login: str = "") -> Iterator[None]:
    """What goes wrong before anything was run, in our words."""
    try:
        yield
    except TimeoutError as error:
        raise Unreachable(f"{place} did not answer within {seconds:g} s.") from error
    except asyncssh.HostKeyNotVerifiable as error:
        raise Stranger(stranger()) from error
    except (asyncssh.PermissionDenied, asyncssh.IllegalUserName) as error:
        raise Refused(
            f"{place} does not accept the key of {login or 'this login'}. See that its public half is in "
            "~/.ssh/authorized_keys there, and that the login is right."
        ) from error
    except asyncssh.KeyExchangeFailed as error:
        if stranger is not str:
            raise Stranger(stranger()) from error
        raise Unreachable(f"{place} and the portal have no way to encrypt in common: {error.reason}.") from error
    except asyncssh.ChannelOpenError as error:
        raise Unreachable(f"{place} cannot be reached through the machine in between: {error.reason}.") from error
    except asyncssh.DisconnectError as error:
        raise Unreachable(f"{place} hung up: {error.reason or type(error).__name__}.") from error
    except OSError as error:
        raise Unreachable(f"{place} cannot be reached: {error.strerror or error}.") from error
