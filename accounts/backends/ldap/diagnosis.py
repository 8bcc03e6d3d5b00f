"""Why somebody can sign in with the directory or not, step by step; the words of `manage.py ldap check`."""

import dataclasses
import socket
from collections.abc import Iterator

from django.utils import timezone

from accounts.backends.ldap import people
from accounts.backends.ldap.backend import SAYS
from accounts.backends.ldap.config import Address, Config
from accounts.backends.ldap.directory import Directory
from accounts.backends.ldap.wire import Bound, Failed, Wire
from accounts.backends.persons import Person
from accounts.models import User
from cloudmesh.errors import DriverError


@dataclasses.dataclass(frozen=True)
class Step:
    text: str
    is_right: bool = True


def examine(config: Config, name: str, password: str = "") -> Iterator[Step]:
    """Each step of signing in as `name`; the password is tried when there is one."""
    reached = []
    for address in config.addresses:
        step = _reach(address, config)
        reached.append(step.is_right)
        yield step
    if not any(reached):
        yield Step("No server can be used, so nobody of the directory signs in.", False)
        return
    directory = Directory(config)
    person = None
    if config.bind_dn:
        try:
            person = directory.find(name)
        except DriverError as error:
            yield Step(error.message, False)
            return
        yield Step(f"{config.bind_dn} may search under {config.people.base}.")
    else:
        yield Step("There is no bind_dn: people bind as themselves, and nothing is read between their logins.")
    if password:
        answer = directory.sign_in(name, password)
        person = person or answer.person
        yield _password(answer.bound)
    yield from _person(config, person, name, tried=bool(password or config.bind_dn))


def _reach(address: Address, config: Config) -> Step:
    trust = config.ca_file or "the system's authorities"
    how = "TLS" if address.is_ldaps else "StartTLS"
    try:
        with Wire(address, config) as wire:
            until = wire.certificate.get("notAfter", "")
    except Failed as error:
        words = f"{address} cannot be used: {error}."
        return Step(f"{words} {_hint(address, config)}".strip(), False)
    return Step(f"{address} answers; {how} with a certificate that {trust} vouches for, until {until}.")


def _hint(address: Address, config: Config) -> str:
    """Whether it is the way to the server, or what comes after it."""
    try:
        socket.create_connection((address.host, address.port), timeout=config.connect_seconds).close()
    except OSError:
        return "Check its name and port, and the firewalls on the way."
    return "The port is open: check ca_file, the name in the certificate, and whether the port is the one of ldaps."


def _password(bound: Bound) -> Step:
    if bound is Bound.WELCOME:
        return Step("The password is right.")
    return Step(SAYS.get(bound, "The name and the password do not go together."), False)


def _person(config: Config, person: Person | None, name: str, *, tried: bool) -> Iterator[Step]:
    if person is None:
        if tried:
            where = f"under {config.people.base} with {config.people.filter}"
            yield Step(f"There is no entry, or more than one, for {name} {where}.", False)
        return
    yield Step(f"The entry is {person.dn}.")
    yield from _attributes(config, person)
    yield from _groups(config, person)
    if problem := people.reason_against(person):
        yield Step(problem, False)
    elif person.expires_on:
        yield Step(f"Not locked; expires on {person.expires_on} (shadowExpire).")
    else:
        yield Step("Neither locked nor with an end.")
    yield _account(person)


def _attributes(config: Config, person: Person) -> Iterator[Step]:
    names = config.people.attributes
    yield Step(f"User name ({names.username}): {person.username or 'none'}.", bool(person.username))
    for label, name, value in (
        ("E-mail", names.email, person.email),
        ("First name", names.first_name, person.first_name),
        ("Last name", names.last_name, person.last_name),
        ("Phone", names.phone, person.phone),
    ):
        yield Step(f"{label} ({name}): {value or 'none'}.")
    yield Step(f"SSH keys ({names.ssh_keys}): {len(person.ssh_keys)}.")
    if problem := people.problem_with(person):
        yield Step(problem, False)


def _groups(config: Config, person: Person) -> Iterator[Step]:
    if not config.groups.bases:
        yield Step("Groups are not read: groups.bases names no place.")
        return
    yield Step(f"Groups: {', '.join(person.groups) or 'none'}.")
    projects = ", ".join(f"{name} as {role}" for name, role in sorted(person.projects.items()))
    yield Step(f"Which stand for the projects: {projects or 'none'}.")
    if config.portal_roles:
        yield Step(f"And for the portal roles: {', '.join(sorted(person.portal_roles)) or 'none'}.")


def _account(person: Person) -> Step:
    user = User.objects.filter(username__iexact=person.username).first()
    if user is None:
        owner = User.objects.filter(email__iexact=person.email).first() if person.email else None
        if owner:
            return Step(f"The account {owner} has the address {person.email} already, so none can be made.", False)
        return Step("No account here yet: the first login makes one.")
    if user.source != User.Source.LDAP:
        return Step(f"The portal has an account {user} of its own, which no directory takes over.", False)
    since = f", last seen on {timezone.localtime(user.last_login):%d %B %Y}" if user.last_login else ""
    because = f": {user.state_reason}" if user.state_reason else ""
    is_right = user.is_active or people.is_suspended_by_us(user)
    return Step(f"The account {user} is {user.state}{because}{since}.", is_right)
