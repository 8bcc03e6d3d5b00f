"""Defaults: all of them on one page, for oneself, for the project, for the portal; and setting one."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View

from accounts.models import SshKey
from accounts.views import own_page
from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid, NotFound
from clouds import defaults, services
from projects import access
from projects.models import Project
from projects.views import Signed, answer

WORDS = {"security_group": "security group", "last_server": "last server", "schema": "naming schema", "width": "digits"}
FOR = {defaults.OWN: "your", defaults.PROJECT: "the project's", defaults.PORTAL: "the portal's"}
TABS = ((defaults.OWN, "Yours"), (defaults.PROJECT, "The project's"), (defaults.PORTAL, "The portal's"))


@needs(SIGNED)
class Defaults(View):
    def get(self, request: Signed) -> HttpResponse:
        scope = _scope(request.GET.get("scope", ""))
        place = _place(request)
        why_not = _why_not(request, scope, place)
        context = {
            "scope": scope,
            "tabs": TABS,
            "why_not": why_not,
            "rows": _rows(request, scope, place),
            "coming": _coming(request, place) if scope == defaults.OWN else None,
        }
        return render(request, "clouds/default_list.html", context)

    def post(self, request: Signed) -> HttpResponse:
        """Set one, or remove it with an empty value."""
        key, value, cloud = (request.POST.get(name, "").strip() for name in ("key", "value", "cloud"))
        scope = _scope(request.POST.get("scope", ""))
        project = None if scope == defaults.PORTAL else access.default_project(request.user)
        services.set_default(actor=request.user, project=project, key=key, value=value, cloud=cloud, scope=scope)
        where = " ".join(filter(None, (f"on {cloud}" if cloud else "", f"in {project}" if project else "")))
        back = own_page(request) if request.POST.get("next") else reverse("portal:dashboard")
        word = WORDS.get(key, key)
        title = f"{value} is {FOR[scope]} default {word}" if value else f"No {word} is {FOR[scope]} default any more"
        return answer(request, title, detail=where, back=back)


def _scope(text: str) -> str:
    if text and text not in defaults.SCOPES:
        raise Invalid(f"scope is one of {', '.join(defaults.SCOPES)}; not {text[:40]!r}.", field="scope")
    return text or defaults.OWN


def _place(request: Signed) -> Project | None:
    return next(iter(access.workplaces(request.user)), None)


def _why_not(request: Signed, scope: str, place: Project | None) -> str:
    """Why the reader cannot set what is on the page; empty when they can."""
    if scope == defaults.PORTAL:
        return "" if access.may(request.user, "default.manage") else "they are set by the portal's staff."
    if place is None:
        return "you are in no active project."
    return access.why_not(request.user, "project.manage" if scope == defaults.PROJECT else "project.view", place)


def _rows(request: Signed, scope: str, place: Project | None) -> list[dict[str, Any]]:
    """Each default with the words to choose from, where these are few."""
    found: Sequence[services.InForce] = []
    if scope == defaults.PORTAL:
        found = services.portal_defaults()
    elif place:
        found = services.defaults_in_force(actor=request.user, project=place, scope=scope)
    choices = {
        "format": list(services.FORMATS),
        "cloud": _clouds(request, place),
        "key": [key.name for key in access.visible(SshKey, request.user)] if scope == defaults.OWN else [],
    }
    return [
        {
            "default": row,
            "id": f"{row.key}-{row.cloud or ''}",
            "word": WORDS.get(row.key, row.key),
            "set": row.value if row.source == scope else "",
            "choices": choices.get(row.key, []),
        }
        for row in found
        if scope == defaults.OWN or row.key != "last_server"
    ]


def _clouds(request: Signed, place: Project | None) -> list[str]:
    known = services.known_clouds(request.user)
    return [str(cloud) for cloud in known if place and cloud.project_id == place.pk and cloud.is_usable]


def _coming(request: Signed, place: Project | None) -> services.NextName | None:
    try:
        return services.next_naming(actor=request.user, project=place) if place else None
    except NotFound:
        return None  # names have the cloud in them, and there is none
