"""What `cm login` and `cm logout` write: the portals that somebody signed in to, for the commands after."""

import json
import os
import re

from cloudmesh import config
from cloudmesh.config import STANDALONE, Logins, Portal, keyring
from cloudmesh.errors import CloudmeshError, Invalid

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def name_for(url: str, wanted: str = "") -> str:
    """What a portal is called from now on: as wanted, as it was called before, or by its host. Raises Invalid."""
    if wanted == STANDALONE or not NAME.fullmatch(wanted or "x"):
        raise Invalid(
            f"{wanted!r} cannot be a profile's name: use up to 64 letters, digits, dots, dashes and underscores; "
            f"{STANDALONE} is a clone's own portal.",
            field="profile",
        )
    before = (name for name, known in config.read_logins().known.items() if known.url.rstrip("/") == url.rstrip("/"))
    return wanted or next(before, config.name_of(url))


def require_place() -> None:
    """Raises CloudmeshError where nothing can be kept: better said before somebody signs in."""
    folder = os.path.dirname(_path())
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        is_ours = os.access(folder, os.W_OK)
    except OSError as error:
        raise _unkept(error.strerror or str(error)) from error
    if not is_ours:
        raise _unkept("it may not be written")


def remember(portal: Portal, *, in_keyring: bool = False) -> str:
    """Keep a portal under its profile's name and choose it; answers where its token is, in words."""
    kept, path = config.read_logins(), config.logins_file()
    portal = portal._replace(source=path, in_keyring=in_keyring and keyring.keep(portal))
    _write(_chosen(kept._replace(known={**kept.known, portal.profile: portal}), portal.profile))
    return keyring.name() if portal.in_keyring else path


def choose(name: str) -> Portal:
    """Use a portal from now on; `standalone` is the clone's own. Raises NotFound."""
    found, kept = config.named(name), config.read_logins()
    if found.is_standalone and found.source in kept.instead_of:
        _write(kept._replace(instead_of=tuple(each for each in kept.instead_of if each != found.source)))
    elif not found.is_standalone:
        _write(_chosen(kept, name))
    return found


def forget(name: str) -> None:
    """Keep a portal and its token no longer. Raises NotFound."""
    found, kept = config.named(name), config.read_logins()
    if found.in_keyring:
        keyring.forget(found)
    left = {each: portal for each, portal in kept.known.items() if each != name}
    _write(kept._replace(known=left, chosen="" if kept.chosen == name else kept.chosen))


def _chosen(kept: Logins, name: str) -> Logins:
    """In a clone that runs a portal of its own, from now on over that."""
    own = config.standalone_portal()
    over = {*kept.instead_of, own.source} if own else kept.instead_of
    return kept._replace(chosen=name, instead_of=tuple(sorted(over)))


def _write(logins: Logins) -> None:
    path = _path()
    profiles = {
        name: {"url": portal.url, **({"in_keyring": True} if portal.in_keyring else {"token": portal.token})}
        for name, portal in logins.known.items()
    }
    new = f"{path}.{os.getpid()}"
    require_place()
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump({"chosen": logins.chosen, "instead_of": logins.instead_of, "profiles": profiles}, file, indent=1)
        os.replace(new, path)
    except OSError as error:
        raise _unkept(error.strerror or str(error)) from error


def _path() -> str:
    path = config.logins_file()
    if not os.path.isabs(path):
        raise CloudmeshError("There is no home folder to keep a login in. Set HOME or XDG_CONFIG_HOME to a folder.")
    return path


def _unkept(why: str) -> CloudmeshError:
    return CloudmeshError(
        f"The login cannot be kept in {config.logins_file()}: {why}. Set XDG_CONFIG_HOME to a folder that can be "
        "written, or use CLOUDMESH_URL and CLOUDMESH_TOKEN."
    )
