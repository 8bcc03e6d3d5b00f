"""A portal made of real processes that can be killed, paused and started again, each when the test wants.

PostgreSQL, Valkey, workers and beat are the stage's own. The process that tests is its web: while `entered`, Django
and Celery here speak with the stage's services.
"""

import contextlib
import dataclasses
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.db import connection, connections
from django.test import override_settings

from activity import events
from portal import settings
from portal.celery import app
from portal.standalone.children import Child, Command, wait_until
from portal.standalone.identity import unprivileged
from portal.standalone.places import BASE
from portal.standalone.postgres import Postgres, programs
from portal.standalone.valkey import Valkey
from tests import services

#: What was committed outlives the death of any process; only a power cut could take it.
SAFE = {"max_connections": "300", "fsync": "off"}
PATIENCE = 90.0  # seconds for anything that takes a moment on an idle machine
QUEUE = "celery"
WORKER = ("worker", "--pool", "threads", "--without-gossip", "--without-mingle", "--without-heartbeat")
BEAT = ("beat", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--pidfile", "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pace:
    """How long a worker may be silent, and how often somebody looks for what nobody has in hand; seconds."""

    lease: float
    sweep: float

    def __str__(self) -> str:
        return f"lease {self.lease:g} s, sweep {self.sweep:g} s"


SHORT, USUAL = Pace(lease=3, sweep=1), Pace(lease=15, sweep=5)


def until(ready: Callable[[], object], what: str, *, seconds: float = PATIENCE) -> None:
    """Wait for something that is bound to come."""
    assert wait_until(lambda: bool(ready()), seconds=seconds, every=0.02), f"not within {seconds:g} s: {what}"


class Process:
    """One process of the stage."""

    def __init__(self, command: Command, log: Path) -> None:
        self.name, self._command, self._log = command.name, command, log
        self.start()

    def start(self) -> None:
        self._child = Child(self._command, self._log)

    @property
    def is_alive(self) -> bool:
        return self._child.is_alive

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        os.kill(self._child.pid, number)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it as the machine or its operator would; returns when it is gone."""
        if self.is_alive:
            self.send(number)
            self._child.wait(PATIENCE)

    def pause(self) -> None:
        self.send(signal.SIGSTOP)

    def go_on(self) -> None:
        self.send(signal.SIGCONT)


class Stage:
    def __init__(self, home: Path) -> None:
        self.home, self.pace = home, SHORT
        self.state = home / "var"
        self.state.mkdir()
        self.valkey = Valkey(data=home / "valkey", socket=home / "vk/valkey.sock")
        self.valkey.prepare()
        account = unprivileged()
        self.cluster = Postgres(data=home / "data", sockets=home / "pg", programs=programs(account), account=account)
        self.cluster.prepare(home / "postgres.log", is_durable=False)
        self.redis = Process(self.valkey.command(), home / "valkey.log")
        self.postgres = Process(self.cluster.command(SAFE), home / "postgres.log")
        self.workers: list[Process] = []
        self.beat: Process | None = None
        self._numbers = itertools.count(1)

    # -- services ----------------------------------------------------------------------------------------------

    def await_services(self) -> None:
        """A postmaster that comes back before the last of its dead predecessor's is gone dies, and is tried again."""
        until(self.valkey.answers, "Valkey answers")

        def answers() -> bool:
            if not self.postgres.is_alive:
                self.cluster.clear_stale_lock()
                self.postgres.start()
            return self.cluster.answers()

        until(answers, "PostgreSQL answers")

    def restart_valkey(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.redis.kill(number)
        self.redis.start()
        self.await_services()

    def restart_postgres(self, number: signal.Signals) -> None:
        self.postgres.kill(number)
        connection.close()
        self.await_services()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Let this process be the stage's web."""
        connections.close_all()
        known, broker = dict(connection.settings_dict), app.conf.broker_url
        connection.settings_dict |= settings.database(self.cluster.url()) | {"CONN_MAX_AGE": 0}
        _ring_at(settings.broker(self.valkey.url()))
        try:
            with override_settings(REDIS_URL=self.valkey.url(), STATE_DIR=self.state):
                yield
        finally:
            connections.close_all()
            connection.settings_dict |= known
            _ring_at(broker)

    def hang_up(self) -> None:
        """Have this process open its connections to Valkey anew."""
        _ring_at(app.conf.broker_url)

    # -- processes ---------------------------------------------------------------------------------------------

    def hire(self, *, threads: int = 4, is_awaited: bool = True, queue: str = QUEUE) -> Process:
        """One more worker; where it is awaited, it is ready to work."""
        name = f"w{next(self._numbers)}"
        options = ("--hostname", f"{name}@stage", "--concurrency", str(threads), "--queues", queue)
        worker = self._celery(name, *WORKER, *options)
        self.workers.append(worker)
        if is_awaited:
            self.await_worker(worker)
        return worker

    def hire_relief(self) -> Process:
        """A worker that is up and takes nothing yet."""
        return self.hire(queue="nothing")

    def relieve(self, worker: Process) -> None:
        """Let the relief take what comes."""
        with app.connection_for_write() as connection:
            app.control.add_consumer(QUEUE, destination=[f"{worker.name}@stage"], connection=connection)

    def await_worker(self, worker: Process) -> None:
        with app.connection_for_write() as connection:
            until(
                lambda: app.control.ping([f"{worker.name}@stage"], timeout=0.3, connection=connection),
                f"{worker.name} answers: {worker.said[-2000:]}",
            )

    def start_beat(self) -> Process:
        return self._celery(f"beat{next(self._numbers)}", *BEAT)

    def staff(self, workers: int, pace: Pace = SHORT) -> list[Process]:
        """So many workers and a beat, all alive; those of another pace go home."""
        if pace != self.pace:
            self.dismiss()
            self.pace = pace
        self.workers = [worker for worker in self.workers if worker.is_alive]
        if self.beat is None or not self.beat.is_alive:
            self.beat = self.start_beat()
        for worker in self.workers[workers:]:
            worker.kill()
        self.workers = self.workers[:workers]
        new = [self.hire(is_awaited=False) for _ in range(workers - len(self.workers))]
        for worker in new:
            self.await_worker(worker)
        return self.workers

    def dismiss(self) -> None:
        """Nobody works any more."""
        for process in (*self.workers, *([self.beat] if self.beat else [])):
            process.kill()
        self.workers, self.beat = [], None

    def close(self) -> None:
        self.dismiss()
        self.redis.kill()
        self.postgres.kill(signal.SIGQUIT)

    def _celery(self, name: str, *arguments: str) -> Process:
        command = Command(
            name=name,
            argv=(sys.executable, "-m", "celery", "-A", "portal", *arguments),
            env=os.environ | self._environment(),
            cwd=BASE,
        )
        return Process(command, self.home / f"{name}.log")

    def _environment(self) -> dict[str, str]:
        return {
            "CLOUDMESH_ROLE": "worker",
            "CLOUDMESH_STATE_DIR": str(self.state),
            "CLOUDMESH_OPERATION_LEASE": str(self.pace.lease),
            "CLOUDMESH_SWEEP_INTERVAL": str(self.pace.sweep),
            "CLOUDMESH_SYNC_TICK": "1",
            "CLOUDMESH_PROVIDER_TIMEOUT": "60",
            "CELERY_SKIP_CHECKS": "1",
            "DATABASE_URL": self.cluster.url(),
            "REDIS_URL": self.valkey.url(),
        }


@contextlib.contextmanager
def opened() -> Iterator[Stage]:
    """A stage with its services up and its tables made."""
    with services.folder() as home:
        stage = Stage(home)
        try:
            stage.await_services()
            stage.cluster.settle()
            with stage.entered():
                call_command("migrate", verbosity=0)
            yield stage
        finally:
            stage.close()


class Latch:
    """A lock held in the database by the test, so that whoever needs it waits just there."""

    def __init__(self, url: str) -> None:
        self._session = psycopg.connect(url)

    def shut(self, statement: str, *values: object) -> None:
        self._session.execute(statement, values)  # type: ignore[call-overload]

    def open(self) -> None:
        self._session.rollback()

    def close(self) -> None:
        self._session.close()

    @property
    def is_met(self) -> bool:
        """Whether somebody waits for it."""
        return _is_any("%s = ANY(pg_blocking_pids(pid))", self._session.info.backend_pid)


def is_waiting(statement: str) -> bool:
    """Whether a statement that matches this expression waits for a lock, be it behind others that wait."""
    return _is_any("cardinality(pg_blocking_pids(pid)) > 0 AND query ~ %s", statement)


def _is_any(condition: str, value: object) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM pg_stat_activity WHERE {condition}", [value])
        return cursor.fetchone() is not None


def _ring_at(broker: str) -> None:
    """Have Celery and the doorbell of this process publish there from now on."""
    app.conf.broker_url = broker
    app.__dict__.pop("amqp", None)  # it keeps the producers of the broker before
    events.doorbell.cache_clear()
