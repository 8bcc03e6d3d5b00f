"""Somebody as a directory describes them, and who else wants to hear of it: projects, for their members."""

import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from accounts.models import User


@dataclasses.dataclass(frozen=True, kw_only=True)
class Person:
    """One entry of a directory, in this portal's words; empty is what the directory does not say."""

    dn: str
    username: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    ssh_keys: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    projects: Mapping[str, str] = dataclasses.field(default_factory=dict)  # name → role, as the rules map the groups
    portal_roles: frozenset[str] = frozenset()
    expires_on: datetime.date | None = None  # from that day on there is no signing in
    is_locked: bool = False

    def is_expired(self, today: datetime.date) -> bool:
        return self.expires_on is not None and today >= self.expires_on


class Sighting(NamedTuple):
    """A user, and what the directory has just said of them."""

    user: User
    person: Person


Follower = Callable[[Sequence[Sighting]], None]

_followers: list[Follower] = []


def follow(follower: Follower) -> Follower:
    """Have a function called with those whom a directory described, at their login and in the periodic sync."""
    _followers.append(follower)
    return follower


def tell(sightings: Sequence[Sighting]) -> None:
    for follower in _followers:
        follower(sightings)
