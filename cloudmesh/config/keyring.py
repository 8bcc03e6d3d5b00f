"""Tokens in the keyring of the operating system, where there is one that works and is not locked.

The package `keyring` comes with `pip install cloudmesh-portal[keyring]`; it is loaded only when a profile says that
its token is there, and at `cm login`.
"""

import importlib
from collections.abc import Callable
from typing import Any

from cloudmesh.config import Portal
from cloudmesh.errors import CloudmeshError, NotAuthenticated

SERVICE = "cloudmesh"
RECOMMENDED = 1  # what those that encrypt say of themselves; none, null and plain text say less


class Locked(CloudmeshError):
    """There is no keyring, or it does not do what it is asked."""


def keep(portal: Portal) -> bool:
    """Whether the keyring has the token now; it is read back, since some take a secret and lose it."""
    try:
        _asked(lambda ring: ring.set_password(SERVICE, _account(portal), portal.token))
        return bool(_asked(lambda ring: ring.get_password(SERVICE, _account(portal))) == portal.token)
    except Locked:
        return False


def read(portal: Portal) -> str:
    """The token of a profile. Raises NotAuthenticated with what to do."""
    why = "it has no such token"
    try:
        token = _asked(lambda ring: ring.get_password(SERVICE, _account(portal)))
    except Locked as error:
        token, why = None, error.message
    if token:
        return str(token)
    raise NotAuthenticated(
        f"The token of the profile {portal.profile} is in a keyring that does not give it ({why}). Unlock it, or sign "
        f"in again with: cm login {portal.url} --profile {portal.profile}"
    )


def forget(portal: Portal) -> None:
    """What cannot be removed opens nothing any more: the portal has ended it."""
    try:
        _asked(lambda ring: ring.delete_password(SERVICE, _account(portal)))
    except Locked:
        return


def name() -> str:
    """What the keyring is called, for people."""
    return f"the keyring ({_asked(lambda ring: getattr(ring, 'name', 'unknown'))})"


def _asked(question: Callable[[Any], Any]) -> Any:
    """What the keyring answers. Raises Locked, whatever it raised: there are many, each with errors of its own."""
    try:
        ring = importlib.import_module("keyring").get_keyring()
        is_good = ring.priority >= RECOMMENDED
        answer = question(ring) if is_good else None
    except Exception as error:
        raise Locked(f"{type(error).__name__}: {error}") from error
    if not is_good:
        raise Locked("there is none here that works")
    return answer


def _account(portal: Portal) -> str:
    return f"{portal.profile} {portal.url}"
