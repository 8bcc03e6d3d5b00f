"""PostgreSQL and Valkey for one run of the tests: real ones, in a temporary folder, without syncing to disk.

The process that starts pytest starts PostgreSQL; each process that runs tests starts its own Valkey, since neither
its channels nor a flush know of database numbers.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from portal.standalone.children import Child, Command, wait_until
from portal.standalone.identity import unprivileged
from portal.standalone.postgres import QUICK, Postgres, programs
from portal.standalone.valkey import Valkey


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
    if os.environ.get("CLOUDMESH_TEST_EXTERNAL") == "1":
        yield
        return
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(folder())
        if "PYTEST_XDIST_WORKER" not in os.environ:
            os.environ["DATABASE_URL"] = stack.enter_context(postgres(home)).url()
        os.environ["REDIS_URL"] = stack.enter_context(valkey(home)).url()
        os.environ["CLOUDMESH_STATE_DIR"] = str(home / "state")  # never that of a portal that runs in this clone
        yield
