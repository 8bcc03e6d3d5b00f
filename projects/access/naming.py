"""What names, ids, hostlists and globs mean among the records that somebody sees."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from cloudmesh.errors import Invalid, NotFound
from cloudmesh.types import expand_names, is_glob
from projects.access.allowed import first_named

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Found = TypeVar("Found", bound=Model)


def find(live: QuerySet[Found], names: Sequence[str], *, kind: str) -> list[Found]:
    """Those of `live` that names, ids, hostlists and globs mean, each once. Raises NotFound, Ambiguous, Invalid."""
    if not names:
        raise Invalid(f"Name at least one {kind}.", field=f"{kind}s")
    ids = [name for name in names if ID.fullmatch(name)]
    by_id = {str(record.pk): record for record in live.filter(pk__in=ids)} if ids else {}
    found: dict[Any, Found] = {}
    for text in names:
        for record in [by_id[text]] if text in by_id else _matching(live, text, kind):
            found[record.pk] = record
    return list(found.values())


def named(text: str) -> Q:
    """The condition that a hostlist or glob means. Raises Invalid."""
    plain, globs = [], Q()
    for name in expand_names(text):
        if is_glob(name):
            globs |= Q(name__regex=_regex(name))
        else:
            plain.append(name)
    return Q(name__in=plain) | globs if globs else Q(name__in=plain)


def _matching(live: QuerySet[Found], text: str, kind: str) -> list[Found]:
    names = expand_names(text)
    found = _called([name for name in names if not is_glob(name)], live, kind)
    for glob in filter(is_glob, names):
        matches = list(live.filter(name__regex=_regex(glob)))
        if not matches:
            raise NotFound(f"No {kind}'s name matches {glob[:80]!r}.", wanted=glob[:80])
        found += matches
    return found


def _called(names: list[str], live: QuerySet[Found], kind: str) -> list[Found]:
    """One question where each name is one record's; else one for each name, to say which is not."""
    found = list(live.filter(name__in=names)) if len(names) > 1 else []
    if {str(record) for record in found} == set(names) and len(found) == len(names):
        return found
    return [first_named(live, name, kind=kind) for name in names]


def _regex(glob: str) -> str:
    """As PostgreSQL writes it; Python's fnmatch writes groups that it does not know."""
    return "^" + "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in glob) + "$"
