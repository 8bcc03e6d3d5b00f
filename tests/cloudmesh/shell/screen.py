"""What a person sees who uses `cm` on a terminal: its writing as a real one would show it."""

import contextlib
import re
from collections.abc import Iterator

import pyte

from tests.cloudmesh.shell.terminal import Terminal, terminal

COLUMNS, LINES = 120, 40


class Screen:
    """A terminal with `cm` on it; what it shows when nothing comes any more is the failure of whoever waits."""

    def __init__(self, opened: Terminal) -> None:
        self._terminal = opened
        self._screen = pyte.HistoryScreen(COLUMNS, LINES, history=5000)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        """What was and is there, line by line, the last one with the cursor."""
        gone = ["".join(row[at].data for at in range(COLUMNS)) for row in self._screen.history.top]
        return [line.rstrip() for line in [*gone, *self._screen.display[: self._screen.cursor.y + 1]]]

    @property
    def below(self) -> str:
        """What is shown under the cursor, as the menu of completions."""
        return "\n".join(self._screen.display[self._screen.cursor.y + 1 :])

    def shows(self, pattern: str) -> str:
        """Wait until a line matches; answers it."""
        while not (found := [line for line in self.lines if re.search(pattern, line)]):
            self._read()
        return found[-1]

    def prompts(self, typed: str = "") -> None:
        """Wait until the cursor is behind a prompt and what was typed there."""
        wanted = re.compile(rf"cm [\w-]+/[\w-]*>{re.escape(f' {typed}'.rstrip())}")
        while not wanted.fullmatch(self.lines[-1]):
            self._read()

    def offers(self, *words: str) -> str:
        """Wait until all the words are offered below the cursor; answers what is."""
        while not all(word in self.below for word in words):
            self._read()
        return self.below

    def type(self, text: str) -> None:
        self._terminal.type(text)

    def does(self, line: str) -> list[str]:
        """Type a line and answer what was written until the next prompt."""
        return self.after(f"{line}\r")

    def after(self, keys: str) -> list[str]:
        """Type and answer what was written below until the next prompt."""
        begun = len(self.lines)
        self.type(keys)
        while len(self.lines) == begun:
            self._read()
        self.prompts()
        return self.lines[begun:-1]

    def end(self) -> int:
        with contextlib.suppress(OSError):  # the other side was closed
            while True:
                self._read()
        return self._terminal.process.wait(60)

    def _read(self) -> None:
        try:
            self._stream.feed(self._terminal.receive())
        except TimeoutError:
            raise AssertionError("\n".join([*self.lines, "-- the cursor is above --", self.below])) from None


@contextlib.contextmanager
def screen(*arguments: str, **env: str) -> Iterator[Screen]:
    with terminal(*arguments, columns=COLUMNS, PROMPT_TOOLKIT_NO_CPR="1", **env) as opened:
        yield Screen(opened)
