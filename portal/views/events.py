"""What happened, newest first."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from activity.models import Event
from activity.views import SIGNED, needs
from hpc.models import Job
from projects.models import Project
from projects.views import Filter, Listing, project_filter

#: Kinds that are offered; any other is found by its name in the URL.
KINDS = (
    "server", "job", "operation", "cloud", "scheduler", "image", "flavor", "key", "default", "membership", "project",
    "token",
)  # fmt: skip


@needs(SIGNED)
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
        return told(super().records(), self.request.GET.get("kind", ""))


def told(events: QuerySet[Event], asked: str = "") -> QuerySet[Event]:
    """Without those that only say that something still goes on, or that the portal looked; but for the kind asked.

    What goes on at a cluster beside one's projects is quiet, too: other people's jobs, and nodes that these fill.
    """
    ours = Job.objects.filter(pk=OuterRef("object_id"), project__isnull=False)
    quiet = {
        "credential": Q(kind="credential"),
        "operation": Q(kind="operation", verb="progress"),
        "job": Q(kind="job") & ~Exists(ours),
        "node": Q(kind="node"),
        "queue": Q(kind="queue"),
    }
    for kind, condition in quiet.items():
        events = events if kind == asked else events.exclude(condition)
    return events


def _of_project(name: str) -> Q:
    return Q(project_id__in=Project.objects.filter(name=name).values("pk"))
