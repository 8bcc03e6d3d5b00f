"""Whether this `cm` and a portal understand each other: both tell their level of the REST API.

Looked at only where a portal says something else than this version would.
"""

import re
from typing import NamedTuple

from cloudmesh.config import Warn
from cloudmesh.version import API, OLDEST_API, VERSIONS, __version__

SAID = re.compile(r"(\S{1,40}); api=(\d{1,6}); oldest=(\d{1,6})")
UNKNOWN = ("See /api/v1/schema/.", "There is no field ", "There is no parameter ", "There is no filter ")


class Portal(NamedTuple):
    """What a portal says of itself: its version, its level, and the oldest level of a `cm` that it works with."""

    version: str
    api: int
    oldest: int

    @classmethod
    def parse(cls, said: str) -> "Portal | None":
        found = SAID.fullmatch(said)
        return cls(found[1], int(found[2]), int(found[3])) if found else None


def warn_of(said: str, url: str, warn: Warn | None) -> None:
    """Say it where the two are too far apart; a few levels more or less do no harm."""
    portal = Portal.parse(said)
    if portal is None:
        return
    if portal.api < OLDEST_API:
        text = (
            f"the portal at {url} is version {portal.version}, older than this cm ({__version__}) works with. Some "
            f"commands will fail; its operators can update it, or use cm {portal.version}."
        )
    elif portal.oldest > API:
        text = (
            f"this cm ({__version__}) is older than the portal at {url} ({portal.version}) works with. Some commands "
            "will fail. Update it: pip install -U cloudmesh-portal, or git pull in its clone."
        )
    else:
        return
    if warn:
        warn(text)
    else:
        import warnings

        warnings.warn(text, stacklevel=2)


def hint(message: str, said: str | None, url: str) -> str:
    """Why a portal may not know what it was asked; empty where that has nothing to do with its version."""
    if said == VERSIONS or not any(sign in message for sign in UNKNOWN):
        return ""
    portal = Portal.parse(said or "")
    if portal is None:
        return f"The portal at {url} does not tell its version. It may be older than this cm ({__version__})."
    if portal.api < API:
        return f"The portal at {url} ({portal.version}) is older than this cm ({__version__}) and may not know it yet."
    if portal.api > API:
        return f"This cm ({__version__}) is older than the portal at {url} ({portal.version}). Update it."
    return ""
