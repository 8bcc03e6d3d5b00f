"""People, what they agreed to and what they are mailed, in the admin console; never what signs them in."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts import services
from accounts.models import Acceptance, Agreement, Mail, PortalRole, Profile, User, Webhook
from activity.admin import Seen, SeenInline, deed, word


class RoleFilter(admin.SimpleListFilter):
    title = "portal role"
    parameter_name = "portal_role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*PortalRole.choices, ("admin", "Administrator")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        role = self.value()
        if role == "admin":
            return queryset.filter(is_superuser=True)
        return queryset.filter(portal_roles__contains=[role]) if role else queryset


class ProfileInline(SeenInline):
    model = Profile
    show_change_link = False
    fields = ("title", "institution", "institution_role", "department", "country", "phone", "citizenship", "advisor")


class AcceptanceInline(SeenInline):
    model = Acceptance
    show_change_link = False
    fields = ("agreement", "accepted_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Acceptance]:
        return super().get_queryset(request).select_related("agreement")


@admin.register(User)
class UserAdmin(Seen):
    """People. Their state is moved by services alone; passwords are not shown, nor set for anybody."""

    list_display = (
        "username",
        "full_name",
        "email",
        "shown_state",
        "source",
        "shown_roles",
        "created_at",
        "last_login",
    )
    list_filter = ("state", "source", RoleFilter)
    search_fields = ("username", "email", "first_name", "last_name")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    inlines = (ProfileInline, AcceptanceInline)
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email", "shown_state", "state_reason")}),
        ("Portal", {"fields": ("shown_roles", "source", "directory_dn", "expires_at", "created_at", "last_login")}),
    )
    actions = (
        deed("Approve", lambda actor, user, _: services.approve_account(actor=actor, user=user), "approved"),
        deed(
            "Deny (with a reason)",
            lambda actor, user, reason: services.deny_account(actor=actor, user=user, reason=reason),
            "denied",
        ),
        deed(
            "Suspend (with a reason)",
            lambda actor, user, reason: services.suspend_account(actor=actor, user=user, reason=reason),
            "suspended",
        ),
        deed(
            "Block (with a reason)",
            lambda actor, user, reason: services.block_account(actor=actor, user=user, reason=reason),
            "blocked",
        ),
        deed("Activate again", lambda actor, user, _: services.activate_account(actor=actor, user=user), "activated"),
    )

    def view_on_site(self, user: User) -> str:
        return reverse("projects:person-detail", args=[user.pk])

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="Roles")
    def shown_roles(self, user: User) -> str:
        return ", ".join([*(["administrator"] if user.is_superuser else []), *user.portal_roles])


class AgreementForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Agreement
        fields = ("name", "title", "text")


@admin.register(Agreement)
class AgreementAdmin(Seen):
    """Terms; a draft is written here and published, and what is published stays as it was accepted."""

    form = AgreementForm
    list_display = ("title", "name", "version", "is_in_force", "published_at", "created_at")
    list_filter = ("published_at",)
    search_fields = ("name", "title", "text")
    actions = (
        deed("Publish", lambda actor, terms, _: services.publish_agreement(actor=actor, agreement=terms), "published"),
        deed("Draft a new version", lambda actor, terms, _: _next_version(actor, terms), "drafted"),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Agreement | None = None) -> bool:
        return obj is not None and obj.published_at is None

    def get_fields(self, request: HttpRequest, obj: Agreement | None = None) -> Any:
        return ("name", "title", "text") if obj is None else ("name", "version", "title", "text", "published_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Agreement | None = None) -> Any:
        return () if obj is None else ("name", "version", "published_at")

    def save_model(self, request: HttpRequest, obj: Agreement, form: Any, change: bool) -> None:
        words = {"title": obj.title, "text": obj.text}
        actor: Any = request.user
        if change:
            services.edit_agreement(actor=actor, agreement=obj, **words)
        else:
            obj.__dict__.update(services.draft_agreement(actor=actor, name=obj.name, **words).__dict__)

    @admin.display(description="State")
    def is_in_force(self, agreement: Agreement) -> SafeString:
        return word("published" if agreement.published_at else "draft")


def _next_version(actor: User, agreement: Agreement) -> None:
    services.draft_agreement(actor=actor, name=agreement.name, title=agreement.title, text=agreement.text)


@admin.register(Mail)
class MailAdmin(Seen):
    """Mails on their way; their texts may hold links that sign somebody in, and are not shown."""

    list_display = ("created_at", "to", "subject", "shown_mail", "attempts", "problem")
    list_display_links = ("created_at", "subject")
    search_fields = ("to", "subject")
    date_hierarchy = "created_at"
    fields = ("to", "subject", "created_at", "sent_at", "next_at", "attempts", "problem")

    @admin.display(description="State")
    def shown_mail(self, mail: Mail) -> SafeString:
        return word("sent" if mail.sent_at else "waiting" if mail.next_at else "failed", mail.problem)


@admin.register(Webhook)
class WebhookAdmin(Seen):
    """Whose programs are told; of a URL only the host, as the rest often is a secret."""

    list_display = ("host", "owner", "topic", "shown_webhook", "failures", "problem", "created_at")
    list_select_related = ("owner",)
    list_filter = ("is_enabled",)
    search_fields = ("owner__username", "topic")
    fields = ("host", "owner", "topic", "kinds", "shown_webhook", "failures", "problem", "seq", "created_at")

    @admin.display(description="State")
    def shown_webhook(self, webhook: Webhook) -> SafeString:
        return word("off" if not webhook.is_enabled else "slow" if webhook.failures else "ok", webhook.problem)
