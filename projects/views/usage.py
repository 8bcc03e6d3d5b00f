"""What a project used, and what all of them did: charts, tables and files."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.views import Signed
from activity.views import needs
from cloudmesh.errors import Invalid
from projects import access
from projects.models import Project
from projects.services import usage
from projects.services.usage import By, Report, Use
from projects.views.projects import about, project_of

ROWS = 100
CHARTS = (  # of a chart each: a field of what is used, its name, its unit
    ("core_hours", "Cores", "core·h"),
    ("ram_hours", "Memory", "GiB·h"),
    ("disk_hours", "Disk", "GiB·h"),
    ("node_hours", "Nodes", "node·h"),
)
OF_PROJECT = (By.DAY, By.USER, By.CLOUD)
OF_ALL = (By.PROJECT, By.USER, By.CLOUD, By.DAY)


@needs("usage.view")
@require_safe
def project_usage(request: Signed, name: str) -> HttpResponseBase:
    project = project_of(request, name, "usage.view")
    report, by = _asked(request, project, OF_PROJECT)
    if request.GET.get("format") == "csv":
        return _file(report, project, by)
    context = about(request, project) | {"tab": "usage", "of": project, **_context(request, report, by, OF_PROJECT)}
    return render(request, "projects/project_usage.html", context)


@needs("portal.usage")
@require_safe
def staff_usage(request: Signed) -> HttpResponseBase:
    access.require_portal(request.user, "portal.usage")
    report, by = _asked(request, None, OF_ALL)
    if request.GET.get("format") == "csv":
        return _file(report, None, by)
    return render(request, "portal/staff_usage.html", _context(request, report, by, OF_ALL))


def _asked(request: Signed, project: Project | None, ways: Sequence[By]) -> tuple[Report, str]:
    """What was used in the period of the URL, and by what the table divides it. Raises Invalid, NotAllowed."""
    by = request.GET.get("by", "") or ways[0]
    if by not in ways:
        raise Invalid(f"by is one of {', '.join(ways)}, not {by[:40]!r}.", field="by")
    period = usage.parse_period(since=request.GET.get("since", ""), until=request.GET.get("until", ""))
    return usage.report_usage(actor=request.user, project=project, period=period), by


def _context(request: Signed, report: Report, by: str, ways: Sequence[By]) -> dict[str, Any]:
    since, until = request.GET.get("since", ""), request.GET.get("until", "")
    page = Paginator(_newest_first(report, by), ROWS).get_page(request.GET.get("page"))
    context = {"report": report, "by": by, "ways": ways, "page_obj": page, "since": since or f"{usage.MONTH}d"}
    return context | {"presets": _presets(since, until), **_charts(report)}


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
