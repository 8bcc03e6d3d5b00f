"""Which portal is meant and the token for it.

In this order: what is given (`--url`, `--token` or CLOUDMESH_URL, CLOUDMESH_TOKEN); the profile that is named
(`--profile` or CLOUDMESH_PROFILE); the standalone portal of this clone (`portal.json` in CLOUDMESH_STATE_DIR or below
CLOUDMESH_HOME in `var`), unless another was chosen in the clone since; the profile of the last `cm login`.

What `cm login` keeps is written by `cloudmesh.config.logins`.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloudmesh.errors import CloudmeshError, Invalid, NotFound, Unreachable, near

STANDALONE = "standalone"  # what a clone's own portal is called among the profiles
Warn = Callable[[str], None]


class Portal(NamedTuple):
    """A portal's address, the token that opens it, and by what name and from which file they are known."""

    url: str
    token: str = ""
    profile: str = ""
    source: str = ""
    in_keyring: bool = False  # where the token is, if not beside the address

    def __repr__(self) -> str:
        return f"Portal({self.url!r}, profile={self.profile!r}, source={self.source!r})"  # without the token

    @property
    def is_standalone(self) -> bool:
        return self.profile == STANDALONE

    @property
    def how_to_start(self) -> str:
        if self.is_standalone:
            return "Start it with: cm server start"
        return "Is the address right, and the portal running? Another one is chosen with: cm login --use NAME"

    @property
    def how_to_sign_in(self) -> str:
        if self.token and not self.source:
            return (
                f"The token that was given opens nothing at {self.url}: it ended, or is for another portal. Is "
                f"CLOUDMESH_TOKEN set? Sign in with: cm login {self.url}"
            )
        if self.is_standalone:
            return f"The token in {self.source} is no longer good; a restart renews it: cm server stop, cm server start"
        return f"Sign in with: cm login {self.url}{f' --profile {self.profile}' if self.profile else ''}"


class Logins(NamedTuple):
    """What `cm login` keeps: the portals by their names, which one was chosen, and in which clones over their own."""

    known: Mapping[str, Portal] = {}
    chosen: str = ""
    instead_of: tuple[str, ...] = ()  # the files of those clones' own portals


def find_portal(url: str = "", token: str = "", profile: str = "", warn: Warn | None = None) -> Portal:
    """The portal to talk to. Raises Unreachable, NotFound or NotAuthenticated with what to do where there is none."""
    if url and profile:
        raise Invalid(f"Say either the portal {url} or the profile {profile}, not both.")
    found = _at(url, warn) if url else named(profile, warn) if profile else _usual(warn)
    if token:
        return found._replace(token=token, source="")
    if found.in_keyring:
        from cloudmesh.config import keyring

        return found._replace(token=keyring.read(found))
    return found


def standalone_portal(warn: Warn | None = None) -> Portal | None:
    """The portal of this clone, if it was started and is this person's."""
    path = standalone_file()
    saved = _read(path, warn)
    return None if saved is None else _portal(STANDALONE, saved, path)


def read_logins(warn: Warn | None = None) -> Logins:
    """All that `cm login` kept; tokens that a keyring has are not looked up."""
    path = logins_file()
    saved = _read(path, warn)
    if saved is None:
        return Logins()
    if "profiles" not in saved:  # of a cm that knew one portal
        only = _portal("", saved, path)
        name = name_of(only.url)
        return Logins({name: only._replace(profile=name)}, name)
    known = _typed(saved, "profiles", dict, path)
    instead_of = _typed(saved, "instead_of", list, path) if "instead_of" in saved else []
    return Logins(
        {name: _portal(name, each, path) for name, each in known.items()},
        str(saved.get("chosen", "")),
        tuple(map(str, instead_of)),
    )


def portals(warn: Warn | None = None) -> list[Portal]:
    """Every portal that is known here, the clone's own first."""
    own = standalone_portal(warn)
    return [*([own] if own else []), *read_logins(warn).known.values()]


def name_of(url: str) -> str:
    """What a profile is called that nobody named: the host of its portal, with the port if it says one."""
    host = url.partition("//")[2].partition("/")[0].lower()
    signs = (char if char.isascii() and (char.isalnum() or char in "._") else "-" for char in host)
    return "".join(signs).strip("-._")[:64] or "portal"


def standalone_file() -> str:
    return os.path.join(os.environ.get("CLOUDMESH_STATE_DIR") or os.path.join(clone(), "var"), "portal.json")


def logins_file() -> str:
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(folder, "cloudmesh", "portal.json")


def clone() -> str:
    """The clone that this `cm` is of; what pip installed is of none, whose files are not there."""
    home = os.environ.get("CLOUDMESH_HOME") or os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    return os.path.abspath(home)


def _at(url: str, warn: Warn | None) -> Portal:
    """An address, with the token that is known for it and no other."""
    known = (portal for portal in portals(warn) if portal.url.rstrip("/") == url.rstrip("/"))
    return next(known, Portal(url))


def named(name: str, warn: Warn | None = None) -> Portal:
    """The portal that is called so; its token not looked up where a keyring has it. Raises NotFound."""
    own = standalone_portal(warn) if name == STANDALONE else None
    if own:
        return own
    if name == STANDALONE:
        raise NotFound("This cm has no portal of its own that was started. Start one with: cm server start")
    known = read_logins(warn).known
    if name not in known:
        raise NotFound(f"There is no profile {name}.{near(name, known)} Make it with: cm login URL --profile {name}")
    return known[name]


def chosen(kept: Logins, warn: Warn | None = None) -> Portal | None:
    """The portal that commands talk to unless they name another."""
    own = None if standalone_file() in kept.instead_of else standalone_portal(warn)
    return own or kept.known.get(kept.chosen)


def _usual(warn: Warn | None) -> Portal:
    kept = read_logins(warn)
    if found := chosen(kept, warn):
        return found
    if kept.known:
        raise Unreachable(f"You are signed out. Choose a portal with: cm login --use {' or '.join(kept.known)}")
    raise Unreachable(
        "No portal is known. Start your own in a clone of Cloudmesh Portal with `cm server start` or `make run`, "
        "or sign in to one that runs: cm login URL"
    )


def _read(path: str, warn: Warn | None) -> dict[str, Any] | None:
    """What a file of ours says; nothing where there is none, or it is somebody else's."""
    try:
        with open(path, encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            saved = json.load(file)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except json.JSONDecodeError as error:
        raise _broken(path, f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (OSError, ValueError) as error:
        raise _broken(path, str(error)) from error
    if not isinstance(saved, dict):
        raise _broken(path, "line 1, column 1: it is no object, {…}")
    if mode & 0o077 and warn:
        warn(f"others on this machine can read the token in {path}. Mend it with: chmod 600 {path}")
    return saved


def _portal(name: str, saved: Any, path: str) -> Portal:
    if not isinstance(saved, dict):
        raise _broken(path, f"the profile {name} is no object, {{…}}")
    in_keyring = saved.get("in_keyring") is True
    token = "" if in_keyring else _typed(saved, "token", str, path)
    return Portal(_typed(saved, "url", str, path), token, name, path, in_keyring)


def _typed(saved: dict[str, Any], key: str, kind: type, path: str) -> Any:
    if not isinstance(saved.get(key), kind):
        raise _broken(path, f"{key} is missing" if key not in saved else f"{key} is of the wrong kind")
    return saved[key]


def _broken(path: str, why: str) -> CloudmeshError:
    return CloudmeshError(f"{path} cannot be read ({why}). Mend it, or remove it and sign in again: cm login URL")
