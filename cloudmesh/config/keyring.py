"""Tokens in the keyring of the operating system, where there is one that works and is not locked.

The package `keyring` comes with `pip install cloudmesh-portal[keyring]`; it is loaded only when a profile says that
its token is there, and at `cm login`.
"""

import importlib
from typing import Any

from cloudmesh.config import Portal
from cloudmesh.errors import NotAuthenticated

SERVICE = "cloudmesh"
RECOMMENDED = 1  # what those that encrypt say of themselves; none, null and plain text say less


def keep(portal: Portal) -> bool:
    """Whether the keyring has the token now; it is read back, since some take a secret and lose it."""
    found = _keyring()
    if found is None:
        return False
    try:
        found.set_password(SERVICE, _account(portal), portal.token)
        return bool(found.get_password(SERVICE, _account(portal)) == portal.token)
    except Exception:  # what a keyring raises is its own: locked, cancelled, no bus
        return False


def read(portal: Portal) -> str:
    """The token of a profile. Raises NotAuthenticated with what to do."""
    found, why = _keyring(), "it has no such token"
    try:
        token = found.get_password(SERVICE, _account(portal)) if found else None
    except Exception as error:  # as above
        token, why = None, f"{type(error).__name__}: {error}"
    if token:
        return str(token)
    if found is None:
        why = "there is none here that works"
    raise NotAuthenticated(
        f"The token of the profile {portal.profile} is in a keyring that does not give it ({why}). Unlock it, or sign "
        f"in again with: cm login {portal.url} --profile {portal.profile}"
    )


def forget(portal: Portal) -> None:
    found = _keyring()
    try:
        if found:
            found.delete_password(SERVICE, _account(portal))
    except Exception:  # as above; the portal has ended the token
        return


def name() -> str:
    """What the keyring is called, for people."""
    return f"the keyring ({getattr(_keyring(), 'name', 'unknown')})"


def _keyring() -> Any:
    """The backend that the package `keyring` found; nothing where that would not keep a secret."""
    try:
        backend = importlib.import_module("keyring").get_keyring()
        return backend if backend.priority >= RECOMMENDED else None
    except Exception:  # not installed, or its choice of backend failed
        return None


def _account(portal: Portal) -> str:
    return f"{portal.profile} {portal.url}"
