"""Commands on a login node, through SSH, as one person.

A command goes as one line that the shell of the login reads: each argument quoted for a POSIX shell. The machine must
have the host key it was registered with. There is no password: a private key, or the portal's agent where allowed.
"""

import asyncio
import contextlib
import shlex
import time
from collections.abc import Mapping
from typing import Any

import asyncssh

from cloudmesh import wire
from cloudmesh.errors import Busy, Invalid, Unreachable
from hpc.backends.arguments import checked_environment, encoded
from hpc.backends.connections import Door, Line, Route, exchange
from hpc.backends.keys import Identity, checked_pin, generate_key, public_key
from hpc.drivers import LONGEST_ANSWER, Answer, Shell

__all__ = ["Identity", "Ssh", "checked_pin", "generate_key", "host_key", "jump_host", "public_key"]

LONGEST_ERROR = 64 * 2**10  # bytes of standard error that are kept
CHUNK = 64 * 2**10
KILLED = 128  # and the number of the signal, as shells tell it
SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9, "SEGV": 11, "PIPE": 13, "TERM": 15}


def host_key(host: str, port: int = 22, *, guard: wire.Guard, timeout: float = 20.0) -> str:
    """The key that a machine shows now, for somebody to compare and to pin; raises Unreachable, Rejected, Invalid."""
    return exchange().host_key(*_place(host, port), guard, timeout)


def jump_host(host: str, port: int = 22, *, host_key: str, login: str) -> Door:
    """A machine on the way to a login node, where the same key lets one in; raises Invalid."""
    host, port = _place(host, port)
    return Door(host=host, port=port, host_key=checked_pin(host_key), login=login)


def _place(host: str, port: int) -> tuple[str, int]:
    host = host.strip()
    if not host or len(host) > 253 or any(sign.isspace() or sign in "/@\0" for sign in host):
        raise Invalid(f"{host[:60]!r} is no host name. Give one such as login.india.edu, or an address.", field="host")
    if not 0 < port < 65536:
        raise Invalid(f"{port} is no port; it is a number from 1 to 65535, usually 22.", field="port")
    return host, port


class Ssh(Shell):
    """See the module. Making one connects nowhere and opens no key; raises Invalid with the field that is wrong."""

    def __init__(
        self,
        login: str,
        host: str,
        port: int = 22,
        *,
        host_key: str,
        identity: Identity,
        guard: wire.Guard,
        jump: Door | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: float = 20.0,
    ) -> None:
        if not login.strip() or "\0" in login:
            raise Invalid("Who are you there? Give the name of your login.", field="login")
        host, port = _place(host, port)
        door = Door(host=host, port=port, host_key=checked_pin(host_key), login=login)
        self.login = login
        self._route = Route(door=door, identity=identity, jump=jump)
        self._guard, self._timeout = guard, timeout
        self._environment = checked_environment(environment or {})

    def __repr__(self) -> str:
        return f"Ssh({self.login!r}, {str(self._route.door)!r})"

    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        line = self._line(command)
        seconds = self._timeout if timeout is None else timeout
        desk = exchange()
        for attempt in (1, 2):
            kept = desk.line(self._route, self._guard, self._timeout)
            try:
                return desk.run(self._talk(kept, line, command[0], given, seconds, most))
            except _NothingRan as error:  # on a connection that had died, most likely
                desk.forget(self._route, kept)
                if attempt == 2:
                    raise Unreachable(f"{self._route.door} does not take commands now: {error}.") from error
        raise AssertionError("both attempts end above")

    def _line(self, command: tuple[str, ...]) -> str:
        encoded(command)
        variables = [f"{name}={value}" for name, value in self._environment.items()]
        return shlex.join(("env", *variables, *command) if variables else command)

    async def _talk(self, line: Line, text: str, name: str, given: bytes, seconds: float, most: int) -> Answer:
        session = _Session(most)
        line.users += 1
        try:
            async with asyncio.timeout(seconds), line.channels:
                return await self._command(line, session, text, given)
        except TimeoutError:
            raise Busy(f"{name} has not ended after {seconds:g} s at {self._route.door}. Try again.") from None
        except OverflowError:
            raise Busy(f"{name} answered more than {most} bytes and was stopped.") from None
        except ConnectionError as error:
            raise Busy(
                f"The connection to {self._route.door} broke while {name} ran; whether it was done is not known."
            ) from error
        finally:
            session.stop()
            line.users, line.used = line.users - 1, time.monotonic()

    async def _command(self, line: Line, session: "_Session", text: str, given: bytes) -> Answer:
        command: Any = text.encode(errors="surrogateescape")  # typed as text, sent as bytes either way
        try:
            await line.connection.create_session(lambda: session, command, encoding=None)
        except (asyncssh.Error, OSError) as error:
            if session.channel is None or not line.connection.is_closed():
                raise _NothingRan(getattr(error, "reason", "") or str(error)) from error
            raise ConnectionResetError(str(error)) from error
        session.give(given)
        code = await session.ended
        return Answer(code, bytes(session.output), session.said.decode(errors="replace"))


class _NothingRan(Exception):
    """The command did not reach the machine."""


class _Session(asyncssh.SSHClientSession[bytes]):
    """What one command is given and answers, up to `most` bytes."""

    channel: asyncssh.SSHClientChannel[bytes] | None = None  # once there is one, the command may have begun

    def __init__(self, most: int) -> None:
        self._most = most
        self._code: int | None = None
        self._is_over = False
        self.output, self.said = bytearray(), bytearray()
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self.channel = chan

    def give(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # it may have ended already, and want none
            if self.channel:
                self.channel.write(data)
                self.channel.write_eof()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if datatype is not None:
            self.said += data[: LONGEST_ERROR - len(self.said)]
        elif len(self.output) + len(data) <= self._most:
            self.output += data
        elif not self.ended.done():
            self.ended.set_exception(OverflowError())

    def exit_status_received(self, status: int) -> None:
        self._code = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self._code = KILLED + SIGNALS.get(signal, 0)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = True
        if self.ended.done():
            return
        if self._code is None:
            self.ended.set_exception(ConnectionResetError(str(exc or "no exit status came")))
        else:
            self.ended.set_result(self._code)

    def stop(self) -> None:
        """End what still runs."""
        self.ended.cancel()
        if self.channel and not self._is_over:  # a channel that has sent its end of input calls itself closing
            with contextlib.suppress(OSError):
                self.channel.kill()
                self.channel.abort()
