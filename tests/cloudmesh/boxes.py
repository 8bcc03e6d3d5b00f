"""Keyrings as systems have them, for tests: one that keeps secrets in a file, and those that must not be used."""

import json
import os
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class Box(KeyringBackend):
    """Works; what it keeps is in the file KEYRING_BOX."""

    priority: Any = 5
    name: Any = "Box"

    def get_password(self, service: str, username: str) -> str | None:
        return self._kept().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._kept(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        self._write({name: value for name, value in self._kept().items() if name != f"{service} {username}"})

    def _kept(self) -> dict[str, str]:
        path = Path(os.environ["KEYRING_BOX"])
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _write(self, kept: dict[str, str]) -> None:
        Path(os.environ["KEYRING_BOX"]).write_text(json.dumps(kept))


class LockedBox(Box):
    """Nobody has entered its password."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("The box is locked.")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("The box is locked.")


class OpenBox(Box):
    """Keeps secrets as plain text, and says so."""

    priority: Any = 0.5


class LosingBox(Box):
    """Takes a secret and forgets it."""

    def _write(self, kept: dict[str, str]) -> None:
        return
