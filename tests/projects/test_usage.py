"""What was used: exact to the microsecond, by day, person, cloud and project, for those who may know."""

import csv
import datetime
import io
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from cloudmesh.errors import Invalid, NotAllowed
from projects.models import Project, Span
from projects.services import usage
from projects.services.usage import By, Period, Report
from tests import factories
from tests.rest import Api

pytestmark = pytest.mark.django_db
MARCH = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
Login = Callable[..., Api]


def at(day: int, hour: float = 0) -> datetime.datetime:
    """A moment of March 2026, UTC."""
    return MARCH + datetime.timedelta(days=day - 1, hours=hour)


def take(
    project: Project,
    begins: datetime.datetime,
    ends: datetime.datetime | None,
    user: User | None = None,
    **amounts: Any,
) -> Span:
    usual: dict[str, Any] = {"cores": 2, "ram": 4096, "disk": 20, "label": "india", "object_id": uuid.uuid4()}
    return Span.objects.create(project=project, user=user, begins_at=begins, ends_at=ends, **usual | amounts)


def report(actor: User, project: Project | None, since: datetime.datetime, until: datetime.datetime) -> Report:
    return usage.report_usage(actor=actor, project=project, period=Period(since, until))


def hours(found: Report, by: str) -> dict[str, float]:
    return {use.name: use.core_hours for use in found.of(by) if use.core_hours}


# -- exactness -------------------------------------------------------------------------------------------------


def test_a_span_counts_its_amounts_times_its_hours(project: Project, member: User) -> None:
    take(project, at(2, 10), at(2, 13.5), member, nodes=1)
    total = report(member, project, at(1), at(4)).total
    assert (total.core_hours, total.ram_hours, total.disk_hours, total.node_hours) == (7.0, 14.0, 70.0, 3.5)


def test_a_span_over_midnights_is_cut_there(project: Project, member: User) -> None:
    take(project, at(1, 23), at(4, 1), member, cores=1)
    found = report(member, project, at(1), at(6))
    assert [(use.name, use.core_hours) for use in found.of(By.DAY)] == [
        ("2026-03-01", 1.0),
        ("2026-03-02", 24.0),
        ("2026-03-03", 24.0),
        ("2026-03-04", 1.0),
        ("2026-03-05", 0.0),
    ]
    assert found.total.core_hours == 50.0


def test_a_period_cuts_what_began_before_and_ends_after_it(project: Project, member: User) -> None:
    take(project, at(1), at(20), member, cores=1)
    assert report(member, project, at(5, 6), at(5, 8)).total.core_hours == 2.0


def test_what_touches_a_period_only_at_its_ends_is_not_in_it(project: Project, member: User) -> None:
    take(project, at(1), at(2), member)
    take(project, at(3), at(4), member)
    assert report(member, project, at(2), at(3)).total.core_hours == 0.0


def test_microseconds_count(project: Project, member: User) -> None:
    second = datetime.timedelta(seconds=1)
    for number in range(3):
        take(project, at(1) + number * second, at(1) + number * second + second / 3, member, cores=1)
    assert report(member, project, at(1), at(2)).total.core_hours * 3600 == pytest.approx(0.999999, abs=1e-9)


def test_days_are_those_of_utc_wherever_the_clock_stands(project: Project, member: User) -> None:
    tokyo = datetime.timezone(datetime.timedelta(hours=9))
    begins = datetime.datetime(2026, 3, 2, 3, tzinfo=tokyo)  # 18:00 of the first in UTC
    take(project, begins, begins + 8 * HOUR, member, cores=1)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'America/New_York'")
    assert hours(report(member, project, at(1), at(4)), By.DAY) == {"2026-03-01": 6.0, "2026-03-02": 2.0}


def test_what_goes_on_counts_up_to_now_and_never_into_the_future(project: Project, member: User) -> None:
    now = timezone.now()
    take(project, now - 3 * HOUR, None, member, cores=1)
    found = report(member, project, now - 10 * HOUR, now + 1000 * HOUR)
    assert found.total.core_hours == pytest.approx(3.0, abs=0.01)
    assert found.of(By.DAY)[-1].name == f"{timezone.now().date()}"


def test_asked_in_parts_it_is_the_same_as_asked_at_once(project: Project, member: User) -> None:
    for number in range(40):
        take(project, at(1, number * 3.7), at(1, number * 5.1 + 0.01), member, cores=number % 5)
    parts = [report(member, project, at(day), at(day + 1)).total.core_hours for day in range(1, 13)]
    whole = report(member, project, at(1), at(13))
    assert sum(parts) == pytest.approx(whole.total.core_hours, abs=1e-9)
    for by in By:
        assert sum(use.core_hours for use in whole.of(by)) == pytest.approx(whole.total.core_hours, abs=1e-9)


def test_it_is_told_by_whom_and_where(project: Project, member: User, lead: User) -> None:
    take(project, at(1), at(1, 1), member)
    take(project, at(1), at(1, 3), lead, label="sierra")
    take(project, at(1), at(1, 2), None, label="sierra")
    found = report(member, project, at(1), at(2))
    assert hours(found, By.USER) == {"gregor": 2.0, "laszewski": 6.0, "": 4.0}
    assert hours(found, By.CLOUD) == {"india": 2.0, "sierra": 10.0}
    assert hours(found, By.PROJECT) == {"fg101": 12.0}
    assert [use.name for use in found.of(By.CLOUD)] == ["sierra", "india"]


def test_ten_thousand_spans_are_one_question_and_quick(project: Project, member: User) -> None:
    Span.objects.bulk_create(
        Span(project=project, user=member, label="india", object_id=uuid.uuid4(), cores=1, ram=1024,
             begins_at=at(1, number / 20), ends_at=at(1, number / 20 + 50))
        for number in range(10_000)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as queries:
        began = time.monotonic()
        found = report(member, project, at(1), at(31))
        seconds = time.monotonic() - began
    assert len(queries) == 2  # one of them: what the reader is in the project
    assert found.total.core_hours > 400_000
    assert seconds < 3, f"{seconds:.2f} s"


# -- periods ---------------------------------------------------------------------------------------------------


def test_periods_are_said_in_days() -> None:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    day = datetime.timedelta(days=1)
    assert usage.parse_period() == Period(today - 29 * day, today + day)
    assert usage.parse_period("7d") == Period(today - 6 * day, today + day)
    assert usage.parse_period("2026-03-01", "2026-03-31") == Period(at(1), at(32))
    assert usage.parse_period("2026-03-01T12:00+02:00", "2026-03-01T12:00") == Period(at(1, 10), at(1, 12))


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("yesterday", "", "since is a day such as"),
        ("2026-13-01", "", "since is a day such as"),
        ("2026-03-01", "9999-12-31", "until is a day such as"),
        ("0001-01-01T00:00+05:00", "", "since is a day such as"),
        ("2026-03-02", "2026-03-01", "ends after it begins"),
        ("2020-01-01", "2026-03-01", "at most 1100 days"),
        ("9999d", "", "at most 1100 days"),
    ],
)
def test_a_period_that_is_none_is_explained(since: str, until: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        usage.parse_period(since, until)


# -- who may know ----------------------------------------------------------------------------------------------


def test_members_know_what_their_project_used_and_strangers_do_not(
    project: Project, member: User, stranger: User
) -> None:
    take(project, at(1), at(1, 1), member)
    with pytest.raises(NotAllowed):
        report(stranger, project, at(1), at(2))
    assert report(stranger, None, at(1), at(2)).total.core_hours == 0.0
    assert report(member, None, at(1), at(2)).total.core_hours == 2.0


def test_staff_know_what_all_projects_used(project: Project, member: User, admin: User, stranger: User) -> None:
    take(project, at(1), at(1, 1), member)
    take(Project.objects.get(name="elsewhere"), at(1), at(1, 2), stranger)
    assert hours(report(admin, None, at(1), at(2)), By.PROJECT) == {"elsewhere": 4.0, "fg101": 2.0}


# -- pages and files -------------------------------------------------------------------------------------------

MARCH_ONLY = {"since": "2026-03-01", "until": "2026-03-31"}


def test_the_page_shows_charts_and_tables(client: Client, project: Project, member: User) -> None:
    take(project, at(2), at(2, 3), member)
    client.force_login(member)
    page = client.get("/projects/fg101/usage/", MARCH_ONLY | {"by": "user"}).content.decode()
    assert 'data-chart="core_hours"' in page
    assert 'data-chart="node_hours"' not in page
    assert '<script id="drawing" type="application/json">' in page
    assert page.count("gregor") >= 1
    assert "cm usage --project fg101 --since 2026-03-01 --by user" in page


def test_a_page_has_at_most_a_hundred_rows(client: Client, project: Project, member: User) -> None:
    client.force_login(member)
    page = client.get("/projects/fg101/usage/?since=365d").content.decode()
    assert page.count('<th scope="row" class="text-nowrap">20') == 100


def test_a_page_without_use_says_what_counts(client: Client, project: Project, member: User) -> None:
    client.force_login(member)
    assert "Nothing was used" in client.get("/projects/fg101/usage/?by=cloud").content.decode()


@pytest.mark.parametrize("query", ["by=weekday", "since=never", "since=2026-03-02&until=2026-03-01"])
def test_a_page_asked_for_in_a_wrong_way_says_so(client: Client, project: Project, member: User, query: str) -> None:
    client.force_login(member)
    assert client.get(f"/projects/fg101/usage/?{query}").status_code == 400


def test_the_page_is_for_those_who_may_see_it(client: Client, project: Project, stranger: User, member: User) -> None:
    client.force_login(stranger)
    assert client.get("/projects/fg101/usage/").status_code == 404
    client.force_login(member)
    assert client.get("/staff/usage/").status_code == 403


def test_the_staff_page_links_to_each_project(client: Client, project: Project, member: User, admin: User) -> None:
    take(project, at(1), at(1, 1), member)
    client.force_login(admin)
    page = client.get("/staff/usage/", MARCH_ONLY).content.decode()
    assert 'href="/projects/fg101/usage/' in page


def test_pages_ask_a_constant_number_of_questions(client: Client, project: Project, admin: User) -> None:
    client.force_login(admin)
    client.get("/staff/usage/")
    counts = []
    for _ in range(2):
        for _ in range(20):
            user = factories.make_user()
            take(factories.make_project(lead=user), at(1), at(1, 1), user)
        with CaptureQueriesContext(connection) as queries:
            client.get("/staff/usage/", MARCH_ONLY)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


def test_the_file_streams_and_holds_no_formula(client: Client, project: Project, member: User) -> None:
    take(project, at(1), at(1, 1), member, label="=HYPERLINK()")
    take(project, at(1), at(1, 2), member, label='in"dia, east')
    client.force_login(member)
    answer = client.get("/projects/fg101/usage/", MARCH_ONLY | {"by": "cloud", "format": "csv"})
    assert answer.streaming
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = "usage-fg101-2026-03-01-2026-03-31-by-cloud.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode())))
    assert rows == [
        ["cloud", "core_hours", "ram_hours", "disk_hours", "node_hours"],
        ['in"dia, east', "4.000000", "8.000000", "40.000000", "0.000000"],
        ["'=HYPERLINK()", "2.000000", "4.000000", "20.000000", "0.000000"],
    ]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(project: Project, member: User, cell: str) -> None:
    take(project, at(1), at(1, 1), member, label=cell)
    lines = list(usage.csv_of(report(member, project, at(1), at(2)), By.CLOUD))
    assert next(csv.reader(io.StringIO(lines[1], newline="")))[0] == f"'{cell}"


# -- REST ------------------------------------------------------------------------------------------------------


def test_rest_tells_the_same(api: Login, project: Project, member: User) -> None:
    take(project, at(2), at(2, 3), member)
    answer = api(member).get("usage/", {"project": "fg101", "by": "user", **MARCH_ONLY})
    assert answer.results == [
        {"name": "gregor", "core_hours": 6.0, "ram_hours": 12.0, "disk_hours": 60.0, "node_hours": 0.0}
    ]
    assert answer["total"]["core_hours"] == 6.0
    assert (answer["since"], answer["by"]) == ("2026-03-01T00:00:00+00:00", "user")
    assert len(api(member).get("usage/", MARCH_ONLY).results) == 31


def test_rest_gives_the_file_too(api: Login, project: Project, member: User) -> None:
    take(project, at(2), at(2, 3), member)
    answer = api(member).client.get(
        "/api/v1/usage/", {"by": "cloud", "format": "csv", **MARCH_ONLY}, headers=api(member).headers
    )
    assert answer.getvalue().decode().splitlines()[1] == "india,6.000000,12.000000,60.000000,0.000000"


@pytest.mark.parametrize(
    ("query", "status"),
    [({"by": "week"}, 400), ({"format": "xml"}, 400), ({"sinse": "7d"}, 400), ({"project": "elsewhere"}, 404)],
)
def test_rest_refuses_what_it_does_not_know(
    api: Login, project: Project, member: User, stranger: User, query: dict[str, str], status: int
) -> None:
    assert api(member).get("usage/", query).status == status
