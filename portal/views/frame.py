"""The frame of every page: where one is and works, how the clouds are, and what to listen to."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db.models import Count, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Notice, User
from activity.models import Event
from activity.views import SIGNED, needs
from clouds import services
from clouds.models import CloudAccount
from operations.models import CredentialState
from projects import access
from projects.views import Signed, is_htmx

Answering = Callable[[HttpRequest], HttpResponse]
FRAMELESS = ("/api/", "/admin/")  # have no frame, or one of their own


def numbered(get_response: Answering) -> Answering:
    """Middleware: where a page's events begin is read before its rows, so that no change falls in between."""

    def pages(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    pages.process_view = _number  # type: ignore[attr-defined]
    return pages


def _number(request: HttpRequest, *view: Any) -> None:
    if isinstance(request.user, User) and not is_htmx(request) and not request.path.startswith(FRAMELESS):
        vars(request).update(_numbers(request.user))


def _numbers(user: User) -> dict[str, int]:
    """The number of the last event, and how many notices `user` has not read; one question to the database."""
    last = Event.objects.exclude(seq=None).order_by("-seq").values("seq")[:1]
    unread = Notice.objects.filter(user=user.pk, read_at=None).order_by().values("user").annotate(n=Count("pk"))
    found = User.objects.filter(pk=user.pk).values_list(Subquery(last), Subquery(unread.values("n"))).first()
    seq, count = found or (0, 0)
    return {"live_seq": seq or 0, "unread": count or 0}


def chrome(request: HttpRequest) -> dict[str, Any]:
    """What the frame shows; three questions to the database, whatever the page."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or request.path.startswith(FRAMELESS):
        return {"portal_name": settings.PORTAL_NAME}
    places = access.workplaces(user)
    clouds = services.known_clouds(user)
    return {
        "portal_name": settings.PORTAL_NAME,
        "nav": _nav(request),
        "project": places[0] if places else None,
        "projects": sorted(places, key=str),
        "staff": [permission for permission in access.PORTAL if access.may(user, permission)],
        "decides": any(not access.why_not(user, "operation.approve", place) for place in places),
        "health": [_health(cloud) for cloud in clouds if places and cloud.project_id == places[0].pk],
        "live_topics": ["portal", user.topic, *sorted({place.topic for place in places} | _beyond(user, clouds))],
        "live_seq": vars(request).get("live_seq", 0),
        "unread": vars(request).get("unread", 0),
    }


def _beyond(user: User, clouds: Iterable[CloudAccount]) -> set[str]:
    """What one listens to beside the places where one works; who sees all projects needs no list of them."""
    return {"projects"} if access.sees_all(user) else {cloud.topic for cloud in clouds}


@needs(SIGNED)
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
    stem = noun.partition("-")[0].replace("application", "project")  # one applies for those
    return stem if stem == "dashboard" else f"{stem[:-1]}ies" if stem.endswith("cy") else f"{stem}s"


def _health(cloud: CloudAccount) -> dict[str, Any]:
    is_working = cloud.state == CredentialState.ACTIVE
    return {
        "pk": cloud.pk,
        "name": cloud.cloud.name,
        "state": "off" if not cloud.is_enabled else cloud.health if is_working else cloud.state,
        "reason": cloud.health_reason if is_working else cloud.state_reason,
        "seen_at": vars(cloud)["read_at"],
    }
