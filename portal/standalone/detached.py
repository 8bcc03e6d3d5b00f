"""A start that gives the terminal back: the supervisor in a process of its own, heard until it runs."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable

RUNS = b"\0"  # what it says last when it goes on in the background


class Detached:
    """A child without a terminal that does the work; what it says goes through a pipe to whoever waits for it."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()

    def run(self, work: Callable[[], int]) -> int:
        """The exit code of what ended, or 0 once it `let_go`."""
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            self._work(work)
        os.close(self._writer)
        try:
            said = self._listen()
        except KeyboardInterrupt:
            os.kill(pid, signal.SIGTERM)
            said = self._listen()
        return 0 if said.endswith(RUNS) else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def let_go(self) -> None:
        """In the child: all is told, it goes on alone."""
        with contextlib.suppress(OSError):  # nobody waits any more
            os.write(1, RUNS)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(nothing, stream)
        os.close(nothing)

    def _work(self, work: Callable[[], int]) -> None:
        os.setsid()
        os.close(self._reader)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, stream in ((nothing, 0), (self._writer, 1), (self._writer, 2)):
            os.dup2(source, stream)
        os.close(nothing)
        os.close(self._writer)
        code = 1
        try:
            code = work()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _listen(self) -> bytes:
        """What it says, shown as it comes, until it falls silent for good."""
        last = b""
        while said := os.read(self._reader, 65_536):
            os.write(1, said.rstrip(RUNS))
            last = said
        return last
