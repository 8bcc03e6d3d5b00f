"""What was typed in earlier sessions, in a file that only its owner reads; never a line with a secret in it."""

import contextlib
import os
import re

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

SECRET = re.compile(r"--token[ =]|\bcm_\w{8}|(token|password|secret|passphrase)\w*=", re.IGNORECASE)


class OwnHistory(FileHistory):
    """Lines with a secret are known until the session ends, and kept nowhere."""

    def __init__(self, path: str, token: str) -> None:
        super().__init__(path)
        self._token = token

    def store_string(self, string: str) -> None:
        if SECRET.search(string) or (self._token and self._token in string):
            return
        with contextlib.suppress(OSError):  # a full disk shall not end the session
            super().store_string(string)


def history_file() -> str:
    folder = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(folder, "cloudmesh", "history")


def open_history(token: str) -> tuple[History, str]:
    """The history, and a word about it where it will not last."""
    path = history_file()
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.fchmod(file, 0o600)
        finally:
            os.close(file)
    except OSError as error:
        return InMemoryHistory(), f"No history is kept: {path} cannot be written ({error.strerror})."
    return OwnHistory(path, token), ""
