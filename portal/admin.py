"""The admin console: everything there is, as it is, for administrators; changes go through services."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.models import AccountState, User
from clouds.models import CloudAccount
from operations.models import Health, Operation, OperationState
from projects import access
from projects.models import Application, ApplicationState, Policy, PolicyState

CLOSED = ("login", "password_change", "password_change_done")  # the portal has its own

#: What waits for somebody: words, records, the field, the values that wait.
WAITING: list[tuple[str, type[Model], str, tuple[str, ...]]] = [
    ("accounts to decide on", User, "state", (AccountState.CONFIRMED,)),
    ("applications before the committee", Application, "state", (ApplicationState.SUBMITTED,)),
    ("policies proposed", Policy, "state", (PolicyState.PROPOSED,)),
    ("wishes waiting for approval", Operation, "state", (OperationState.WAITING,)),
    ("clouds that do not answer", CloudAccount, "health", (Health.DOWN,)),
]
STAFF_PAGES = {
    "Accounts": "projects:person-list",
    "Committee": "projects:committee-list",
    "Policies": "projects:policy-list",
    "Effective policy": "projects:policy-effective",
    "Approvals": "portal:approval-list",
}


class Console(admin.AdminSite):
    """Signing in, out and changing passwords is done on the portal's own pages, with all that guards them."""

    site_title = f"{settings.PORTAL_NAME} console"
    site_header = site_title
    index_title = "Everything there is"
    empty_value_display = "–"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and access.may(request.user, "portal.console")

    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        if request.user.is_authenticated:
            raise PermissionDenied("The admin console is for administrators.")
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def get_urls(self) -> list[Any]:
        """Without the doors that the portal has itself."""
        kept = [each for each in super().get_urls() if getattr(each, "name", "") not in CLOSED]
        return [path("login/", self.login, name="login"), *kept]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {"waiting": _waiting(), "staff_pages": _staff_pages()}
        return super().index(request, {**context, **(extra_context or {})})


def _waiting() -> list[dict[str, Any]]:
    rows = []
    for words, model, field, values in WAITING:
        count = model._default_manager.filter(**{f"{field}__in": values}).aggregate(n=Count("pk"))["n"]
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        rows.append({"count": count, "words": words, "url": f"{url}?{field}__exact={values[0]}"})
    return rows


def _staff_pages() -> list[tuple[str, str]]:
    return [(words, reverse(name)) for words, name in STAFF_PAGES.items()]
