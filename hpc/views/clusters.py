"""Clusters as cards and pages, and what is done about the schedulers behind them."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from activity.models import Event
from activity.views import SIGNED, needs
from cloudmesh.errors import NotFound
from cloudmesh.types import NodeState, QueueState
from hpc import services
from hpc.models import Cluster, Identity, Scheduler
from operations.models import CredentialState
from projects import access
from projects.views import Signed, answer, dress, is_htmx

RECENT = 15
NODES = [state.value for state in NodeState]
PERIODS: Mapping[str, tuple[str, datetime.timedelta]] = {
    "1h": ("1 hour", datetime.timedelta(hours=1)),
    "1d": ("1 day", datetime.timedelta(days=1)),
    "7d": ("7 days", datetime.timedelta(days=7)),
}
CHARTS = (
    {"label": "Jobs", "unit": "jobs", "lines": "running waiting", "keys": ("running", "waiting")},
    {"label": "Cores", "unit": "cores", "lines": "used all", "keys": ("used", "all")},
)


@needs(SIGNED)
@require_safe
def cluster_list(request: Signed) -> HttpResponse:
    clusters = cluster_cards(request.user, services.known_clusters(request.user))
    return render(request, "hpc/cluster_list.html", {"clusters": clusters})


@needs(SIGNED)
@require_safe
def cluster_row(request: Signed, pk: uuid.UUID) -> HttpResponse:
    found = [cluster for cluster in services.known_clusters(request.user) if cluster.pk == pk]
    if not found:
        return HttpResponse(status=204)
    return render(request, "hpc/_cluster_card.html", {"cluster": cluster_cards(request.user, found)[0]})


@needs(SIGNED)
@require_safe
def cluster_detail(request: Signed, pk: uuid.UUID) -> HttpResponse:
    cluster = cluster_cards(request.user, [seen_cluster(request.user, pk)])[0]
    period = request.GET.get("period", "")
    period = period if period in PERIODS else "1d"
    scheduler = cluster.scheduler
    context = {
        "cluster": cluster,
        "tab": "overview",
        "queues": cluster.queue_list,
        "period": period,
        "periods": [(key, label) for key, (label, _) in PERIODS.items()],
        "charts": CHARTS,
        "drawing": _drawing(cluster, PERIODS[period][1]),
        "others": scheduler.clusters.exclude(pk=cluster.pk),
        "syncs": scheduler.syncs.order_by("kind"),
        "events": _events(request.user, scheduler)[:RECENT],
    }
    return render(request, "hpc/cluster_detail.html", context)


@needs(SIGNED)
@require_POST
def cluster_refresh(request: Signed, pk: uuid.UUID) -> HttpResponse:
    cluster = seen_cluster(request.user, pk)
    services.refresh_scheduler(actor=request.user, scheduler=cluster.scheduler)
    return answer(request, f"Reading {cluster} now", back=page_of(cluster))


@needs("cluster.manage")
@require_POST
def cluster_toggle(request: Signed, pk: uuid.UUID) -> HttpResponse:
    cluster = managed(request.user, pk)
    scheduler = cluster.scheduler
    services.switch_scheduler(actor=request.user, scheduler=scheduler, on=not scheduler.is_enabled)
    return answer(request, f"{scheduler} is switched {'on' if scheduler.is_enabled else 'off'}", back=page_of(cluster))


@needs("cluster.manage")
@require_POST
def cluster_remove(request: Signed, pk: uuid.UUID) -> HttpResponse:
    cluster = managed(request.user, pk)
    page, rest = page_of(cluster), reverse("hpc:cluster-list")
    services.remove_scheduler(actor=request.user, scheduler=cluster.scheduler)
    if is_htmx(request) and page in request.headers.get("HX-Current-URL", ""):
        return HttpResponse(status=204, headers={"HX-Redirect": rest})
    return answer(request, f"{cluster.scheduler} is removed", detail="What runs there goes on.", back=rest)


def seen_cluster(actor: User, pk: uuid.UUID | None) -> Cluster:
    """The cluster of this id, or the first of the scheduler of this id, if `actor` may see it. Raises NotFound."""
    visible = access.visible(Cluster, actor).select_related("scheduler__project")
    seen = visible.filter(Q(pk=pk) | Q(scheduler=pk)).first()
    if seen is None:
        raise NotFound(f"There is no cluster {pk}, or none that you may see.")
    return seen


def managed(actor: User, pk: uuid.UUID) -> Cluster:
    """The same, if `actor` may manage its scheduler. Raises NotFound, NotAllowed."""
    cluster = seen_cluster(actor, pk)
    access.permitted(cluster.scheduler, actor=actor, permission="cluster.manage")
    return cluster


def cluster_cards(actor: User, clusters: Sequence[Cluster]) -> list[Any]:
    """Clusters with what their cards show, in a constant number of questions."""
    known = services.cluster_facts(clusters, actor=actor)
    loads = services.queue_loads([queue for facts in known for queue in facts.queues])
    return [dress(_card(actor, facts), queue_list=_queues(facts, loads)) for facts in known]


def _card(actor: User, facts: services.ClusterFacts) -> Any:
    cluster, scheduler = facts.cluster, facts.cluster.scheduler
    driver = services.drivers().get(scheduler.driver)
    return dress(
        cluster,
        driver_label=driver.label if driver else scheduler.driver,
        seen_at=facts.seen_at,
        cores_in_use=services.Use(used=facts.cores_used, limit=facts.cores or None),
        running=facts.running,
        waiting=facts.waiting,
        states=[{"state": state, "count": facts.nodes[state]} for state in NODES if facts.nodes.get(state)],
        operation=facts.operation,
        login=facts.login,
        acts_as=services.who(scheduler, facts.login, actor),
        may_say_login=scheduler.identity == Identity.OWN,
        may_manage=not access.why_not(actor, "cluster.manage", scheduler.project, owner_id=scheduler.owner_id),
        word=_word(scheduler),
    )


def _word(scheduler: Scheduler) -> dict[str, str]:
    """How it is, in one word, and why."""
    if not scheduler.is_enabled:
        return {"state": "off", "reason": "Switched off: nothing is read or submitted here."}
    if scheduler.state == CredentialState.ACTIVE:
        return {"state": scheduler.health, "reason": scheduler.health_reason}
    return {"state": scheduler.state, "reason": scheduler.state_reason}


def _queues(facts: services.ClusterFacts, loads: Mapping[Any, Mapping[str, int]]) -> list[Any]:
    return [
        dress(
            queue,
            running=loads[facts.cluster.pk, queue.name]["running"],
            waiting=loads[facts.cluster.pk, queue.name]["waiting"],
            use=services.Use(used=queue.cores_used, limit=queue.cores or None),
            takes=queue.state in (QueueState.OPEN, QueueState.STOPPED, QueueState.UNKNOWN),
        )
        for queue in facts.queues
    ]


def _drawing(cluster: Cluster, period: datetime.timedelta) -> dict[str, Any]:
    """What the charts draw."""
    now = timezone.now()
    points = services.loads(cluster, since=now - period)
    return {
        "from": (now - period).timestamp(),
        "to": now.timestamp(),
        "at": [point.at.timestamp() for point in points],
        "running": [point.running for point in points],
        "waiting": [point.waiting for point in points],
        "used": [point.cores_used for point in points],
        "all": [point.cores for point in points],
    }


def _events(actor: User, scheduler: Scheduler) -> QuerySet[Event]:
    return access.visible(Event, actor).filter(object_id=scheduler.pk).exclude(kind="credential").order_by("-pk")


def page_of(cluster: Cluster) -> str:
    return reverse("hpc:cluster-detail", args=[cluster.pk])
