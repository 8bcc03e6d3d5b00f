"""PostgreSQL and Valkey for one run of the tests: real ones, in a temporary folder, without syncing to disk.

The process that starts pytest starts PostgreSQL; each process that runs tests starts its own Valkey, since neither
its channels nor a flush know of database numbers.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg

from portal.standalone.children import Child, Command, wait_until
from portal.standalone.identity import unprivileged
from portal.standalone.places import BASE
from portal.standalone.postgres import QUICK, Postgres, programs
from portal.standalone.valkey import Valkey

TABLES = "tables"  # the database that all others of a run are copies of: to migrate takes seconds, to copy takes none


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A short path (sockets need one) that PostgreSQL's user can pass through."""
    path = Path(tempfile.mkdtemp(prefix="cm-test-", dir="/tmp"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def running(command: Command, log: Path) -> Iterator[Child]:
    child = Child(command, log)
    try:
        yield child
    finally:
        child.stop()


@contextlib.contextmanager
def postgres(home: Path) -> Iterator[Postgres]:
    account = unprivileged()
    cluster = Postgres(data=home / "data", sockets=home / "pg", programs=programs(account), account=account)
    log = home / "postgres.log"
    cluster.prepare(log, is_durable=False)
    with running(cluster.command(QUICK), log) as child:
        assert wait_until(lambda: cluster.answers() or not child.is_alive, seconds=60), child.last_words()
        cluster.settle(may_create_databases=True)
        yield cluster


@contextlib.contextmanager
def valkey(home: Path) -> Iterator[Valkey]:
    server = Valkey(data=home / "valkey", socket=home / "vk/valkey.sock")
    server.prepare()
    with running(server.command(), home / "valkey.log") as child:
        assert wait_until(lambda: server.answers() or not child.is_alive, seconds=60), child.last_words()
        yield server


@contextlib.contextmanager
def environment() -> Iterator[None]:
    """Start what this process needs and name it in the environment, as a site names its own services."""
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(folder())
        if "PYTEST_XDIST_WORKER" not in os.environ:
            os.environ["DATABASE_URL"] = stack.enter_context(postgres(home)).url()
        os.environ["REDIS_URL"] = stack.enter_context(valkey(home)).url()
        os.environ["CLOUDMESH_STATE_DIR"] = str(home / "state")  # never that of a portal that runs in this clone
        if "PYTEST_XDIST_WORKER" not in os.environ:
            _make_tables()
        yield


@contextlib.contextmanager
def database(*, template: str = TABLES) -> Iterator[str]:
    """A database of its own beside that of the tests; its URL."""
    server, name = os.environ["DATABASE_URL"], f"portal_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')  # type: ignore[call-overload]
        try:
            yield url_of(name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


def url_of(name: str) -> str:
    head, _, query = os.environ["DATABASE_URL"].partition("?")
    return f"{head.rpartition('/')[0]}/{name}?{query}"


def _make_tables() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TABLES}")  # type: ignore[call-overload]
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=BASE, env=os.environ | {"DATABASE_URL": url_of(TABLES)}, check=True,
    )  # fmt: skip
