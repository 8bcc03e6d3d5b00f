"""Schedulers and jobs in the admin console: how they are and who may use them; no credential, no script."""

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from activity.admin import Seen, SeenInline, deed, word
from hpc import services
from hpc.models import LIVE, Cluster, Job, Login, Scheduler, Sync


class SyncInline(SeenInline):
    model = Sync
    show_change_link = False
    fields = ("kind", "done_at", "count", "seconds", "due_at", "full_at", "changed_at")


class ClusterInline(SeenInline):
    model = Cluster
    show_change_link = False
    fields = ("name", "label", "chosen")


class LoginInline(SeenInline):
    model = Login
    show_change_link = False
    fields = ("user", "name", "is_mapped", "state", "state_reason")


@admin.register(Scheduler)
class SchedulerAdmin(Seen):
    list_display = (
        "name", "driver", "way", "project", "owner", "shown_state", "shown_health", "health_reason", "live_jobs",
        "is_enabled",
    )  # fmt: skip
    list_select_related = ("project", "owner")
    list_filter = ("health", "state", "is_enabled", "driver", "way")
    search_fields = ("name", "label", "project__name", "owner__username")
    inlines = (ClusterInline, LoginInline, SyncInline)
    fields = (
        "name", "driver", "way", "identity", "label", "project", "owner", "is_shared", "shows_all", "shown_state",
        "state_reason", "shown_health", "health_reason", "failures", "retry_at", "is_enabled", "may_go_private",
        "product", "created_at",
    )  # fmt: skip
    actions = (
        deed("Read now", lambda actor, found, _: services.refresh_scheduler(actor=actor, scheduler=found), "read"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scheduler]:
        live = Count("jobs", filter=Q(jobs__state__in=LIVE))
        schedulers: QuerySet[Scheduler] = super().get_queryset(request)
        return schedulers.defer("credential", "pending").annotate(live=live)

    def view_on_site(self, scheduler: Scheduler) -> str:
        return reverse("hpc:cluster-detail", args=[scheduler.pk])

    @admin.display(description="Health", ordering="health")
    def shown_health(self, scheduler: Scheduler) -> SafeString:
        return word(scheduler.health, scheduler.health_reason)

    @admin.display(description="Jobs", ordering="live")
    def live_jobs(self, scheduler: Scheduler) -> int:
        return int(vars(scheduler)["live"])


@admin.register(Job)
class JobAdmin(Seen):
    list_display = ("provider_id", "name", "shown_state", "cluster", "queue", "project", "owner", "login", "cores")
    list_select_related = ("cluster", "project", "owner", "scheduler")
    list_filter = ("state", "cluster")
    search_fields = ("provider_id", "name", "login", "owner__username")
    fields = (
        "provider_id", "name", "shown_state", "state_reason", "cluster", "queue", "project", "owner", "login",
        "account", "nodes", "tasks", "cores", "gpus", "walltime", "submitted", "started", "ended", "exit_code",
        "seen_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return services.light_jobs(super().get_queryset(request))

    def view_on_site(self, job: Job) -> str:
        return reverse("hpc:job-detail", args=[job.pk])
