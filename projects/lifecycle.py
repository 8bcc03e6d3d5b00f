"""Spans of use: opened and closed with the very change that makes them, so that they are always what the rows say."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest, Now

from projects.models import Span

#: A clock may be set back; a span never ends before it begins.
CLOSE = """
WITH taken AS ({taken})
UPDATE projects_span AS span SET ends_at = greatest(span.begins_at, taken.at) FROM taken
WHERE span.object_id = taken.object_id AND span.ends_at IS NULL
  AND (span.project_id, span.user_id, span.scope, span.cores, span.ram, span.disk, span.nodes) IS DISTINCT FROM
      (taken.project_id, taken.user_id, taken.scope, taken.cores, taken.ram, taken.disk, taken.nodes)
"""
OPEN = """
WITH taken AS ({taken})
INSERT INTO projects_span (project_id, user_id, scope, label, object_id, cores, ram, disk, nodes, begins_at)
SELECT project_id, user_id, scope, label, object_id, cores, ram, disk, nodes, at FROM taken
WHERE cores + ram + disk + nodes > 0
  AND NOT EXISTS (SELECT FROM projects_span AS span WHERE span.object_id = taken.object_id AND span.ends_at IS NULL)
"""


def settle_spans(ids: Collection[uuid.UUID], taken: str, **facts: Any) -> None:
    """Have the open spans of these things be what they take now; two statements, however many they are.

    `taken` selects what a span has, and `at`, since when it is so, for `id = ANY(%(ids)s)`; what it leaves out stays
    as it is. The rows are locked by whoever has just written them, so no two settle the same thing.
    """
    parameters: Mapping[str, Any] = {"ids": list(ids), **facts}
    with connection.cursor() as cursor:
        cursor.execute(CLOSE.format(taken=taken), parameters)
        cursor.execute(OPEN.format(taken=taken), parameters)


def end_spans(scope: str) -> None:
    """Nothing of this scope is used any more, as far as the portal will ever know."""
    Span.objects.filter(scope=scope, ends_at=None).update(ends_at=Greatest(F("begins_at"), Now()))


#: A thing that has one span, known with both its ends: what is learned later of it corrects it.
CORRECT = """
WITH used AS ({used})
UPDATE projects_span AS span
SET begins_at = used.begins_at, ends_at = used.ends_at, cores = used.cores, ram = used.ram, disk = used.disk,
    nodes = used.nodes, project_id = used.project_id, user_id = used.user_id
FROM used WHERE span.object_id = used.object_id
"""
ENTER = """
WITH used AS ({used})
INSERT INTO projects_span (project_id, user_id, scope, label, object_id, cores, ram, disk, nodes, begins_at, ends_at)
SELECT project_id, user_id, scope, label, object_id, cores, ram, disk, nodes, begins_at, ends_at FROM used
WHERE NOT EXISTS (SELECT FROM projects_span AS span WHERE span.object_id = used.object_id)
"""


def record_spans(ids: Collection[uuid.UUID], used: str) -> None:
    """Have exactly one span for each of these things, as their providers account for them.

    `used` selects it whole for `id = ANY(%(ids)s)`; `ends_at` is null while it goes on. Two statements.
    """
    with connection.cursor() as cursor:
        cursor.execute(CORRECT.format(used=used), {"ids": list(ids)})
        cursor.execute(ENTER.format(used=used), {"ids": list(ids)})
