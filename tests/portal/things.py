"""One of everything that a door can be about, all of one member's, and a path to it."""

import dataclasses
import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import Model

from accounts.models import User
from projects.models import Project

WORDS = ("action", "act", "deed", "section", "kind", "version", "which")  # of the route, not of a thing
VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Things:
    """`known` gives the value of a variable in a route by what the path begins with; the longest beginning wins."""

    owner: User
    project: Project
    known: Mapping[tuple[str, str], str]
    watched: tuple[type[Model], ...]

    def path(self, route: str, *, invented: bool = False) -> str:
        """The path of a route about these things, or about ones that never were."""

        def value(match: re.Match[str]) -> str:
            begins = [start for start, name in self.known if name == match[2] and route.startswith(start)]
            wanted = self.known[max(begins, key=len), match[2]] if begins else match[0]
            if not invented or "<" in wanted or match[2] in WORDS:
                return wanted
            return str(uuid.uuid4()) if _is_uuid(wanted) else f"never-was-{'x' * len(wanted)}"

        return VARIABLE.sub(value, route)

    def state(self) -> tuple[Any, ...]:
        """What changes with anything that is changed: the audit, and how many of each there are."""
        counts = ", ".join(f'(SELECT count(*) FROM "{model._meta.db_table}")' for model in self.watched)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT (SELECT max(id) FROM activity_event), {counts}")
            row: tuple[Any, ...] = cursor.fetchone()
        return row


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
