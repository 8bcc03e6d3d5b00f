"""Who is there still: the whole directory against the users it has here, all at once.

A directory that is half there must not suspend half the users: an answer that is too small to be true changes nothing.
"""

import collections
import dataclasses
import logging

from accounts.backends import persons
from accounts.backends.ldap import people
from accounts.backends.ldap.config import Config
from accounts.backends.ldap.directory import Directory
from accounts.backends.persons import Person, Sighting
from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import CloudmeshError, Conflict, Invalid

FEW = 4  # users; of fewer than that all but one may leave at once

log = logging.getLogger(__name__)


@dataclasses.dataclass
class Census:
    """What one reading of the directory changed."""

    entries: int = 0
    users: int = 0
    refreshed: list[str] = dataclasses.field(default_factory=list)
    suspended: list[str] = dataclasses.field(default_factory=list)
    resumed: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        counts = (f"{len(getattr(self, what))} {what}" for what in ("refreshed", "suspended", "resumed"))
        return f"{self.entries} people in the directory, {self.users} of them known here: {', '.join(counts)}"


def take(directory: Directory, config: Config, *, force: bool = False) -> Census:
    """Bring all users of the directory up to date. Raises DriverError, Invalid and Conflict, having changed nothing."""
    try:
        if not config.bind_dn:
            raise Invalid("Without bind_dn the directory cannot be searched, so nobody is suspended or refreshed.")
        entries = directory.everybody()
        known = people.known_users()
        found = _by_name(entries)
        if not force:
            _require_plausible(len(entries), known, found)
    except CloudmeshError as error:
        log.error("Nothing was changed by the reading of the directory: %s", error)
        lifecycle.note(kind="directory", verb="not_read", topic="portal", reason=error.message)
        raise
    return _apply(known, found, entries, config)


def _apply(known: list[User], found: dict[str, Person | None], entries: list[Person], config: Config) -> Census:
    census = Census(len(entries), len(known))
    sightings = []
    for user in known:
        name = user.username.casefold()
        person = found.get(name)
        if name in found and person is None:
            continue  # two entries of one name: whose it is cannot be told
        reason = people.reason_against(person) if person else people.GONE
        if person and not reason:
            sightings.append(Sighting(user, person))
            _keep(user, person, config, census)
        elif user.is_active:
            people.suspend(user, reason)
            census.suspended.append(user.username)
    persons.tell(sightings)
    log.info("%s", census)
    return census


def _keep(user: User, person: Person, config: Config, census: Census) -> None:
    if not user.is_active:
        people.resume(user)
        census.resumed.append(user.username)
    if people.refresh(user, person, config):
        census.refreshed.append(user.username)


def _by_name(entries: list[Person]) -> dict[str, Person | None]:
    """None for a name that several have."""
    counts = collections.Counter(person.username.casefold() for person in entries)
    found = {person.username.casefold(): person for person in entries}
    return {name: person if counts[name] == 1 else None for name, person in found.items()}


def _require_plausible(entries: int, known: list[User], found: dict[str, Person | None]) -> None:
    active = [user for user in known if user.is_active]
    there = sum(user.username.casefold() in found for user in active)
    if active and (not entries or (len(active) >= FEW and 2 * there < len(active))):
        raise Conflict(
            f"The directory answers with {entries} people, among them {there} of the {len(active)} users that it has "
            "here. That is too little to be true, so nothing was changed. If it is true, run: manage.py ldap sync "
            "--force"
        )
