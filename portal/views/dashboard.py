"""The first page: how the clouds and clusters are, what is under way, what happened and what comes next."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from activity.models import Event
from activity.views import SIGNED, needs
from clouds.models import CloudAccount
from clouds.views import cloud_cards, next_context
from hpc.services import known_clusters
from hpc.views import cluster_cards
from operations.models import OPEN, Operation
from portal.views.events import told
from projects import access
from projects.views import Signed

RECENT = 12
RUNNING = 8
CLUSTERS = 6


@needs(SIGNED)
@require_safe
def dashboard(request: Signed) -> HttpResponse:
    events = told(access.visible(Event, request.user)).exclude(kind="operation").order_by("-pk")
    operations = access.visible(Operation, request.user).filter(state__in=OPEN, parent=None)
    context = {
        "clouds": cloud_cards(request, access.visible(CloudAccount, request.user)),
        "clusters": cluster_cards(request.user, known_clusters(request.user)[:CLUSTERS]),
        "events": events[:RECENT],
        "operations": operations.defer("params", "result")[:RUNNING],
        **next_context(request),
    }
    return render(request, "portal/dashboard.html", context)
