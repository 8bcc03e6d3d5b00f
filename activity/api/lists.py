"""Lists of one noun: narrowed by query parameters, in one of some orders, page by page, with the fields asked for."""

import abc
import dataclasses
import functools
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from rest_framework import viewsets
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response

from activity.api.answers import Answer
from cloudmesh.errors import Invalid, near
from cloudmesh.types import Json

SHOWN = 40  # characters of a wrong value that are told back
EVERYWHERE = ("fields",)
IN_LISTS = ("ordering", "cursor", "page_size", *EVERYWHERE)


@dataclasses.dataclass(frozen=True)
class Filter:
    """A query parameter: what it means, and which records it leaves for whom."""

    meaning: str
    narrow: Callable[[Any, str], Q]  # the actor and the text → a condition
    choices: tuple[str, ...] = ()


def one_of(name: str, choices: Iterable[str], meaning: str = "") -> Filter:
    """A field with known values; several may be given, separated by commas."""
    known = tuple(str(choice) for choice in choices)

    def narrow(actor: Any, text: str) -> Q:
        wanted = [part.strip() for part in text.split(",")]
        for part in wanted:
            if part not in known:
                raise Invalid(
                    f"{name} is one of {', '.join(known)}; not {part[:SHOWN]!r}.{near(part[:SHOWN], known)}", field=name
                )
        return Q(**{f"{name}__in": wanted})

    return Filter(meaning or f"Any of {', '.join(known)}; several with commas between.", narrow, known)


class Narrow(BaseFilterBackend):
    """Applies what a list declares: its filters, its search and its orders. Unknown parameters are refused."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: "Lists") -> QuerySet[Any]:  # type: ignore[override]
        check_parameters(request, [*view.filters, *(["search"] if view.searched else []), *IN_LISTS])
        for name, known in view.filters.items():
            text = request.query_params.get(name, "").strip()
            if text:
                queryset = queryset.filter(known.narrow(request.user, text))
        sought = request.query_params.get("search", "").strip()
        return queryset.filter(_contains(view.searched.values(), sought)) if sought else queryset

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: "Lists") -> str:
        """The path to order by, with a minus when backwards; for the pager."""
        wanted = request.query_params.get("ordering") or view.ordering
        name = wanted.removeprefix("-")
        if name not in view.orders:
            raise Invalid(
                f"ordering is one of {', '.join(view.orders)}, with a minus for backwards; not {name[:SHOWN]!r}."
                + near(name[:SHOWN], view.orders),
                field="ordering",
            )
        return ("-" if wanted.startswith("-") else "") + view.orders[name]

    def get_schema_operation_parameters(self, view: "Lists") -> list[Json]:  # type: ignore[override]
        parameters = [_parameter(name, known.meaning, known.choices) for name, known in view.filters.items()]
        if view.searched:
            parameters.append(_parameter("search", "Text that occurs in " + " or ".join(view.searched) + "."))
        orders = [sign + name for name in view.orders for sign in ("", "-")]
        if orders:
            parameters.append(_parameter("ordering", f"Order, usually {view.ordering}; a minus is backwards.", orders))
        return parameters


class Signed(Request):
    """A request of somebody: the permission classes have seen to it."""

    user: Any


class Lists(viewsets.GenericViewSet[Any], abc.ABC):
    """A noun that can be listed.

    `orders` and `searched` are paths by name; those of orders are never null.
    """

    request: Signed
    filter_backends = (Narrow,)
    lookup_value_converter = "str"
    filters: ClassVar[Mapping[str, Filter]] = {}
    searched: ClassVar[Mapping[str, str]] = {}
    orders: ClassVar[Mapping[str, str]] = {}
    ordering: ClassVar[str] = ""

    @abc.abstractmethod
    def records(self, request: Signed) -> QuerySet[Any]:
        """What the actor may see."""

    def facts(self, records: Sequence[Any]) -> Sequence[Any]:
        """What the answer is read from, for one page of records."""
        return records

    def list(self, request: Signed) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.records(request)))
        return self.get_paginated_response(self.rows(request, self.facts(page or [])))

    def rows(self, request: Signed, facts: Iterable[Any]) -> Sequence[Json]:
        answer: Any = self.get_serializer_class()
        rows: Sequence[Json] = answer.rows(facts, wanted_fields(request, answer))
        return rows


def one(request: Signed, answer: type[Answer], facts: Any, *, status: int = 200) -> Response:
    """The answer about one thing, with the fields that are asked for."""
    check_parameters(request, EVERYWHERE)
    return Response(answer.row(facts, wanted_fields(request, answer)), status=status)


def few(results: Sequence[Json]) -> Response:
    """A whole list, as `answers.Few` declares it."""
    return Response({"next": None, "previous": None, "results": results})


def wanted_fields(request: Signed, answer: type[Answer]) -> Collection[str]:
    """Which fields `fields=a,b` names; empty is all. Raises Invalid."""
    wanted = [name.strip() for name in request.query_params.get("fields", "").split(",") if name.strip()]
    known = answer.names() if wanted else []
    for name in wanted:
        if name not in known:
            raise Invalid(
                f"There is no field {name[:SHOWN]!r}; there are: {', '.join(known)}.{near(name[:SHOWN], known)}",
                field="fields",
            )
    return wanted


def check_parameters(request: Request, known: Sequence[str]) -> None:
    """Raises Invalid for a query parameter that nobody reads: a misspelt filter must not be taken for none."""
    for name in request.query_params:
        if name not in known:
            raise Invalid(
                f"There is no parameter {name[:SHOWN]!r} here; there are: {', '.join(known)}."
                + near(name[:SHOWN], known),
                field=name[:SHOWN],
            )


def _contains(paths: Iterable[str], text: str) -> Q:
    return functools.reduce(operator.or_, (Q(**{f"{path}__icontains": text}) for path in paths))


def _parameter(name: str, description: str, choices: Sequence[str] = ()) -> Json:
    schema: Json = {"type": "string"}
    if choices and name == "ordering":
        schema["enum"] = list(choices)
    return {"name": name, "in": "query", "description": description, "schema": schema}
