"""Reading an OpenStack of 1,000 and 10,000 servers, against the least that it can take.

The bound of a full reading fetches the same pages raw and writes them with one COPY and one upsert into a table of the
same columns, indexes and references; the bound of a reading without news is one empty request.
"""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import urllib3
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from benchmarks import bench
from benchmarks.bench import Row
from clouds import services
from clouds.models import CloudAccount, Server, Sync
from clouds.sync import schedule
from operations import engine
from projects.models import Project
from tests import factories

FULL_GOAL, IDLE_GOAL = 1.5, 2.0
USERS = "accounts_user"
COLUMNS = (
    "id, state, state_reason, version, created_at, changed_at, account_id, project_id, owner_id, name, provider_id, "
    'token, "group", image, flavor, key, cores, ram, addresses, public_addresses, security_groups, is_orphan, created, '
    "native, native_hash, seen_at, missing_since"
)


@contextlib.contextmanager
def nova(servers: int, latency_ms: float = 0) -> Iterator[str]:
    """The URL of an emulated cloud in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.emulator", "--servers", str(servers), "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.wait(10)


def main() -> list[Row]:
    rows = []
    for count, rounds in ((1_000, 11), (10_000, 5)):
        with nova(count) as url:
            rows += _full(url, count, rounds)
    for latency, count in ((0, 1_000), (10, 1_000), (10, 10_000)):
        with nova(count, latency) as url:
            rows.append(_idle(url, count, latency))
    return rows


def _full(url: str, count: int, rounds: int) -> list[Row]:

    account, read = _account(url)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bound")
        cursor.execute("CREATE TABLE bound (LIKE clouds_server INCLUDING ALL)")
        for column, table in (("account", "clouds_cloudaccount"), ("project", "projects_project"), ("owner", USERS)):
            cursor.execute(
                f"ALTER TABLE bound ADD FOREIGN KEY ({column}_id) REFERENCES {table} DEFERRABLE INITIALLY DEFERRED"
            )

    def empty() -> None:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE clouds_server CASCADE")
            cursor.execute("TRUNCATE bound")

    read(True)
    mine, bound = bench.in_turn(rounds, lambda: read(True), lambda: _raw(url, account), before=empty)
    _check(count)
    again, least = bench.in_turn(rounds, lambda: read(True), lambda: _raw(url, account))
    statements = _statements(lambda: read(True))
    empty()
    account.cloud.delete()
    few = bench.at_most(f"SQL statements of a full reading of {count:,}", statements, 10)
    return [
        bench.compare(f"full reading of {count:,} new servers, to raw pages + COPY + upsert", mine, bound, FULL_GOAL),
        bench.compare(f"full reading of {count:,} known servers, to the same", again, least, FULL_GOAL),
        few,
    ]


def _idle(url: str, count: int, latency: int) -> Row:
    account, read = _account(url)
    read(True)
    pool = urllib3.PoolManager()

    def ask() -> None:
        pool.request("GET", f"{url}/v2.1/servers/detail?changes-since=2026-01-01T00:00:00Z&limit=1000").json()

    read(False), ask()
    mine, bound = bench.in_turn(101, lambda: read(False), ask)
    account.cloud.delete()
    name = f"reading without news of {count:,} servers, to one empty request answered in {latency} ms"
    return bench.compare(name, mine, bound, IDLE_GOAL)


def _account(url: str) -> tuple[Any, Callable[[bool], None]]:
    """An account at the cloud behind `url`, and how to read its servers, all of them or what changed."""

    user = User.objects.filter(username="bench").first() or factories.make_user("bench", is_admin=True)
    project = Project.objects.filter(name="bench").first() or factories.make_project("bench", lead=user)
    credential = {"auth_url": f"{url}/v3", "username": "bench", "password": "bench", "project_name": "bench"}
    account, verify = services.register_account(
        actor=user, project=project, name="bench", driver="openstack", credential=credential
    )
    engine.run(verify.pk)
    account = CloudAccount.objects.select_related("cloud").get(pk=account.pk)
    assert account.is_usable, account.state_reason
    sync = account.syncs.get(kind="servers")

    def read(full: bool) -> None:
        full_at = None if full else timezone.now()
        Sync.objects.filter(pk=sync.pk).update(due_at=factories.LONG_AGO, full_at=full_at, since=timezone.now())
        schedule.run(sync.pk)

    return account, read


def _raw(url: str, account: Any) -> None:
    """Fetch every page, parse it, write it: what nobody can do without."""

    pool = urllib3.PoolManager()
    target, servers = f"{url}/v2.1/servers/detail?limit=1000", []
    while target:
        page = orjson.loads(pool.request("GET", target).data)
        servers += page["servers"]
        target = page["servers_links"][0]["href"] if "servers_links" in page else ""
    names = [name.strip() for name in COLUMNS.split(",")]
    news = ", ".join(f"{name} = EXCLUDED.{name}" for name in names if name != "id")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {COLUMNS} FROM bound WITH NO DATA")
        with cursor.copy(f"COPY incoming ({COLUMNS}) FROM STDIN") as copy:
            for server in servers:
                copy.write_row(_raw_row(account, server))
        cursor.execute(
            f"INSERT INTO bound ({COLUMNS}) SELECT {COLUMNS} FROM incoming ON CONFLICT (id) DO UPDATE SET {news}"
        )


def _raw_row(account: Any, server: dict[str, Any]) -> tuple[Any, ...]:
    made = server["created"]
    addresses = orjson.dumps([each["addr"] for network in server["addresses"].values() for each in network]).decode()
    ours = (server["id"], "active", "", 1, made, made, account.pk, account.project_id, None)
    what = (server["image"]["id"], server["flavor"]["original_name"], server["key_name"], 1, 512)
    rest = (addresses, "[]", "[]", True, made, orjson.dumps(server).decode(), "", made, None)
    return (*ours, server["name"], server["id"], "", "", *what, *rest)


def _check(count: int) -> None:

    assert Server.objects.count() in (0, count), Server.objects.count()


def _statements(work: Callable[[], object]) -> int:

    with CaptureQueriesContext(connection) as queries:
        work()
    return len([query for query in queries if not query["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))])
