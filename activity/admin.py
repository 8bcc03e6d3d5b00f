"""What every page of the admin console is made of: all of it is to be seen, and what is done is done by services."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify

from activity.models import Event
from cloudmesh.errors import CloudmeshError

MOST = 100  # records that one action is done to

Deed = Callable[[Any, Any, str], object]  # the actor, the record, the reason


class WithReason(ActionForm):
    """What is done to the chosen records, and why."""

    reason = forms.CharField(required=False, max_length=400, widget=forms.TextInput(attrs={"placeholder": "Reason"}))


class Seen(admin.ModelAdmin):  # type: ignore[type-arg]
    """Records as they are: none is added, changed or deleted here, but by its actions."""

    action_form = WithReason
    list_per_page = 50
    list_max_show_all = 100
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a question to the database for each choice
    view_on_site: Any = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Events are the audit; a second one would only tell less."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """See log_addition."""

    @admin.display(description="State", ordering="state")
    def shown_state(self, record: Any) -> SafeString:
        return word(record.state, record.state_reason)


class SeenInline(admin.TabularInline):  # type: ignore[type-arg]
    """Records of another one, as they are."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def deed(words: str, do: Deed, done: str) -> Callable[[Seen, HttpRequest, QuerySet[Any]], None]:
    """An action that calls a service for each chosen record, and says of which it was refused and why."""

    def act(page: Seen, request: HttpRequest, records: QuerySet[Any]) -> None:
        reason, good = request.POST.get("reason", ""), 0
        for record in records[:MOST]:
            try:
                do(request.user, record, reason)
                good += 1
            except CloudmeshError as error:
                page.message_user(request, f"{record}: {error.message}", messages.ERROR)
        if good:
            page.message_user(request, f"{good} {done}.", messages.SUCCESS)

    act.__name__ = slugify(words).replace("-", "_")
    return admin.action(description=words)(act)


def word(state: str, reason: str = "") -> SafeString:
    """A state with its dot."""
    return format_html(
        '<span class="state" data-state="{}" title="{}">{}</span>', state, reason, state.replace("_", " ")
    )


def pretty(value: Any) -> SafeString:
    """JSON for people to read."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() if value else "–"
    return format_html("<pre>{}</pre>", text)


def differences(rows: Sequence[tuple[str, str, str]]) -> SafeString | str:
    """What changed: each field before and after."""
    if not rows:
        return "–"
    lines = SafeString().join(
        format_html("<tr><th>{}</th><td><del>{}</del></td><td><ins>{}</ins></td></tr>", *row) for row in rows
    )
    return format_html('<table class="differences">{}</table>', lines)


@admin.register(Event)
class EventAdmin(Seen):
    """The audit."""

    list_display = ("seq", "at", "kind", "name", "verb", "shown_states", "actor_name", "reason")
    list_display_links = ("seq", "name")
    list_filter = ("kind",)
    search_fields = ("name", "actor_name", "reason")
    search_help_text = "What it is called, who did it, or why"
    date_hierarchy = "at"
    ordering = ("-id",)
    fields = (
        "seq", "at", "kind", "object_id", "name", "verb", "from_state", "to_state", "reason", "actor_name", "topic",
        "project_id", "version", "shown_data",
    )  # fmt: skip

    @admin.display(description="State")
    def shown_states(self, event: Event) -> str:
        return " → ".join(filter(None, (event.from_state, event.to_state)))

    @admin.display(description="Data")
    def shown_data(self, event: Event) -> SafeString:
        return pretty(event.data)
