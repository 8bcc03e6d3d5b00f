"""Lists with 10,000 servers stored: the API over HTTP as a client sees it, and what each costs the database."""

import http.client
import statistics
import time

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.models import ApiToken
from benchmarks import bench
from benchmarks.bench import Row
from benchmarks.stage import quantile, uvicorn
from projects.models import Project
from tests import factories

STORED, ASKED = 10_000, 200


def main() -> list[Row]:
    user = factories.make_user("bench")
    project = factories.make_project("bench", lead=user)
    _, secret = accounts.issue_token(user=user, name="bench")
    _fill(project)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    rows = _latency("API list of 100 servers, 10,000 stored", "/api/v1/servers/?page_size=100", secret)
    rows += _latency(
        "API list of 100, filtered and searched", "/api/v1/servers/?page_size=100&state=active&search=99", secret
    )
    browser = Client(headers={"host": "localhost"})
    browser.force_login(user)
    pages = ("/", "/servers/", "/clouds/", "/images/", "/flavors/", "/operations/", "/events/")
    rows += [_statements(f"SQL statements of the page {path}", path, browser) for path in pages if path != "/"]
    bearer = {"host": "localhost", "authorization": f"Bearer {secret}"}
    return [
        *rows,
        _statements("SQL statements of the API list", "/api/v1/servers/?page_size=100", Client(headers=bearer)),
    ]


def _fill(project: Project) -> None:
    member = project.memberships.get().user
    account = factories.make_account(project, member, "india")
    factories.make_servers(account, member, STORED)


def _latency(name: str, path: str, secret: str) -> list[Row]:
    """The time of whole requests on a kept connection to the portal's own web server, one at a time."""
    ApiToken.objects.update(last_used_at=None)
    with uvicorn("portal.asgi:application") as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        times = []
        for number in range(ASKED + 20):
            began = time.perf_counter()
            client.request("GET", path, headers={"Authorization": f"Bearer {secret}"})
            answer = client.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            times += [1000 * (time.perf_counter() - began)] if number >= 20 else []
    text = f"p50 {statistics.median(times):.1f} ms, p95 {quantile(times, 0.95):.1f} ms"
    return [Row(name=name, value=text, bound="", ratio="", goal="")]


def _statements(name: str, path: str, client: Client) -> Row:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return bench.at_most(name, len(queries), 10)
