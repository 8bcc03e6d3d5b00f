"""Which portal is meant and the token for it.

In this order: what is given (`--url`, `--token` or CLOUDMESH_URL, CLOUDMESH_TOKEN); the standalone portal of this
clone (`portal.json` in CLOUDMESH_STATE_DIR or below CLOUDMESH_HOME in `var`, written by `make run`); the portal of
the last `cm login`.
"""

import json
import os
from typing import Any, NamedTuple

from cloudmesh.errors import CloudmeshError, Unreachable


class Portal(NamedTuple):
    """A portal's address, the token that opens it, and the file that the token is from."""

    url: str
    token: str = ""
    source: str = ""

    @property
    def is_standalone(self) -> bool:
        return bool(self.source) and self.source == standalone_file()

    @property
    def how_to_start(self) -> str:
        if self.is_standalone:
            return f"Start it with: make -C {_home()} run"
        return "Is the address right, and the portal running? Another one is chosen with: cm login URL"

    @property
    def how_to_sign_in(self) -> str:
        if self.is_standalone:
            return f"The token in {self.source} is no longer good; a restart renews it: make -C {_home()} run"
        return f"Sign in with: cm login {self.url}"


def find_portal(url: str = "", token: str = "") -> Portal:
    """The portal to talk to. Raises Unreachable with what to do where none is known."""
    known = [portal for portal in map(_read, (standalone_file(), profile_file())) if portal]
    if url:
        saved = next((portal for portal in known if portal.url.rstrip("/") == url.rstrip("/")), Portal(url))
        return saved._replace(token=token, source="") if token else saved
    if not known:
        raise Unreachable(
            "No portal is known. Start your own with `make run` in a clone of Cloudmesh Portal, "
            "or sign in to one that runs: cm login URL"
        )
    return known[0]._replace(token=token, source="") if token else known[0]


def standalone_portal() -> Portal | None:
    """The portal of this clone, if it was started and is this person's."""
    return _read(standalone_file())


def remember(portal: Portal) -> str:
    """Keep a portal for the next commands, readable by its owner only; answers the file."""
    path = profile_file()
    new = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"url": portal.url, "token": portal.token}, file)
        os.replace(new, path)
    except OSError as error:
        raise CloudmeshError(
            f"The login could not be kept in {path}: {error.strerror}. Set XDG_CONFIG_HOME to a folder that can be "
            "written, or use CLOUDMESH_URL and CLOUDMESH_TOKEN."
        ) from error
    return path


def standalone_file() -> str:
    return os.path.join(os.environ.get("CLOUDMESH_STATE_DIR") or os.path.join(_home(), "var"), "portal.json")


def profile_file() -> str:
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(folder, "cloudmesh", "portal.json")


def _home() -> str:
    return os.path.abspath(os.environ.get("CLOUDMESH_HOME") or os.path.dirname(os.path.dirname(__file__)))


def _read(path: str) -> Portal | None:
    try:
        with open(path, encoding="utf-8") as file:
            saved: dict[str, Any] = json.load(file)
        return Portal(str(saved["url"]), str(saved["token"]), path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        return None  # another user's portal
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CloudmeshError(f"{path} cannot be read ({error}). Remove it and sign in again: cm login URL") from error
