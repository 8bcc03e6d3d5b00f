"""The frame of every page: where one is and works, how the clouds are, and what to listen to."""

from typing import Any

from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from activity.models import Event
from clouds import services
from clouds.models import AccountState, CloudAccount
from projects import access
from projects.views import Signed


def chrome(request: HttpRequest) -> dict[str, Any]:
    """What the frame shows; three questions to the database, whatever the page."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"portal_name": settings.PORTAL_NAME}
    places = access.workplaces(user)
    clouds = services.known_clouds(user)
    return {
        "portal_name": settings.PORTAL_NAME,
        "nav": _nav(request),
        "project": places[0] if places else None,
        "projects": sorted(places, key=str),
        "health": [_health(cloud) for cloud in clouds],
        "live_topics": [user.topic, *sorted({place.topic for place in places} | {cloud.topic for cloud in clouds})],
        "live_seq": Event.objects.aggregate(last=Max("seq"))["last"] or 0,
    }


@require_safe
def health(request: Signed) -> HttpResponse:
    """The clouds' health in the top bar, to be read again."""
    return render(request, "components/health.html")


def _nav(request: HttpRequest) -> str:
    """The noun of the sidebar that a page is about."""
    match = request.resolver_match
    if match is None:
        return ""
    noun = {"operations": "operation", "activity": "event"}.get(match.namespace) or match.url_name or ""
    return "dashboard" if noun == "dashboard" else f"{noun.partition('-')[0]}s"


def _health(cloud: CloudAccount) -> dict[str, Any]:
    is_working = cloud.state == AccountState.ACTIVE
    return {
        "pk": cloud.pk,
        "name": cloud.cloud.name,
        "state": "off" if not cloud.is_enabled else cloud.health if is_working else cloud.state,
        "reason": cloud.health_reason if is_working else cloud.state_reason,
        "seen_at": vars(cloud)["read_at"],
    }
