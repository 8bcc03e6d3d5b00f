"""The nodes of a cluster as a grid of squares, and what is known of one."""

import uuid
from collections import Counter
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from activity.views import SIGNED, needs
from cloudmesh.errors import NotFound
from hpc import services
from hpc.models import LIVE, Job, Node
from hpc.views.clusters import NODES, cluster_cards, seen_cluster
from projects import access
from projects.views import Signed, dress

MOST = 2_000  # squares on a page
MOST_JOBS = 50
QUARTERS = 4


@needs(SIGNED)
@require_safe
def cluster_nodes(request: Signed, pk: uuid.UUID) -> HttpResponse:
    cluster = cluster_cards(request.user, [seen_cluster(request.user, pk)])[0]
    wanted = request.GET.get("state", "")
    found = list(services.nodes_of(cluster, cluster.queue_list).defer("native", "properties", "jobs")[:MOST])
    found.sort(key=lambda node: natural(node.name))
    counts = Counter(node.state for node in found)
    context = {
        "cluster": cluster,
        "tab": "nodes",
        "wanted": wanted,
        "legend": [{"state": state, "count": counts[state]} for state in NODES if counts[state]],
        "nodes": [_square(node) for node in found if wanted in ("", node.state)],
        "most": MOST if len(found) == MOST else None,
    }
    return render(request, "hpc/cluster_nodes.html", context)


@needs(SIGNED)
@require_safe
def node_detail(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """One node, and the jobs on it that the reader may see."""
    seen = access.visible(Node, request.user).select_related("scheduler")
    node = seen.defer("scheduler__credential", "scheduler__pending").filter(pk=pk).first()
    if node is None:
        raise NotFound(f"There is no node {pk}, or none that you may see.")
    there = Q(provider_id__in=node.jobs) | Q(hosts__contains=[node.name], state__in=LIVE)
    jobs = services.light_jobs(access.visible(Job, request.user)).filter(there, scheduler=node.scheduler)
    uses = [("cores", node.cores_used, node.cores), ("ram", node.memory_used, node.memory)]
    uses += [("gpus", node.gpus_used, node.gpus)] if node.gpus else []
    context = {
        "node": node,
        "uses": [(name, services.Use(used=used, limit=limit or None)) for name, used, limit in uses],
        "jobs": jobs.order_by("-started", "-pk")[:MOST_JOBS],
    }
    return render(request, "hpc/_node.html", context)


def _square(node: Node) -> Any:
    """How full its square is drawn, in quarters: what little is used still shows."""
    share = node.cores_used / node.cores if node.cores else 0
    return dress(node, fill=max(min(QUARTERS, round(share * QUARTERS)), 1 if share else 0))


def natural(name: str) -> list[tuple[int, str]]:
    """So that n10 comes after n9.

    >>> sorted(["n10", "n9", "n1-2"], key=natural)
    ['n1-2', 'n9', 'n10']
    """
    parts: list[str] = []
    for char in name:
        if parts and parts[-1][-1].isdecimal() == char.isdecimal():
            parts[-1] += char
        else:
            parts.append(char)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
