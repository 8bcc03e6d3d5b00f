"""Whom a policy is about, and which services: `cloud:india`, `cloud:*`, `queue:india/batch`, `machines:i[1-8]`."""

import functools
from collections.abc import Sequence
from fnmatch import fnmatchcase

from cloudmesh.errors import Invalid, near
from cloudmesh.types import expand_names, is_glob
from projects.models import SubjectKind
from projects.policy.rule import Is, Or, Rule, parse

KINDS = ("cloud", "queue", "machines")
#: What is closed to everybody until a policy opens it.
CLOSED = frozenset({"machines"})


@functools.lru_cache(4096)
def parse_subject(kind: str, text: str) -> Rule | None:
    """Whom a policy is about as a rule; None is everybody. Raises Invalid."""
    if kind == SubjectKind.EVERYONE:
        return None
    if kind == SubjectKind.RULE:
        return parse(text)
    names = tuple(part.strip() for part in split(text))
    if not names:
        raise Invalid(f"Say which {SubjectKind(kind).label.lower()} the policy is about.", field="subject")
    if kind == SubjectKind.ROLE:
        return Or((Is("role", names), Is("portal_role", names)))
    return Is("project" if kind == SubjectKind.PROJECT else "user", names)


@functools.lru_cache(4096)
def parse_service(text: str) -> tuple[str, tuple[str, ...]]:
    """The kind of a service and the names in it. Raises Invalid."""
    kind, colon, names = text.strip().partition(":")
    if not colon or kind not in KINDS:
        hint = near(kind, KINDS)
        raise Invalid(
            f"A service is cloud:NAMES, queue:NAMES or machines:NAMES, such as cloud:india or machines:i[1-8]; "
            f"not {text[:60]!r}.{hint}",
            field="service",
        )
    found = tuple(expand_names(names))
    if not found:
        raise Invalid(f"Say which {kind}, such as {kind}:*.", field="service")
    return kind, found


@functools.lru_cache(4096)
def _names_and_globs(names: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    globs = tuple(name for name in names if is_glob(name))
    return frozenset(names).difference(globs), globs


def covered(pattern: str, wanted: Sequence[str]) -> frozenset[str]:
    """Of the names wanted of a kind those that a policy's service has."""
    plain, globs = _names_and_globs(parse_service(pattern)[1])
    return frozenset(name for name in wanted if name in plain or any(fnmatchcase(name, glob) for glob in globs))


def split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets."""
    parts, depth, part = [], 0, ""
    for sign in text:
        depth += (sign == "[") - (sign == "]")
        if sign in ",\n" and depth <= 0:
            parts.append(part)
            part = ""
        else:
            part += sign
    return [each.strip() for each in [*parts, part] if each.strip()]
