"""What a project used, and what all of them did: charts, tables and files."""

import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from activity.views import needs
from cloudmesh.errors import Invalid
from projects import access
from projects.models import Project
from projects.services import usage
from projects.services.usage import By, Report, Use
from projects.views.lists import Signed

ROWS = 100
CHARTS = (  # of a chart each: a field of what is used, its name, its unit
    ("core_hours", "Cores", "core·h"),
    ("ram_hours", "Memory", "GiB·h"),
    ("disk_hours", "Disk", "GiB·h"),
    ("node_hours", "Nodes", "node·h"),
)


@needs("usage.view")
@require_safe
def project_usage(request: Signed, name: str) -> HttpResponseBase:
    project = access.project_named(request.user, name, permission="usage.view")
    return _page(request, project, (By.DAY, By.USER, By.CLOUD))


@needs("portal.usage")
@require_safe
def staff_usage(request: Signed) -> HttpResponseBase:
    access.require_portal(request.user, "portal.usage")
    return _page(request, None, (By.PROJECT, By.USER, By.CLOUD, By.DAY))


def _page(request: Signed, project: Project | None, ways: tuple[By, ...]) -> HttpResponseBase:
    since, until = request.GET.get("since", ""), request.GET.get("until", "")
    by = request.GET.get("by", "") or ways[0]
    if by not in ways:
        raise Invalid(f"by is one of {', '.join(ways)}, not {by[:40]!r}.", field="by")
    period = usage.parse_period(since=since, until=until)
    report = usage.report_usage(actor=request.user, project=project, period=period)
    if request.GET.get("format") == "csv":
        return _file(report, project, by)
    page = Paginator(_newest_first(report, by), ROWS).get_page(request.GET.get("page"))
    context = {"of": project, "report": report, "by": by, "ways": ways, "page_obj": page}
    context |= {"presets": _presets(since, until), "since": since or f"{usage.MONTH}d", **_charts(report)}
    return render(request, "projects/usage.html", context)


def _file(report: Report, project: Project | None, by: str) -> HttpResponseBase:
    headers = {"Content-Disposition": f'attachment; filename="{usage.file_name(report, project, by)}"'}
    return StreamingHttpResponse(usage.csv_of(report, by), content_type="text/csv; charset=utf-8", headers=headers)


def _newest_first(report: Report, by: str) -> list[Use]:
    return report.of(by)[::-1] if by == By.DAY else report.of(by)


def _presets(since: str, until: str) -> list[dict[str, Any]]:
    """Periods that are one click away: the words of the URL, and whether they are in it."""
    month = timezone.now().date().replace(day=1)
    last = month - usage.DAY
    periods = [
        ("7 days", "7d", ""),
        ("30 days", "30d", ""),
        ("90 days", "90d", ""),
        ("This month", f"{month}", ""),
        ("Last month", f"{last.replace(day=1)}", f"{last}"),
        ("This year", f"{month.replace(month=1)}", ""),
    ]
    current = (since or f"{usage.MONTH}d", until)
    return [{"label": label, "since": a, "until": b, "is_current": (a, b) == current} for label, a, b in periods]


def _charts(report: Report) -> dict[str, Any]:
    """One for each resource, and what they are drawn from: days as seconds since 1970, amounts for each chart."""
    days, total = report.of(By.DAY), report.total
    drawn = [chart for chart in CHARTS if chart[0] != "node_hours" or total.node_hours]
    charts = [
        {"field": field, "label": label, "unit": unit, "total": getattr(total, field)} for field, label, unit in drawn
    ]
    begins = [datetime.datetime.fromisoformat(day.name).replace(tzinfo=datetime.UTC).timestamp() for day in days]
    amounts = {field: [round(getattr(day, field), 3) for day in days] for field, *_ in drawn}
    return {"charts": charts, "drawing": {"days": begins, **amounts}}
