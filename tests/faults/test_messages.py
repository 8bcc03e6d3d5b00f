"""Messages come three times, late, never, or to nobody; beats die and double. The database knows what is wished for."""

import random
import time

import pytest
import redis

from activity.models import new_id
from clouds.drivers.simulator import control
from operations.models import RUNNABLE, Operation
from portal.celery import app
from tests.faults import report
from tests.faults.moments import MOMENTS, scene
from tests.faults.place import Place, assert_granted, assert_told, await_end, fresh, move_in, parts
from tests.faults.stage import QUEUE, SHORT, Stage, until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]
TABLE = "Messages and beats"
RUN = "operations.tasks.run"


def broker(stage: Stage) -> redis.Redis:
    return redis.Redis.from_url(stage.valkey.url())


def check(place: Place, wishes: int, what: str) -> None:
    """The row of the report that a passed test earns."""
    assert_granted(place)
    assert_told(place)
    assert place.creates() == wishes
    report.add(TABLE, what_happened=what, wishes=wishes, creates=place.creates(), servers=len(place.living()))


def test_messages_that_come_three_times_in_any_order(stage: Stage) -> None:
    stage.staff(1)
    place = move_in(stage)
    stage.dismiss()
    batch = place.boot(8)
    queue = broker(stage)
    messages = 3 * queue.lrange(QUEUE, 0, -1)
    assert len(messages) >= 3 * 8
    random.shuffle(messages)
    queue.delete(QUEUE)
    queue.rpush(QUEUE, *messages)
    stage.staff(2)
    ids = [str(part.pk) for part in parts(batch)]

    def is_done() -> bool:
        for pk in random.sample(ids * 3, len(ids) * 3):
            app.send_task(RUN, args=[pk])
        time.sleep(0.2)
        return not Operation.objects.filter(pk__in=ids, state__in=RUNNABLE).exists()

    until(is_done, "all is done")
    await_end(batch)
    check(place, 8, "every message three times and shuffled, then all again five times a second, to 2 workers")


@pytest.mark.fault("long")
def test_a_message_that_is_delivered_again_after_the_visibility_timeout(stage: Stage) -> None:
    [victim] = stage.staff(1)
    place = move_in(stage)
    relief = stage.hire_relief()
    with scene(stage, place, next(moment for moment in MOMENTS if moment.name.startswith("creating"))) as held:
        victim.kill()
        held.release()
        stage.relieve(relief)
    queue = broker(stage)
    kept = queue.zrange("unacked_index", 0, -1)
    assert kept
    queue.zadd("unacked_index", dict.fromkeys(kept, 0))  # as if an hour had passed
    until(lambda: not set(queue.zrange("unacked_index", 0, -1)) & set(kept), "old messages are delivered again")
    await_end(held.operation)
    check(place, 1, "a killed worker's messages are delivered again after the visibility time-out")


def test_messages_for_later_do_not_keep_a_worker_from_what_is_due(stage: Stage) -> None:
    workers = stage.staff(2)
    place = move_in(stage)
    for _ in range(500):
        app.send_task(RUN, args=[str(new_id())], countdown=3600)
    queue = broker(stage)
    until(lambda: queue.llen(QUEUE) < 10, "the workers hold what is for later")
    batch = place.boot(5)
    await_end(batch, seconds=30)
    assert all(worker.is_alive for worker in workers)
    check(place, 5, "500 messages for an hour later lie with the workers")
    stage.dismiss()
    queue.flushall()


@pytest.mark.fault("long")
def test_workers_and_beat_that_start_before_valkey_does(stage: Stage) -> None:
    stage.staff(1)
    place = move_in(stage)
    stage.dismiss()
    stage.redis.kill()
    stage.beat = stage.start_beat()
    workers = [stage.hire(is_awaited=False) for _ in range(2)]
    stage.hang_up()
    began = time.monotonic()
    operation = place.boot()
    asked = time.monotonic() - began
    until(lambda: all("Trying again" in worker.said for worker in workers), "the workers look for Valkey")
    assert fresh(operation).state == "queued"
    stage.redis.start()
    stage.await_services()
    await_end(operation)
    assert asked < 2.0, "a page does not wait for the broker"
    assert all(worker.is_alive for worker in workers)
    check(place, 1, f"2 workers and beat start, and a wish is made in {asked:.1f} s, while Valkey is down")


@pytest.mark.fault("long")
def test_what_lost_its_message_waits_for_the_next_beat(stage: Stage) -> None:
    stage.staff(2)
    place = move_in(stage)
    assert stage.beat
    stage.beat.kill()
    workers, stage.workers = stage.workers, []
    for worker in workers:
        worker.kill()
    batch = place.boot(5)
    broker(stage).flushall()
    stage.workers = [stage.hire() for _ in range(2)]
    assert {part.state for part in parts(batch)} == {"queued"}
    stage.beat.start()
    began = time.monotonic()
    await_end(batch)
    check(
        place,
        5,
        f"all messages are lost and beat is dead; it starts again, all is done {time.monotonic() - began:.0f} s later",
    )


@pytest.mark.fault("long")
def test_two_beats_at_once(stage: Stage) -> None:
    stage.staff(2)
    second = stage.start_beat()
    try:
        place = move_in(stage)
        batch = place.boot(10)
        await_end(batch)
        assert stage.beat
        assert stage.beat.is_alive
        assert second.is_alive
        check(place, 10, "two beats at once")
    finally:
        second.kill()


@pytest.mark.fault("long")
def test_a_killed_reading_is_begun_again_when_its_lease_has_run_out(stage: Stage) -> None:
    [victim] = stage.staff(1)
    place = move_in(stage)
    servers = place.account.syncs.filter(kind="servers")
    control.fail(place.world, "servers", "slow", times=1, delay=50)
    seen = len(place.requests("servers"))
    servers.update(due_at=place.account.created_at)
    until(lambda: len(place.requests("servers")) > seen, "the servers are read")
    relief = stage.hire()
    before = servers.get().done_at
    victim.kill()
    began = time.monotonic()
    until(lambda: servers.get().done_at != before, "they are read again", seconds=SHORT.lease + 30)
    assert relief.is_alive
    report.add(
        TABLE,
        what_happened=f"a worker is killed while it reads a cloud: read again {time.monotonic() - began:.1f} s later",
    )
