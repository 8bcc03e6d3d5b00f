"""Projects, what is asked of the committee, and policies, in the admin console."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from activity.admin import Seen, SeenInline, deed, differences, pretty
from projects import services
from projects.models import Application, Membership, Policy, Project, Quota, Remark, Review


class MemberInline(SeenInline):
    model = Membership
    verbose_name_plural = "members"
    show_change_link = False
    fields = ("user", "role", "joined_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user").order_by("role", "user__username")


class QuotaInline(SeenInline):
    model = Quota
    show_change_link = False
    fields = ("resource", "limit", "scope", "user", "source")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quota]:
        return super().get_queryset(request).select_related("user")


@admin.register(Project)
class ProjectAdmin(Seen):
    list_display = ("name", "title", "shown_state", "people", "join_open", "ends_at", "created_at")
    list_filter = ("state", "join_open")
    search_fields = ("name", "title")
    date_hierarchy = "created_at"
    inlines = (MemberInline, QuotaInline)
    fields = ("name", "title", "shown_state", "state_reason", "ends_at", "join_open", "created_at", "shown_details")
    actions = (
        deed(
            "Block (with a reason)",
            lambda actor, project, reason: services.block_project(actor=actor, project=project, reason=reason),
            "blocked",
        ),
        deed(
            "Let go on",
            lambda actor, project, reason: services.unblock_project(actor=actor, project=project, reason=reason),
            "let go on",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        projects: QuerySet[Project] = super().get_queryset(request)
        return projects.annotate(head_count=Count("memberships"))

    def view_on_site(self, project: Project) -> str:
        return reverse("projects:project-detail", args=[project.name])

    @admin.display(description="Members", ordering="head_count")
    def people(self, project: Project) -> int:
        return int(vars(project)["head_count"])

    @admin.display(description="Details")
    def shown_details(self, project: Project) -> SafeString:
        return pretty(project.details)


class ReviewInline(SeenInline):
    model = Review
    show_change_link = False
    fields = ("round", "reviewer", "vote", "comment", "at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        return super().get_queryset(request).select_related("reviewer")


class RemarkInline(SeenInline):
    model = Remark
    show_change_link = False
    fields = ("at", "author", "text", "is_internal")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Remark]:
        return super().get_queryset(request).select_related("author")


@admin.register(Application)
class ApplicationAdmin(Seen):
    """What is asked of the committee; it decides on its own pages."""

    list_display = ("project", "kind", "shown_state", "applicant", "round", "submitted_at", "decided_at", "decided_by")
    list_select_related = ("project", "applicant", "decided_by")
    list_filter = ("state", "kind")
    search_fields = ("project__name", "project__title", "applicant__username")
    date_hierarchy = "created_at"
    inlines = (ReviewInline, RemarkInline)
    fields = (
        "kind", "project", "applicant", "shown_state", "state_reason", "round", "submitted_at", "decided_at",
        "decided_by", "shown_changes", "shown_answers",
    )  # fmt: skip

    def view_on_site(self, application: Application) -> str:
        return reverse("projects:application-detail", args=[application.pk])

    @admin.display(description="Changes")
    def shown_changes(self, application: Application) -> SafeString | str:
        found = services.application_differences(application)
        return differences([(each.question.label, each.before, each.after) for each in found])

    @admin.display(description="Answers")
    def shown_answers(self, application: Application) -> SafeString:
        return pretty(application.answers)


@admin.register(Policy)
class PolicyAdmin(Seen):
    """Editions of policies; who proposes one does not approve it, here neither."""

    list_display = (
        "name",
        "edition",
        "shown_state",
        "effect",
        "service",
        "whom",
        "shown_limits",
        "starts_at",
        "ends_at",
    )
    list_display_links = ("name", "edition")
    list_filter = ("state", "effect", "subject_kind")
    search_fields = ("name", "service", "subject", "note")
    list_select_related = ("proposed_by", "approved_by")
    fields = (
        "name", "edition", "shown_state", "state_reason", "effect", "service", "whom", "shown_limits", "starts_at",
        "ends_at", "note", "proposed_by", "approved_by", "decided_at", "shown_changes",
    )  # fmt: skip
    actions = (
        deed("Propose", lambda actor, policy, _: services.propose_policy(actor=actor, policy=policy), "proposed"),
        deed("Approve", lambda actor, policy, _: services.approve_policy(actor=actor, policy=policy), "approved"),
        deed(
            "Return (with a reason)",
            lambda actor, policy, reason: services.return_policy(actor=actor, policy=policy, reason=reason),
            "returned",
        ),
        deed(
            "Retire (with a reason)",
            lambda actor, policy, reason: services.retire_policy(actor=actor, policy=policy, reason=reason),
            "retired",
        ),
    )

    def view_on_site(self, policy: Policy) -> str:
        return reverse("projects:policy-detail", args=[policy.pk])

    @admin.display(description="Whom")
    def whom(self, policy: Policy) -> str:
        return f"{policy.get_subject_kind_display()} {policy.subject}".strip()

    @admin.display(description="Limits")
    def shown_limits(self, policy: Policy) -> str:
        return services.limits_text(policy)

    @admin.display(description="Against the edition before")
    def shown_changes(self, policy: Policy) -> SafeString | str:
        former = Policy.objects.filter(series=policy.series, edition__lt=policy.edition).order_by("-edition").first()
        return differences(services.changes_between(former, policy) if former else [])
