"""Asking a directory: the first server that answers, search-then-bind or direct bind, people and their groups."""

import dataclasses
import datetime
import functools
import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from accounts.backends.ldap import wire
from accounts.backends.ldap.config import NAME, Address, Config, Group, same_dn
from accounts.backends.ldap.wire import Bound, Entry, Failed, Wire
from accounts.backends.persons import Person
from cloudmesh.errors import Refused, Unreachable

Result = TypeVar("Result")

REST = 30  # seconds that a server which failed is asked last
FOREVER = "000001010000"  # pwdAccountLockedTime of an account that only an administrator unlocks
EPOCH = datetime.date(1970, 1, 1)
MEMBER_OF, EXPIRES, LOCKED = "memberOf", "shadowExpire", "pwdAccountLockedTime"
NAMED, MEMBERS = "memberUid", ("member", "uniqueMember")
GROUPS = "(|(objectClass=posixGroup)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))"
FIRST_NAME = re.compile(r"[^=]+=((?:\\.|[^,+\\])*)")  # the value that a DN begins with

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Answer:
    """How signing in ended, and as whom, if the directory told."""

    bound: Bound
    person: Person | None = None


class Directory:
    """Raises Unreachable when no server answers, Refused when none lets this portal search."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._resting: dict[Address, float] = {}

    def sign_in(self, name: str, password: str) -> Answer:
        """Try `password` for the person of this name or address; an empty one is never sent."""
        if not name.strip() or not password:
            return Answer(Bound.WRONG)
        work = self._bind_at_once if self._config.people.dn_template else self._search_then_bind
        return self._ask(lambda address: work(address, name.strip(), password))

    def find(self, name: str) -> Person | None:
        """The one person of this name or address, as the service DN sees them."""

        def look(address: Address) -> Person | None:
            with self.service(address) as service:
                return self._find(service, name)

        return self._ask(look)

    def everybody(self) -> list[Person]:
        """All people with all their groups, in pages; all or, raising, nobody."""

        def read(address: Address) -> list[Person]:
            with self.service(address) as service:
                entries = service.search(self._config.people.base, self._config.people.filter, self._wanted)
                groups = _Members(self._read_groups(service, GROUPS))
            return [self._person(entry, groups.of(entry, self._username(entry))) for entry in entries]

        return self._ask(read)

    def service(self, address: Address) -> Wire:
        """A connection as the service DN."""
        opened = Wire(address, self._config)
        bound = opened.bind(self._config.bind_dn, self._config.bind_password)
        if bound is not Bound.WELCOME:
            opened.close()
            raise Refused(
                f"The directory {address} does not let {self._config.bind_dn or 'nobody in particular'} search "
                f"({bound}): check bind_dn and its password."
            )
        return opened

    def _ask(self, work: Callable[[Address], Result]) -> Result:
        """Let the servers try in turn; those that failed lately come last."""
        problems = []
        now = time.monotonic()
        for address in sorted(self._config.addresses, key=lambda each: self._resting.get(each, 0) > now):
            try:
                found = work(address)
            except Failed as error:
                log.warning("The directory %s failed: %s", address, error)
                self._resting[address] = time.monotonic() + REST
                problems.append(f"{address}: {error}")
            else:
                self._resting.pop(address, None)
                return found
        raise Unreachable(f"No directory answers: {'; '.join(problems)}.")

    def _search_then_bind(self, address: Address, name: str, password: str) -> Answer:
        with self.service(address) as service:
            person = self._find(service, name)
        dn = person.dn if person else self._nobody(name)  # as slow as a wrong password: names cannot be probed
        with Wire(address, self._config) as own:
            bound = own.bind(dn, password)
        return Answer(bound, person) if person else Answer(Bound.WRONG)

    def _bind_at_once(self, address: Address, name: str, password: str) -> Answer:
        dn = self._config.people.dn_template.replace(NAME, wire.escape_dn(name))
        with Wire(address, self._config) as own:
            bound = own.bind(dn, password)
            if bound is not Bound.WELCOME:
                return Answer(bound)
            if not self._config.bind_dn:
                return Answer(bound, self._read(own, dn, name))
        with self.service(address) as service:
            return Answer(bound, self._read(service, dn, name))

    def _find(self, service: Wire, name: str) -> Person | None:
        """Nobody too when several fit: which of them signs in is not ours to choose."""
        names = self._config.people.attributes
        word = wire.escape_filter(name)
        wanted = [f"({names.username}={word})", *([f"({names.email}={word})"] if "@" in name else [])]
        who = f"(&{self._config.people.filter}(|{''.join(wanted)}))"
        entries = service.search(self._config.people.base, who, self._wanted, most=2)
        if len(entries) > 1:
            log.warning("The directory has several entries for one name: %s", ", ".join(each.dn for each in entries))
        return self._with_groups(service, entries[0], name) if len(entries) == 1 else None

    def _read(self, own: Wire, dn: str, name: str) -> Person | None:
        entries = own.search(dn, self._config.people.filter, self._wanted, scope=wire.BASE)
        return self._with_groups(own, entries[0], name) if entries else None

    def _nobody(self, name: str) -> str:
        return f"{self._config.people.attributes.username}={wire.escape_dn(name)},{self._config.people.base}"

    def _with_groups(self, wire_: Wire, entry: Entry, name: str) -> Person:
        username, dn = wire.escape_filter(self._username(entry, name)), wire.escape_filter(entry.dn)
        clauses = [f"({NAMED}={username})", *(f"({member}={dn})" for member in MEMBERS)]
        groups = _Members(self._read_groups(wire_, f"(&{GROUPS}(|{''.join(clauses)}))"))
        return self._person(entry, groups.of(entry, self._username(entry, name)), name)

    def _read_groups(self, wire_: Wire, which: str) -> list[Entry]:
        """Of the configured places only: a group elsewhere that has a telling name means nothing."""
        attributes = ["cn", NAMED, *MEMBERS]
        return [entry for base in self._config.groups.bases for entry in wire_.search(base, which, attributes)]

    @functools.cached_property
    def _wanted(self) -> list[str]:
        names = dataclasses.astuple(self._config.people.attributes)
        return [*dict.fromkeys(names), MEMBER_OF, EXPIRES, LOCKED]

    def _username(self, entry: Entry, typed: str = "") -> str:
        """Of several user names of one entry the one that was typed."""
        known = entry.all(self._config.people.attributes.username)
        return next((name for name in known if name.casefold() == typed.casefold()), next(iter(known), ""))

    def _person(self, entry: Entry, groups: Iterable[Group], typed: str = "") -> Person:
        names, people = self._config.people.attributes, self._config.people
        username = self._username(entry, typed)
        known = [*groups, *self._member_of(entry)]
        known = list({same_dn(group.dn): group for group in known}.values())
        made_up = f"{username}@{people.email_domain}" if people.email_domain else ""
        return Person(
            dn=entry.dn,
            username=username,
            email=entry.first(names.email) or made_up,
            first_name=entry.first(names.first_name),
            last_name=entry.first(names.last_name),
            phone=entry.first(names.phone),
            ssh_keys=entry.all(names.ssh_keys),
            groups=tuple(sorted(group.name for group in known)),
            projects=self._config.projects_of(known),
            portal_roles=self._config.portal_roles_of(known),
            expires_on=expiry(entry.first(EXPIRES)),
            is_locked=_is_locked(entry.first(LOCKED), timed_too=people.timed_locks_suspend),
        )

    def _member_of(self, entry: Entry) -> list[Group]:
        """What the entry itself says, if it stands in one of the configured places."""
        bases = tuple(f",{same_dn(base)}" for base in self._config.groups.bases)
        told = [dn for dn in entry.all(MEMBER_OF) if same_dn(dn).endswith(bases or ("\0",))]
        return [Group(match[1], dn) for dn in told if (match := FIRST_NAME.match(dn))]


class _Members:
    """Groups by their members: user names (posixGroup) and DNs (groupOfNames)."""

    def __init__(self, groups: Iterable[Entry]) -> None:
        self._groups: dict[str, set[Group]] = defaultdict(set)
        for entry in groups:
            group = Group(entry.first("cn"), entry.dn)
            for name in entry.all(NAMED):
                self._groups[f"uid {name}"].add(group)
            for attribute in MEMBERS:
                for dn in entry.all(attribute):
                    self._groups[same_dn(dn)].add(group)

    def of(self, entry: Entry, username: str) -> set[Group]:
        return self._groups.get(f"uid {username}", set()) | self._groups.get(same_dn(entry.dn), set())


@functools.lru_cache(maxsize=4)
def directory(config: Config) -> Directory:
    """One for a process: it remembers which servers failed."""
    return Directory(config)


def expiry(days: str) -> datetime.date | None:
    """The first day without access, from shadowExpire: days since 1970, negative for never (shadow(5))."""
    try:
        count = int(days)
        return EPOCH + datetime.timedelta(days=count) if count >= 0 else None
    except (ValueError, OverflowError):  # none, no number, or one beyond all calendars
        return None


def _is_locked(since: str, *, timed_too: bool) -> bool:
    """Locked by an administrator; wrong passwords lock too, but end nobody's tokens unless the site wants that."""
    return since.startswith(FOREVER) or bool(since and timed_too)
