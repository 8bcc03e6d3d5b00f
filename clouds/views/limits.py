"""What all clouds allow and what is used there, in one table."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.views import Signed
from activity.views import SIGNED, needs
from clouds import services
from clouds.models import Limit
from projects import access

MOST = 5000
FIRST = ("instances", "cores", "ram", "volumes", "disk", "floating_ips", "security_groups")


@needs(SIGNED)
@require_safe
def limit_list(request: Signed) -> HttpResponse:
    """A row for each cloud, a column for each resource, and what all together have below."""
    seen = access.visible(Limit, request.user).select_related("account__cloud", "account__project")
    light = seen.defer("account__credential", "account__pending")
    limits = list(light.order_by("account__cloud__name", "account")[:MOST])
    facts = services.limit_facts(limits)
    resources = sorted({fact.resource for fact in facts}, key=_rank)
    rows: dict[Any, dict[str, Any]] = {}
    for limit, fact in zip(limits, facts, strict=True):
        row = rows.setdefault(limit.account_id, {"account": limit.account, "seen_at": fact.seen_at, "by": {}})
        row["by"][fact.resource] = fact
    totals = {total.resource: total for total in services.limit_totals(facts)}
    context = {
        "resources": resources,
        "rows": [{**row, "uses": [row["by"].get(name) for name in resources]} for row in rows.values()],
        "several": len({row["account"].project_id for row in rows.values()}) > 1,
        "totals": [totals[name] for name in resources] if len(rows) > 1 else [],
    }
    return render(request, "clouds/limit_list.html", context)


def _rank(resource: str) -> tuple[int, str]:
    return (FIRST.index(resource) if resource in FIRST else len(FIRST)), resource
