"""What jobs take: at once, and in core-hours over the last thirty days."""

import datetime
import uuid
from collections import defaultdict
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Coalesce, Extract
from django.utils import timezone

from hpc.models import LIVE, Job, Scheduler
from projects import quota
from projects.models import Project

PERIOD = datetime.timedelta(days=30)
AT_ONCE = ("jobs", "cores", "nodes")
HOUR = 3600


def taken_by(project: Project, **where: Any) -> quota.Taken:
    """What the jobs of a project take, by scheduler and owner, or those `where` something holds; two questions.

    A job takes the core-hours that it may use until it has ended, and those that it used from then on.
    """
    found: dict[str, dict[uuid.UUID | None, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    mine = Job.objects.filter(project=project, **where).order_by()
    live = mine.filter(state__in=LIVE).values_list("scheduler", "owner")
    promised = Sum(F("cores") * Coalesce(F("walltime"), 0) / HOUR, default=0)
    counted = live.annotate(
        count=Count("pk"), cores_=Sum("cores", default=0), nodes_=Sum("nodes", default=0), promised=promised
    )
    for scheduler, owner, jobs, cores, nodes, hours in counted:
        found[_lane(scheduler)][owner] = {"jobs": jobs, "cores": cores, "nodes": nodes, "core_hours": hours}
    for scheduler, owner, used in _used(mine):
        taken = found[_lane(scheduler)][owner]
        taken["core_hours"] = taken.get("core_hours", 0) + used
    return found


def _used(mine: QuerySet[Job]) -> list[tuple[uuid.UUID, uuid.UUID | None, int]]:
    since = timezone.now() - PERIOD
    ended = mine.filter(ended__gt=since, started__isnull=False).exclude(state__in=LIVE)
    rows = ended.values_list("scheduler", "owner").annotate(
        seconds=Sum(Extract(F("ended") - F("started"), "epoch") * F("cores"))
    )
    return [(scheduler, owner, round(float(seconds) / HOUR)) for scheduler, owner, seconds in rows]


def _lane(scheduler: uuid.UUID) -> str:
    return f"{Scheduler.KIND}:{scheduler}"


@quota.meter
def measured(project: Project) -> quota.Measured:
    """The schedulers where the project has jobs, or its own, by name, and what is taken in each."""
    taken = taken_by(project)
    own = Scheduler.objects.filter(project=project) | Scheduler.objects.filter(is_shared=True)
    return quota.Measured(labels={each.lane: str(each) for each in own.defer("credential", "pending")}, taken=taken)
