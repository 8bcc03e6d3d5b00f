"""How pages list what their reader may see, and say what came of what was asked."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.views import View
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.views import Signed, own_page
from activity.views import SIGNED, needs
from projects import access, services

PAGE = 50
MOST = 10_000  # rows that are counted; whoever looks for more than that wants a filter


@dataclasses.dataclass(kw_only=True)
class Filter:
    """One choice above a list, kept in the URL."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    where: Callable[[str], Q]
    is_offered: bool = True  # else it is shown only while it is in the URL
    value: str = ""

    def take(self, value: str) -> None:
        """A value that is no choice may come by the URL, and is shown too."""
        self.value = value
        if value and value not in dict(self.choices):
            self.choices = [*self.choices, (value, value)]

    def narrow(self, records: QuerySet[Any]) -> QuerySet[Any]:
        return records.filter(self.where(self.value)) if self.value else records


class Pages(Paginator):  # type: ignore[type-arg]
    """Pages of a query that is counted no further than anybody turns pages."""

    @cached_property
    def count(self) -> int:
        records: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return records.order_by()[:MOST].count()


class Listing(View):
    """A page of what its reader may see; words, filters, order and page number live in the URL."""

    model: ClassVar[type[Model]]
    template_name: ClassVar[str]
    name: ClassVar[str]  # of the rows in the template
    words: ClassVar[Sequence[str]] = ()  # columns that the search looks into
    orders: ClassVar[Mapping[str, Sequence[str]]] = {}  # what a reader may sort by → columns
    usual: ClassVar[Sequence[str]] = ("-pk",)

    request: Signed

    def get(self, request: Signed) -> HttpResponse:
        filters = list(self.filters())
        for each in filters:
            each.take(self._asked(each.name))
        q, sort = self._asked("q"), self._sort()
        page = self._page(self._found(filters, q), sort)
        context = {
            "filters": [each for each in filters if each.is_offered or each.value],
            "filtered": bool(q or any(each.value for each in filters)),
            "q": q,
            "sort": sort,
            "page_obj": page,
            self.name: self.rows(list(page)),
        }
        return render(request, self.template_name, context | self.context())

    def filters(self) -> Iterable[Filter]:
        return ()

    def records(self) -> QuerySet[Any]:
        return access.visible(self.model, self.request.user)

    def rows(self, records: list[Any]) -> list[Any]:
        """The records of the page with what their rows show beside them."""
        return records

    def context(self) -> dict[str, Any]:
        return {}

    def _asked(self, name: str) -> str:
        return self.request.GET.get(name, "").replace("\0", "").strip()[:100]

    def _found(self, filters: Iterable[Filter], q: str) -> QuerySet[Any]:
        records = self.records()
        for each in filters:
            records = each.narrow(records)
        for word in q.split():
            records = records.filter(Q(*((f"{column}__icontains", word) for column in self.words), _connector=Q.OR))
        return records

    def _sort(self) -> str:
        sort = self.request.GET.get("sort", "")
        return sort if sort.removeprefix("-") in self.orders else ""

    def _page(self, records: QuerySet[Any], sort: str) -> Page[Any]:
        columns = self.orders.get(sort.removeprefix("-"), ())
        chosen = [f"-{column}" for column in columns] if sort.startswith("-") else columns
        return Pages(records.order_by(*chosen, *self.usual), PAGE).get_page(self.request.GET.get("page"))


def project_filter(actor: User, where: Callable[[str], Q] = lambda name: Q(project__name=name)) -> Filter:
    """By project, for those who work in several."""
    choices = [(project.name, project.name) for project in access.workplaces(actor)]
    return Filter(name="project", label="Project", choices=choices, where=where, is_offered=len(choices) > 1)


def owner_filter(actor: User) -> Filter:
    """By owner: one's own is offered, anybody's name can be in the URL."""
    me = actor.username
    choices = [("me", "Mine")]
    return Filter(
        name="owner", label="Owner", choices=choices, where=lambda name: Q(owner__username=me if name == "me" else name)
    )


def dress(record: Any, **extras: Any) -> Any:
    """`record` with what its row shows beside it."""
    vars(record).update(extras)
    return record


def is_htmx(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def answer(request: HttpRequest, title: str, *, back: str, detail: str = "", url: str = "") -> HttpResponse:
    """Say what was done: as a toast on the open page, or without JavaScript as a message on the page `back`."""
    if not is_htmx(request):
        messages.success(request, f"{title} {detail}".strip())
        return redirect(back)
    toast = {"title": title, "detail": detail, "tone": "success", "url": url}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"toast": toast})})


@needs(SIGNED)
@require_POST
def select_project(request: Signed) -> HttpResponse:
    """Work in another project from now on."""
    project = access.project_named(request.user, request.POST.get("project", ""), permission="project.view")
    services.select_project(actor=request.user, project=project)
    return redirect(own_page(request))
