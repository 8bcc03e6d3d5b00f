"""Pages by key: each begins after the last record of the one before, so rows that come and go shift nothing.

DRF's own cursors count rows of equal value and lose their way past 1,000 of them, which one reading of a large
cloud makes.
"""

import base64
import binascii
import dataclasses
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from cloudmesh.errors import Invalid
from cloudmesh.types import Json

USUAL, MOST = 100, 1000


@dataclasses.dataclass(frozen=True)
class Cursor:
    """After which record a page begins; backwards for a previous page."""

    backwards: bool
    value: Any
    pk: Any

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([self.backwards, self.value, self.pk])).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        try:
            backwards, value, pk = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, TypeError, binascii.Error) as error:
            raise _foreign() from error
        if not all(isinstance(part, str | int) for part in (value, pk)):
            raise _foreign()
        return cls(bool(backwards), value, pk)


class Paging(BasePagination):
    """Next and previous without a total."""

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any]:  # type: ignore[override]
        self.request, self.size = request, _size(request)
        [backend] = view.filter_backends
        order = backend().get_ordering(request, queryset, view)
        self.path, self.descending = order.removeprefix("-"), order.startswith("-")
        text = request.query_params.get("cursor", "")
        self.cursor = Cursor.parse(text) if text else None
        rows = list(self._after(queryset, self.cursor)[: self.size + 1])
        self.more, rows = len(rows) > self.size, rows[: self.size]
        self.rows = rows[::-1] if self.cursor and self.cursor.backwards else rows
        return self.rows

    def _after(self, queryset: QuerySet[Any], cursor: Cursor | None) -> QuerySet[Any]:
        down = self.descending != bool(cursor and cursor.backwards)
        sign, beyond = ("-", "lt") if down else ("", "gt")
        if "__" in self.path:
            queryset = queryset.annotate(page_key=F(self.path))
        queryset = queryset.order_by(f"{sign}{self.path}", f"{sign}pk")
        if cursor is None:
            return queryset
        further = Q(**{f"{self.path}__{beyond}": cursor.value}) | Q(**{f"pk__{beyond}": cursor.pk})
        try:  # the first condition lets the database begin in the middle of an index
            return queryset.filter(Q(**{f"{self.path}__{beyond}e": cursor.value}) & further)
        except (ValueError, TypeError, ValidationError) as error:
            raise _foreign() from error

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._next(), "previous": self._previous(), "results": data})

    def _next(self) -> str | None:
        came_back = self.cursor is not None and self.cursor.backwards
        return self._link(self.rows[-1], backwards=False) if self.rows and (self.more or came_back) else None

    def _previous(self) -> str | None:
        if self.cursor is None or (self.cursor.backwards and not self.more):
            return None
        if not self.rows:
            return remove_query_param(self.request.build_absolute_uri(), "cursor")
        return self._link(self.rows[0], backwards=True)

    def _link(self, row: Any, *, backwards: bool) -> str:
        value = getattr(row, "page_key" if "__" in self.path else self.path)
        return replace_query_param(self.request.build_absolute_uri(), "cursor", str(Cursor(backwards, value, row.pk)))

    def get_schema_operation_parameters(self, view: Any) -> list[Json]:
        size = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
        return [
            {"name": "cursor", "in": "query", "description": "Of `next` or `previous`.", "schema": {"type": "string"}},
            {"name": "page_size", "in": "query", "description": "How many at once.", "schema": size},
        ]

    def get_paginated_response_schema(self, schema: Json) -> Json:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }


def _size(request: Request) -> int:
    text = request.query_params.get("page_size", "") or str(USUAL)
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= size <= MOST:
        raise Invalid(f"page_size is a number from 1 to {MOST}, not {text[:20]!r}.", field="page_size")
    return size


def _foreign() -> Invalid:
    return Invalid("This cursor is not of this list. Begin again without it.", field="cursor")
