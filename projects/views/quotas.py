"""How much a project and each of its members may have, what is taken of it, and changing that."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from accounts.models import User
from accounts.views import Signed
from activity.views import needs
from cloudmesh.errors import Invalid
from projects import access, quota, services
from projects.models import Project, Quota
from projects.policy import RESOURCES
from projects.views.lists import answer
from projects.views.projects import about

MOST_DIGITS = 12


@needs("usage.view", post="quota.share")
class Quotas(View):
    """A project's page about its limits, and setting one of them."""

    def get(self, request: Signed, name: str) -> HttpResponse:
        project = access.project_named(request.user, name, permission="usage.view")
        context = about(request, project) | {"tab": "quotas"} | quotas_context(request.user, project)
        return render(request, "projects/project_quotas.html", context)

    def post(self, request: Signed, name: str) -> HttpResponse:
        project = access.project_named(request.user, name, permission="quota.share")
        form = request.POST
        wish: dict[str, Any] = {
            "actor": request.user,
            "project": project,
            "resource": form.get("resource", ""),
            "scope": form.get("scope", ""),
            "limit": _number(form.get("limit", "").strip()),
        }
        member = form.get("user", "").strip()
        if member:
            services.set_share(user=_member(project, member), **wish)
        else:
            services.set_quota(**wish)
        whose = f"the share of {member}" if member else f"the quota of {project}"
        return answer(request, f"Changed {whose}", back=reverse("projects:project-quotas", args=[project.name]))


def quotas_context(actor: User, project: Project) -> dict[str, Any]:
    """What `projects/_quotas.html` shows: the limits, and for those who may change them the form."""
    measured = quota.measure(project)
    may_share = not access.why_not(actor, "quota.share", project)
    members = User.objects.filter(memberships__project=project, is_active=True).order_by("username")
    return {
        "project_of_quotas": project,
        "quotas": [_shown(room) for room in quota.overview(project, measured)],
        "may_share": may_share,
        "may_limit": access.may(actor, "quota.limit"),
        "quota_scopes": quota.scopes(measured),
        "quota_resources": [(name, known.label) for name, known in RESOURCES.items() if not known.is_of_a_wish],
        "quota_members": list(members.values_list("username", flat=True)[:1000]) if may_share else [],
    }


def _shown(room: quota.Room) -> Mapping[str, Any]:
    is_provider = room.quota.source == Quota.Source.PROVIDER
    return {
        "resource": room.resource,
        "where": room.where or "everywhere",
        "scope": room.quota.scope,
        "whose": room.whose,
        "use": room,
        "left": room.left,
        "source": "the cloud's own" if is_provider else "a member's share" if room.whose else "the portal's",
        "is_provider": is_provider,
    }


def _member(project: Project, name: str) -> User:
    return access.first_named(User.objects.filter(memberships__project=project), name, field="username", kind="member")


def _number(text: str) -> int | None:
    """Empty takes the limit away."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise Invalid(f"The limit must be a whole number from 0, not {text[:40]!r}.", field="limit")
    return int(text)
