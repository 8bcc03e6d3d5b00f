"""Commands on the portal's own machine, as the one person a shell is for.

The portal's own user runs them as itself. A portal that runs as root runs them as anybody else, with that person's
groups; it runs none as root for anybody but itself. What it has in its own environment, secrets among them, is not
handed on.
"""

import contextlib
import os
import pathlib
import pwd
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from typing import IO, Any

from cloudmesh.errors import Busy, Refused, Unreachable
from hpc.backends.arguments import checked_environment, encoded
from hpc.drivers import LONGEST_ANSWER, Answer, Shell

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LONGEST_ERROR = 64 * 2**10  # bytes of standard error that are kept
CHUNK = 64 * 2**10
LEFT_OPEN = 0.5  # seconds that are waited for the output of what a command left running
NOT_THERE, NOT_ALLOWED = 127, 126  # what a shell ends with


class Local(Shell):
    """See the module. `environment` is what the scheduler's own commands need."""

    def __init__(self, login: str, *, environment: Mapping[str, str] | None = None, timeout: float = 20.0) -> None:
        self.login, self._timeout = login, timeout
        self._environment = checked_environment(environment or {})

    def __repr__(self) -> str:
        return f"Local({self.login!r})"

    def run(
        self, *command: str, given: bytes = b"", timeout: float | None = None, most: int = LONGEST_ANSWER
    ) -> Answer:
        arguments, person = encoded(command), _person(self.login)
        seconds = self._timeout if timeout is None else timeout
        try:
            process = self._start(arguments, person)
        except FileNotFoundError:
            return Answer(NOT_THERE, b"", f"{command[0]}: not found on the portal's machine")
        except (PermissionError, NotADirectoryError) as error:
            return Answer(NOT_ALLOWED, b"", f"{command[0]}: {error.strerror}")
        except (OSError, subprocess.SubprocessError) as error:
            raise Unreachable(f"{command[0]} could not be started: {error}.") from error
        with process, _ended(process):
            talk = _Talk(process, given, most)
            try:
                talk.through(time.monotonic() + seconds)
            except TimeoutError:
                raise Busy(f"{command[0]} has not ended after {seconds:g} s and was stopped. Try again.") from None
            except OverflowError:
                raise Busy(f"{command[0]} answered more than {most} bytes and was stopped.") from None
            return Answer(_code(process), bytes(talk.output), talk.said.decode(errors="replace"))

    def _start(self, arguments: list[bytes], person: pwd.struct_passwd) -> subprocess.Popen[bytes]:
        home = person.pw_dir if pathlib.Path(person.pw_dir).is_dir() else "/"
        names = dict.fromkeys(("USER", "LOGNAME"), person.pw_name)
        other = person.pw_uid != os.geteuid()
        return subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=home,
            env={"PATH": PATH, "LANG": "C.UTF-8", "HOME": home, "SHELL": "/bin/sh", **names, **self._environment},
            user=person.pw_uid if other else None,
            group=person.pw_gid if other else None,
            extra_groups=os.getgrouplist(person.pw_name, person.pw_gid) if other else None,
            umask=0o022,
            start_new_session=True,
        )


def _person(login: str) -> pwd.struct_passwd:
    """The account of a login; raises Refused where the portal may not act as it."""
    own = pwd.getpwuid(os.geteuid())
    try:
        person = pwd.getpwnam(login)
    except (KeyError, ValueError):  # unknown, or no name at all
        raise Refused(
            f"The portal's machine knows no user {login[:64]!r}. Choose a login that exists there, or have it made."
        ) from None
    if person.pw_uid not in (own.pw_uid, 0) and own.pw_uid == 0:
        return person
    if person.pw_uid != own.pw_uid:
        raise Refused(
            f"The portal runs as {own.pw_name} and cannot run commands as {login}. Reach this scheduler through ssh, "
            f"or use the login {own.pw_name}."
        )
    return person


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Nothing of a command goes on once its answer is not waited for any more."""
    try:
        yield
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


class _Talk:
    """What goes into a process and comes out of it, until it and its outputs have ended."""

    def __init__(self, process: subprocess.Popen[bytes], given: bytes, most: int) -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._process, self._left, self._most = process, memoryview(given), most
        self._stdin, self._stdout = process.stdin, process.stdout
        self.output, self.said = bytearray(), bytearray()
        self._watch = selectors.DefaultSelector()
        for stream in (process.stdin, process.stdout, process.stderr):
            os.set_blocking(stream.fileno(), False)
            writes = stream is process.stdin
            self._watch.register(stream, selectors.EVENT_WRITE if writes else selectors.EVENT_READ)

    def through(self, end: float) -> None:
        """All of it, until the instant `end` of the monotonic clock; raises TimeoutError, OverflowError."""
        with self._watch:
            while self._watch.get_map():
                ready = self._watch.select(max(0.0, min(LEFT_OPEN, end - time.monotonic())))
                for key, _ in ready:
                    self._step(key.fileobj)
                if not ready and self._process.poll() is not None:
                    break  # what it left running has its output still
                if time.monotonic() > end:
                    raise TimeoutError
        try:
            self._process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error

    def _step(self, stream: Any) -> None:
        if stream is self._stdin:
            return self._write()
        try:
            data = os.read(stream.fileno(), CHUNK)
        except BlockingIOError:
            return None
        if not data:
            return self._close(stream)
        if stream is not self._stdout:
            self.said += data[: LONGEST_ERROR - len(self.said)]
        elif len(self.output) + len(data) > self._most:
            raise OverflowError
        else:
            self.output += data
        return None

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                self._left = self._left[os.write(self._stdin.fileno(), self._left[:CHUNK]) :]
            except BrokenPipeError:  # it does not want to know more
                self._left = self._left[:0]
            if not self._left:
                self._close(self._stdin)

    def _close(self, stream: IO[bytes]) -> None:
        self._watch.unregister(stream)
        stream.close()


def _code(process: subprocess.Popen[bytes]) -> int:
    """As shells tell it: a signal is 128 and its number."""
    return 128 - process.returncode if process.returncode < 0 else process.returncode
