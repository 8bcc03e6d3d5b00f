"""Valkey and PostgreSQL are flushed, killed and restarted during a batch; the workers recover by themselves."""

import signal
import time

import pytest
import redis

from operations.models import Operation, OperationState
from tests.faults import report
from tests.faults.place import Place, assert_granted, assert_told, await_end, move_in
from tests.faults.stage import Stage, until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]
BATCH = 20


def flush(stage: Stage) -> None:
    for _ in range(3):
        redis.Redis.from_url(stage.valkey.url()).flushall()
        time.sleep(0.3)


def kill_valkey(stage: Stage) -> None:
    stage.restart_valkey()


def stop_valkey(stage: Stage) -> None:
    stage.restart_valkey(signal.SIGTERM)


def leave_valkey_down(stage: Stage) -> None:
    stage.redis.kill()
    time.sleep(5)
    stage.redis.start()
    stage.await_services()


def leave_postgres_down(stage: Stage) -> None:
    stage.postgres.kill()
    time.sleep(5)
    stage.restart_postgres(signal.SIGKILL)


def stop_postgres(stage: Stage) -> None:
    stage.restart_postgres(signal.SIGINT)


def stop_postgres_at_once(stage: Stage) -> None:
    stage.restart_postgres(signal.SIGQUIT)


def kill_postgres(stage: Stage) -> None:
    stage.restart_postgres(signal.SIGKILL)


ACCIDENTS = {
    "FLUSHALL, three times": flush,
    "Valkey is killed and comes back": kill_valkey,
    "Valkey is stopped and comes back": stop_valkey,
    "Valkey is down for 5 s": leave_valkey_down,
    "PostgreSQL is shut down quickly and comes back": stop_postgres,
    "PostgreSQL is shut down immediately and comes back": stop_postgres_at_once,
    "PostgreSQL is killed and comes back": kill_postgres,
    "PostgreSQL is down for 5 s": leave_postgres_down,
}
QUICK = {"Valkey is killed and comes back", "PostgreSQL is shut down immediately and comes back"}
CASES = [pytest.param(name, id=name, marks=[] if name in QUICK else pytest.mark.fault("long")) for name in ACCIDENTS]


@pytest.mark.parametrize("accident", CASES)
def test_a_batch_survives(stage: Stage, accident: str) -> None:
    workers = list(stage.staff(2))
    place = move_in(stage)
    batch = place.boot(BATCH)
    _await_some(place)
    ACCIDENTS[accident](stage)
    began = time.monotonic()
    await_end(batch)
    took = time.monotonic() - began
    assert_granted(place)
    told = assert_told(place)
    assert place.creates() == BATCH
    assert all(worker.is_alive for worker in workers)
    assert stage.beat
    assert stage.beat.is_alive
    report.add(
        f"Services, during a batch of {BATCH}",
        what_happened=accident,
        all_done_after_that=took,
        servers=len(place.living()),
        create_requests=len(place.requests("create_server")),
        events=told,
        workers_that_died=0,
    )


def _await_some(place: Place) -> None:
    """In the middle of the batch: some are done, some are not begun."""
    done = Operation.objects.filter(project=place.project, state=OperationState.SUCCEEDED)
    until(lambda: done.count() >= 3, "some are done")
