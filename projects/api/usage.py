"""What was used, over REST: as JSON, or as a file for spreadsheets."""

from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from activity.api import Answer, Few, Signed, check_parameters
from activity.views import SIGNED, needs
from cloudmesh.errors import Invalid, near
from projects import access
from projects.models import Project
from projects.services import usage
from projects.services.usage import By

FORMATS = ("json", "csv")
PARAMETERS = {
    "project": OpenApiParameter("project", description="Of this project, by name or id; else all that you see."),
    "since": OpenApiParameter("since", description="A day or moment (UTC), or 7d: that many days with today."),
    "until": OpenApiParameter("until", description="A day, which counts in full, or a moment."),
    "by": OpenApiParameter("by", enum=By.values, description="What it is divided by; usually day."),
    "format": OpenApiParameter("format", enum=FORMATS, description="csv is a file for spreadsheets."),
}


class UsedAnswer(Answer):
    """What was used of each resource."""

    name = serializers.CharField(help_text="The day, person, cloud or project; without one: found at a cloud")
    core_hours = serializers.FloatField()
    ram_hours = serializers.FloatField(help_text="GiB·h")
    disk_hours = serializers.FloatField(help_text="GiB·h")
    node_hours = serializers.FloatField()


class UsageAnswer(Few):
    """What was used in a period, exactly, and divided by one thing."""

    results = UsedAnswer(many=True)
    total = UsedAnswer()
    by = serializers.ChoiceField(By.choices)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


@needs(SIGNED)
class Usage(APIView):
    """What projects used, from when their clouds began to build until it was gone."""

    by_project = True

    @extend_schema(
        operation_id="usage",
        parameters=list(PARAMETERS.values()),
        responses={(200, "application/json"): UsageAnswer, (200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Signed) -> HttpResponseBase:
        check_parameters(request, list(PARAMETERS))
        asked = request.query_params
        by = _one_of("by", asked.get("by") or By.DAY, By.values)
        form = _one_of("format", asked.get("format") or "json", FORMATS)
        project = _project(request, asked.get("project", ""))
        period = usage.parse_period(since=asked.get("since", ""), until=asked.get("until", ""))
        report = usage.report_usage(actor=request.user, project=project, period=period)
        if form == "json":
            return Response(_answer(report, by))
        headers = {"Content-Disposition": f'attachment; filename="{usage.file_name(report, project, by)}"'}
        return StreamingHttpResponse(usage.csv_of(report, by), content_type="text/csv; charset=utf-8", headers=headers)


def _answer(report: usage.Report, by: str) -> dict[str, Any]:
    return {
        "next": None,
        "previous": None,
        "results": UsedAnswer.rows(report.of(by)),
        "total": UsedAnswer.row(report.total),
        "by": by,
        "since": report.period.since,
        "until": report.period.until,
    }


def _project(request: Signed, name: str) -> Project | None:
    return access.project_named(request.user, name, permission="usage.view") if name else None


def _one_of(name: str, value: str, known: Any) -> str:
    if value not in known:
        raise Invalid(f"{name} is one of {', '.join(known)}; not {value[:40]!r}.{near(value[:40], known)}", field=name)
    return value
