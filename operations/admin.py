"""Wishes in the admin console, without what they were asked with or brought: that may be somebody's."""

from django.contrib import admin
from django.urls import reverse

from activity.admin import Seen, deed
from operations import services
from operations.models import Operation


@admin.register(Operation)
class OperationAdmin(Seen):
    list_display = (
        "kind",
        "target_name",
        "shown_state",
        "project",
        "owner",
        "progress",
        "step",
        "attempts",
        "created_at",
    )
    list_display_links = ("kind", "target_name")
    list_select_related = ("project", "owner")
    list_filter = ("state", "kind")
    search_fields = ("target_name", "owner__username", "project__name")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    fields = (
        "kind", "target_name", "shown_state", "state_reason", "project", "owner", "parent", "is_batch", "approved_by",
        "progress", "step", "attempts", "troubles", "lane", "created_at", "started_at", "finished_at", "not_before",
        "deadline_at", "lease_until", "cancel_requested_at",
    )  # fmt: skip
    actions = (
        deed("Cancel", lambda actor, wish, _: services.cancel(actor=actor, operation=wish), "cancelled"),
        deed("Try again", lambda actor, wish, _: services.retry(actor=actor, operation=wish), "tried again"),
    )

    def view_on_site(self, operation: Operation) -> str:
        return reverse("operations:detail", args=[operation.pk])
