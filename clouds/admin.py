"""Clouds in the admin console: how they are and who may use them; no credential, sealed or not."""

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from activity.admin import Seen, SeenInline, deed, word
from cloudmesh.types import ServerState
from clouds import services
from clouds.models import CloudAccount, Server, Sync, Volume


class SyncInline(SeenInline):
    model = Sync
    show_change_link = False
    fields = ("kind", "done_at", "count", "seconds", "due_at", "full_at", "changed_at")


@admin.register(CloudAccount)
class CloudAccountAdmin(Seen):
    list_display = (
        "name",
        "project",
        "owner",
        "shown_state",
        "shown_health",
        "health_reason",
        "servers_held",
        "is_enabled",
    )
    list_select_related = ("cloud", "project", "owner")
    list_filter = ("health", "state", "is_enabled", "cloud__driver")
    search_fields = ("cloud__name", "project__name", "owner__username")
    inlines = (SyncInline,)
    fields = (
        "name", "driver", "label", "project", "owner", "shown_state", "state_reason", "shown_health", "health_reason",
        "failures", "retry_at", "is_enabled", "may_go_private", "created_at",
    )  # fmt: skip
    actions = (
        deed("Read now", lambda actor, account, _: services.refresh_account(actor=actor, account=account), "read"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[CloudAccount]:
        held = Count("servers", filter=~Q(servers__state=ServerState.DELETED))
        accounts: QuerySet[CloudAccount] = super().get_queryset(request)
        return accounts.defer("credential", "pending").annotate(held=held)

    def view_on_site(self, account: CloudAccount) -> str:
        return reverse("clouds:cloud-detail", args=[account.pk])

    @admin.display(description="Cloud", ordering="cloud__name")
    def name(self, account: CloudAccount) -> str:
        return account.cloud.name

    @admin.display(description="Driver")
    def driver(self, account: CloudAccount) -> str:
        return account.cloud.driver

    @admin.display(description="Label")
    def label(self, account: CloudAccount) -> str:
        return account.cloud.label

    @admin.display(description="Health", ordering="health")
    def shown_health(self, account: CloudAccount) -> SafeString:
        return word(account.health, account.health_reason)

    @admin.display(description="Servers", ordering="held")
    def servers_held(self, account: CloudAccount) -> int:
        return int(vars(account)["held"])


@admin.register(Server)
class ServerAdmin(Seen):
    list_display = (
        "name",
        "shown_state",
        "account",
        "project",
        "owner",
        "cores",
        "ram",
        "is_orphan",
        "created_at",
        "seen_at",
    )
    list_select_related = ("account__cloud", "project", "owner")
    list_filter = ("state", "is_orphan", "account__cloud__driver")
    search_fields = ("name", "project__name", "owner__username", "provider_id")
    ordering = ("-created_at", "-pk")
    fields = (
        "name", "shown_state", "state_reason", "account", "project", "owner", "group", "provider_id", "cores", "ram",
        "addresses", "public_addresses", "is_orphan", "created", "created_at", "seen_at", "missing_since",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Server]:
        return super().get_queryset(request).defer("native", "token", "account__credential", "account__pending")

    def view_on_site(self, server: Server) -> str:
        return reverse("clouds:server-detail", args=[server.pk])


@admin.register(Volume)
class VolumeAdmin(Seen):
    list_display = ("name", "shown_state", "size", "account", "project", "owner", "is_orphan", "created_at", "seen_at")
    list_select_related = ("account__cloud", "project", "owner")
    list_filter = ("state", "is_orphan", "account__cloud__driver")
    search_fields = ("name", "project__name", "owner__username", "provider_id")
    ordering = ("-created_at", "-pk")
    fields = (
        "name", "shown_state", "state_reason", "size", "account", "project", "owner", "provider_id",
        "server_provider_id", "device", "is_bound", "is_orphan", "created", "created_at", "seen_at", "missing_since",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Volume]:
        return super().get_queryset(request).defer("native", "token", "account__credential", "account__pending")
