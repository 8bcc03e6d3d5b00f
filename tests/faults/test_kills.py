"""A worker is killed at every step of a create; another takes the wish over and nothing is lost or doubled."""

import time
import uuid

import pytest

from activity.models import Event
from operations.models import Operation
from tests.faults import report
from tests.faults.moments import MOMENTS, Moment, Scene, scene
from tests.faults.place import assert_granted, assert_told, await_end, move_in
from tests.faults.stage import SHORT, USUAL, Pace, Stage, until

ALLOWANCE = 5.0  # seconds beyond lease and sweep: a busy machine, the message's way, the claim
QUICK = {
    "creating the server, done, no answer yet",
    "the server is made, not written down",
    "building, between two looks",
}

CASES = [
    pytest.param(
        moment,
        pace,
        id=f"{moment}, {pace}",
        marks=[] if pace is SHORT and moment.name in QUICK else pytest.mark.fault("long"),
    )
    for pace in (SHORT, USUAL)
    for moment in MOMENTS
]
pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]


@pytest.mark.parametrize(("moment", "pace"), CASES)
def test_a_killed_workers_wish_is_fulfilled_once(stage: Stage, moment: Moment, pace: Pace) -> None:
    [victim] = stage.staff(1, pace)
    place = move_in(stage, build=moment.build)
    relief = stage.hire_relief()
    with scene(stage, place, moment) as held:
        claim, unnumbered = held.now().claim, Event.objects.filter(seq=None).exists()
        victim.kill()
        killed = time.monotonic()
        stage.relieve(relief)
        held.release()
        taken = _taken_over(held, claim) - killed if moment.is_claimed_again else 0.0
        assert moment.is_claimed_again or unnumbered
    began = time.monotonic()
    await_end(held.operation)
    took = time.monotonic() - began
    assert_granted(place)
    events = assert_told(place)
    assert place.creates() == 1
    if moment.is_claimed_again:
        assert taken <= pace.lease + pace.sweep + ALLOWANCE
    report.add(
        f"Kills: {pace}",
        killed_while=moment.name,
        taken_over_after=taken if moment.is_claimed_again else "had ended",
        done_after_that=took,
        attempts=held.now().attempts,
        create_requests=len(place.requests("create_server")),
        servers=len(place.living()),
        events=events,
    )


def _taken_over(held: Scene, claim: uuid.UUID | None) -> float:
    """When another worker has claimed the wish."""
    wish = Operation.objects.filter(pk=held.operation.pk)
    until(lambda: wish.exclude(claim=claim).exclude(claim=None).exists(), "another worker claims the wish")
    return time.monotonic()
