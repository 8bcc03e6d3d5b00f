"""How much was used: by day, person, cloud and project, from the spans that changes of state left behind."""

import csv
import dataclasses
import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from cloudmesh.errors import Invalid
from projects import access
from projects.models import Project, Span

DAY = datetime.timedelta(days=1)
MONTH = 30  # days, the period when none is said
LONGEST = 1100  # days, three years
DAYS = re.compile(r"([1-9]\d{0,3})d")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet take a cell for more than text


class By(models.TextChoices):
    """What the use of a period is divided by."""

    DAY = "day"
    USER = "user"
    CLOUD = "cloud"
    PROJECT = "project"


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """From a moment up to another; days are those of UTC."""

    since: datetime.datetime
    until: datetime.datetime

    @property
    def days(self) -> list[datetime.date]:
        """Every day that has begun."""
        last = min(self.until, timezone.now()) - datetime.timedelta.resolution
        first = self.since.date()
        return [first + DAY * number for number in range((last.date() - first).days + 1)]

    @property
    def last_day(self) -> datetime.date:
        return (self.until - datetime.timedelta.resolution).date()


@dataclasses.dataclass(frozen=True, slots=True)
class Use:
    """What one day, person, cloud or project used; GiB·h of memory and disk."""

    name: str  # without one: found at a cloud, nobody here asked for it
    core_hours: float = 0.0
    ram_hours: float = 0.0
    disk_hours: float = 0.0
    node_hours: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    period: Period
    total: Use
    parts: Mapping[str, list[Use]]  # by each of By

    def of(self, by: str) -> list[Use]:
        return self.parts[by]


#: A span is cut at midnight (UTC), at the ends of the period and at this moment; what is left of it counts exactly.
REPORT = """
WITH piece AS (
    SELECT day, user_id, label, project_id, cores, ram, disk, nodes,
           extract(epoch FROM least(span.ends_at, day + interval '24 hours', bound.until)
                              - greatest(span.begins_at, day, bound.since)) AS seconds
    FROM (VALUES (%s::timestamptz, least(%s::timestamptz, statement_timestamp()))) AS bound (since, until)
    CROSS JOIN ({spans}) AS span
    CROSS JOIN LATERAL generate_series(
        date_trunc('day', greatest(span.begins_at, bound.since), 'UTC'), least(span.ends_at, bound.until),
        interval '24 hours'
    ) AS day
), part AS (
    SELECT grouping(day, user_id, label, project_id) AS what, day, user_id, label, project_id,
           sum(cores * seconds) / 3600 AS cores, sum(ram * seconds) / 3600 / 1024 AS ram,
           sum(disk * seconds) / 3600 AS disk, sum(nodes * seconds) / 3600 AS nodes
    FROM piece WHERE seconds > 0
    GROUP BY GROUPING SETS ((day), (user_id), (label), (project_id), ())
)
SELECT what, coalesce(to_char(day AT TIME ZONE 'UTC', 'YYYY-MM-DD'), person.username, label, project.name, ''),
       part.cores, part.ram, part.disk, part.nodes
FROM part
LEFT JOIN accounts_user AS person ON person.id = part.user_id
LEFT JOIN projects_project AS project ON project.id = part.project_id
ORDER BY part.cores DESC, part.disk DESC, 2
"""
WHAT = {0b0111: By.DAY, 0b1011: By.USER, 0b1101: By.CLOUD, 0b1110: By.PROJECT}


def report_usage(*, actor: User, project: Project | None = None, period: Period) -> Report:
    """What `project` used in `period`, or all projects that `actor` sees; one question. Raises NotAllowed."""
    if project is not None:
        access.require(actor, "usage.view", project)
    spans = access.visible(Span, actor).filter(Q(ends_at=None) | Q(ends_at__gt=period.since))
    spans = spans.filter(begins_at__lt=period.until)
    rows = _read(spans if project is None else spans.filter(project=project), period)
    parts: dict[str, list[Use]] = {by: [] for by in By}
    total = Use("")
    for what, use in rows:
        if what in WHAT:
            parts[WHAT[what]].append(use)
        else:
            total = use
    parts[By.DAY] = _every_day(parts[By.DAY], period)
    return Report(period, total, parts)


def parse_period(since: str = "", until: str = "") -> Period:
    """Of dates, moments, or `7d`: that many days with today; without words the last 30. Raises Invalid."""
    begin = _moment("since", since or f"{MONTH}d", of_day=datetime.timedelta())
    end = _moment("until", until, of_day=DAY) if until else _midnight(timezone.now()) + DAY
    if begin >= end:
        raise Invalid(f"A period ends after it begins; {since or begin.date()} is not before {until}.", field="since")
    if end - begin > DAY * LONGEST:
        raise Invalid(f"A period has at most {LONGEST} days. Ask for a shorter one.", field="since")
    return Period(begin, end)


def csv_of(report: Report, by: str) -> Iterator[str]:
    """The lines of a file for spreadsheets, none of whose cells is taken for a formula."""
    fields = [field.name for field in dataclasses.fields(Use)]
    yield from _csv([[by, *fields[1:]]])
    for use in report.of(by):
        yield from _csv([[_harmless(use.name), *(f"{getattr(use, name):.6f}" for name in fields[1:])]])


def file_name(report: Report, project: Project | None, by: str) -> str:
    period = report.period
    return f"usage-{project or 'all'}-{period.since.date()}-{period.last_day}-by-{by}.csv"


def _read(spans: models.QuerySet[Span], period: Period) -> list[tuple[int, Use]]:
    """The predicate of `access` stands inside the question: it is the only one who knows who sees what."""
    wanted = ("user_id", "label", "project_id", "cores", "ram", "disk", "nodes", "begins_at", "ends_at")
    sql, parameters = spans.order_by().values(*wanted).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(REPORT.format(spans=sql), [period.since, period.until, *parameters])
        return [(what, Use(name, *(float(amount or 0) for amount in rest))) for what, name, *rest in cursor.fetchall()]


def _every_day(known: Iterable[Use], period: Period) -> list[Use]:
    """In order, those without any use too."""
    by_day = {use.name: use for use in known}
    return [by_day.get(day.isoformat(), Use(day.isoformat())) for day in period.days]


def _moment(field: str, text: str, *, of_day: datetime.timedelta) -> datetime.datetime:
    """A day stands for its beginning, or plus `of_day`; a moment without a time zone is of UTC."""
    text = text.strip()
    if days := DAYS.fullmatch(text):
        return _midnight(timezone.now()) - DAY * (int(days[1]) - 1)
    try:
        moment = datetime.datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
        return moment if "T" in text or " " in text else moment + of_day
    except (ValueError, OverflowError):
        raise Invalid(
            f"{field} is a day such as 2026-03-31, a moment such as 2026-03-31T12:00Z, or 7d for the last 7 days; "
            f"not {text[:40]!r}.",
            field=field,
        ) from None


def _midnight(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


class _Echo:
    """What the CSV writer writes to: gives each line back."""

    def write(self, line: str) -> str:
        return line


def _csv(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    return (writer.writerow(row) for row in rows)
