"""What is known of a directory: one TOML file, checked as a whole, so that a mistake is named before anybody signs in.

See docs/howto/ldap.md for each word of it.
"""

import dataclasses
import fnmatch
import functools
import pathlib
import ssl
import tomllib
import types
import typing
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from django.conf import settings

from accounts.models import PortalRole
from cloudmesh.errors import Invalid, near

Section = TypeVar("Section")

ADMINISTRATOR = "administrator"
PORTS = {"ldap": 389, "ldaps": 636}
NAME = "{name}"
GROUP = "{group}"
PROJECT = "{project}"


class Group(NamedTuple):
    """A group of the directory; `dn` is what tells it from another of the same name."""

    name: str
    dn: str


@dataclasses.dataclass(frozen=True)
class Address:
    """A server: `ldaps` speaks TLS from the first byte, `ldap` begins it with StartTLS, always."""

    host: str
    port: int
    is_ldaps: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.is_ldaps else 'ldap'}://{host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> "Address":
        parts = urllib.parse.urlsplit(url)
        try:
            port = parts.port or PORTS.get(parts.scheme)
        except ValueError:
            port = None
        if not port or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            raise Invalid(
                f"servers: {url!r} is no address of a directory; write it like ldaps://ldap.example.org or "
                "ldap://ldap.example.org:389, which begins TLS with StartTLS."
            )
        return cls(parts.hostname, port, parts.scheme == "ldaps")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attributes:
    """What the directory calls what this portal wants to know."""

    username: str = "uid"
    email: str = "mail"
    first_name: str = "givenName"
    last_name: str = "sn"
    phone: str = "telephoneNumber"
    ssh_keys: str = "sshPublicKey"


@dataclasses.dataclass(frozen=True, kw_only=True)
class People:
    base: str
    filter: str = "(objectClass=posixAccount)"
    dn_template: str = ""
    email_domain: str = ""
    timed_locks_suspend: bool = False
    attributes: Attributes = Attributes()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Groups:
    bases: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProjectRule:
    group: str
    project: str = GROUP
    role: str = "member"

    def project_of(self, group: Group) -> str:
        """The name of the project that `group` stands for by this rule, or nothing."""
        name = group.name.lower()
        before, placed, after = self.group.lower().partition(PROJECT)
        if not placed:
            return self.project.replace(GROUP, name) if fits(self.group, group) else ""
        middle = name.removeprefix(before).removesuffix(after)
        return middle if middle and name == f"{before}{middle}{after}" else ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoleRule:
    group: str
    role: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """A directory, and what its groups mean here."""

    servers: tuple[str, ...]
    people: People
    ca_file: str = ""
    connect_seconds: int = 3
    answer_seconds: int = 5
    bind_dn: str = ""
    bind_password_file: str = ""
    groups: Groups = Groups()
    projects: tuple[ProjectRule, ...] = ()
    portal_roles: tuple[RoleRule, ...] = ()
    bind_password: str = dataclasses.field(default="", repr=False)

    @functools.cached_property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(map(Address.parse, self.servers))

    @functools.cached_property
    def tls(self) -> ssl.SSLContext:
        """Trusts `ca_file` alone, or the system's authorities; checks certificate and host name."""
        return ssl.create_default_context(cafile=self.ca_file or None)

    def projects_of(self, groups: Iterable[Group]) -> dict[str, str]:
        """Name → role of the projects that these groups stand for; of several rules for one the first counts."""
        known = list(groups)
        found: dict[str, str] = {}
        for rule in self.projects:
            for name in filter(None, map(rule.project_of, known)):
                found.setdefault(name, rule.role)
        return found

    def portal_roles_of(self, groups: Iterable[Group]) -> frozenset[str]:
        known = list(groups)
        return frozenset(rule.role for rule in self.portal_roles if any(fits(rule.group, group) for group in known))

    @property
    def given_roles(self) -> frozenset[str]:
        """The portal roles that are the directory's to give and to take."""
        return frozenset(rule.role for rule in self.portal_roles)


def fits(pattern: str, group: Group) -> bool:
    """Whether a rule is about this group: by its DN, or by its name, which may have `*` and `?`."""
    if "=" in pattern:
        return same_dn(pattern) == same_dn(group.dn)
    return fnmatch.fnmatchcase(group.name.lower(), pattern.lower())


def same_dn(dn: str) -> str:
    """One spelling of a DN, to compare it: no blanks around commas and equal signs, no capitals."""
    steps = (step.partition("=") for step in dn.split(","))
    return ",".join(f"{name.strip()}={value.strip()}" if sign else name for name, sign, value in steps).casefold()


def current() -> Config:
    """The directory that this portal is set up with; read once a process. Raises Invalid."""
    return _load(settings.CLOUDMESH_LDAP, settings.CLOUDMESH_LDAP_PASSWORD)


def load(path: str, password: str = "") -> Config:
    """Read and check a file. Raises Invalid, which never repeats the password."""
    place = pathlib.Path(path)
    try:
        table = tomllib.loads(place.read_text())
    except OSError as error:
        raise Invalid(f"CLOUDMESH_LDAP: {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # no UTF-8, or no TOML
        raise Invalid(f"CLOUDMESH_LDAP: {path} is no TOML: {error}.") from error
    try:
        return parse(table, folder=place.parent, password=password)
    except Invalid as error:
        raise Invalid(f"CLOUDMESH_LDAP: {path}: {error.message}") from error


_load = functools.lru_cache(maxsize=4)(load)


def parse(table: Mapping[str, Any], *, folder: pathlib.Path, password: str = "") -> Config:
    """Raises Invalid for the first thing that is wrong."""
    if "bind_password" in table:
        raise Invalid("bind_password does not stand in this file: set CLOUDMESH_LDAP_PASSWORD, or bind_password_file.")
    config = _section(Config, table, "")
    if config.ca_file:
        config = dataclasses.replace(config, ca_file=str(folder / config.ca_file))
    if config.bind_password_file and not password:
        password = _secret(folder / config.bind_password_file)
    config = dataclasses.replace(config, bind_password=password)
    for check in (_check_servers, _check_bind, _check_rules):
        check(config)
    return config


def _check_servers(config: Config) -> None:
    if not config.addresses:
        raise Invalid("servers: name at least one, such as ldaps://ldap.example.org.")
    if config.connect_seconds < 1 or config.answer_seconds < 1:
        raise Invalid("connect_seconds and answer_seconds are whole seconds, 1 or more.")
    try:
        _ = config.tls
    except (OSError, ssl.SSLError) as error:
        raise Invalid(f"ca_file: {config.ca_file} holds no certificate in PEM, or cannot be read.") from error


def _check_bind(config: Config) -> None:
    people = config.people
    if not people.filter.startswith("(") or people.filter.count("(") != people.filter.count(")"):
        raise Invalid(f"people.filter: {people.filter!r} is no LDAP filter; its parentheses do not match.")
    if people.dn_template and people.dn_template.count(NAME) != 1:
        raise Invalid(f"people.dn_template holds {NAME} once, such as uid={NAME},ou=People,dc=example,dc=org.")
    if not config.bind_dn and not people.dn_template:
        raise Invalid("Give bind_dn, to search for people with, or people.dn_template, to bind as them at once.")
    if config.bind_dn and not config.bind_password:
        raise Invalid("bind_dn needs its password: set CLOUDMESH_LDAP_PASSWORD, or bind_password_file.")


def _check_rules(config: Config) -> None:
    if (config.projects or config.portal_roles) and not config.groups.bases:
        raise Invalid(
            "groups.bases: say under which entries the groups are that [[projects]] and [[portal_roles]] name."
        )
    for project_rule in config.projects:
        if PROJECT in project_rule.group and project_rule.project != GROUP:
            raise Invalid(
                f"projects: {project_rule.group!r} says which project it is already; leave project out there."
            )
    known = [*PortalRole.values, ADMINISTRATOR]
    for rule in config.portal_roles:
        if rule.role not in known:
            raise Invalid(f"portal_roles: a role is {', '.join(known)}; not {rule.role!r}.{near(rule.role, known)}")


def _secret(path: pathlib.Path) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"bind_password_file: {path} cannot be read.") from error


def _section(cls: type[Section], table: Mapping[str, Any], where: str) -> Section:
    """One of the classes above from a table of the same names."""
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for name in table:
        if name not in fields:
            raise Invalid(f"{where}{name} means nothing here.{near(name, fields)}")
    for name, field in fields.items():
        is_needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if is_needed and name not in table:
            raise Invalid(f"{where}{name} is missing.")
    return cls(**{name: _value(hints[name], value, f"{where}{name}") for name, value in table.items()})


def _value(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(value, dict):
        return _section(typing.cast("type[Any]", kind), value, f"{where}.")
    if isinstance(kind, types.GenericAlias) and isinstance(value, list):
        return tuple(_value(kind.__args__[0], each, where) for each in value)
    if type(value) is not kind:
        wanted = WORDS.get(kind, "a list" if isinstance(kind, types.GenericAlias) else "a table")
        raise Invalid(f"{where} is {wanted}, not {value!r}.")
    return value


WORDS = {str: "a text", int: "a whole number", bool: "true or false"}
