"""The cloud fails, lies, hangs or forgets to answer; every wish gets its one server all the same."""

import time

import pytest

from clouds.drivers.simulator import control
from tests.faults import report
from tests.faults.place import assert_granted, assert_told, await_end, move_in
from tests.faults.stage import Stage

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

EFFECTS = ("500", "429", "timeout", "garbage", "refused", "lost-answer")
KINDS = ("find", "ensure_key", "ensure_security_group", "create_server", "server")
FIRST = 3  # requests: as many as open the circuit
HANG = 0.3  # seconds
BATCH, PART = 30, 0.3


@pytest.mark.parametrize(
    "effect",
    [pytest.param(effect, marks=[] if effect == "lost-answer" else pytest.mark.fault("long")) for effect in EFFECTS],
)
def test_the_first_requests_of_each_kind_fail(stage: Stage, effect: str) -> None:
    stage.staff(2)
    places = [move_in(stage) for _ in KINDS]
    for kind, place in zip(KINDS, places, strict=True):
        control.fail(place.world, kind, effect, times=FIRST, delay=HANG if effect == "timeout" else 0)
    began = time.monotonic()
    wishes = [place.boot() for place in places]
    for kind, place, wish in zip(KINDS, places, wishes, strict=True):
        await_end(wish)
        assert_granted(place)
        assert_told(place)
        assert place.creates() == 1
        struck = sum(row["outcome"] == effect for row in place.requests(kind))
        assert struck == FIRST or (kind, effect) == ("create_server", "lost-answer")
    report.add(
        f"Answers: the first {FIRST} requests of one kind fail; a create for each of {', '.join(KINDS)}",
        answer=effect,
        all_done_after=time.monotonic() - began,
        wishes=len(wishes),
        servers=sum(len(place.living()) for place in places),
        creates_done_by_the_cloud=sum(place.creates() for place in places),
    )


@pytest.mark.fault("long")
def test_a_third_of_all_requests_fail(stage: Stage) -> None:
    stage.staff(2)
    place = move_in(stage)
    each = 1 - (1 - PART) ** (1 / len(EFFECTS))
    for effect in EFFECTS:
        control.fail(place.world, "*", effect, fraction=each, delay=HANG if effect == "timeout" else 0)
    began = time.monotonic()
    batch = place.boot(BATCH)
    await_end(batch, seconds=500)
    took = time.monotonic() - began
    place.recover()
    assert_granted(place)
    assert_told(place)
    assert place.creates() == BATCH
    requests = place.requests("*")
    report.add(
        f"Answers: {PART:.0%} of all requests fail during a batch of {BATCH}",
        all_done_after=took,
        requests=len(requests),
        failed=sum(row["outcome"] in EFFECTS for row in requests),
        create_requests=len(place.requests("create_server")),
        creates_done_by_the_cloud=place.creates(),
        servers=len(place.living()),
    )
