"""What happened, newest first."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from activity.models import Event
from projects.models import Project
from projects.views import Filter, Listing, project_filter

#: Kinds a reader can ask for; what only an auditor wants to know is found by its name in the URL.
KINDS = ("server", "operation", "cloud", "image", "flavor", "key", "default", "membership", "project", "token")
QUIET = ("credential",)


class EventList(Listing):
    model = Event
    template_name = "activity/event_list.html"
    name = "events"
    words = ("name", "verb", "reason", "actor_name")

    def filters(self) -> Iterable[Filter]:
        yield Filter(
            name="kind", label="Kind", choices=[(kind, kind) for kind in KINDS], where=lambda kind: Q(kind=kind)
        )
        yield project_filter(self.request.user, _of_project)

    def records(self) -> QuerySet[Any]:
        asked = self.request.GET.get("kind", "")
        return super().records().exclude(kind__in=[kind for kind in QUIET if kind != asked])


def _of_project(name: str) -> Q:
    return Q(project_id__in=Project.objects.filter(name=name).values("pk"))
