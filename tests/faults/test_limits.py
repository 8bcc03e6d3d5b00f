"""Turns between projects, limits of lanes, quotas: what holds when many ask at once."""

import time

import pytest

from activity import lifecycle
from cloudmesh.errors import QuotaExceeded
from cloudmesh.types import ServerState
from clouds.drivers.simulator import control
from clouds.models import Server
from clouds.sync import schedule
from operations import services as operations
from operations.engine import LANE_LIMIT
from operations.models import Operation, new_token
from portal.standalone.web import THREADS
from projects import services as projects
from projects.models import Quota
from tests import factories
from tests.faults import report
from tests.faults.place import Place, assert_granted, assert_told, await_end, move_in
from tests.faults.stage import Stage, until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]
TABLE = "Turns and limits"
MANY = 60
ANSWER = 0.4  # seconds that each request takes
OF_HANDLERS = ("find", "ensure_key", "ensure_security_group", "create_server", "server")
HANG = 15.0  # seconds


def most_at_once(place: Place) -> int:
    """The most requests of handlers that were certainly under way at the same instant."""
    begun = sorted(row["at"] for row in place.requests("*") if row["kind"] in OF_HANDLERS)
    return max(sum(1 for at in begun if last - ANSWER < at <= last) for last in begun)


def wish_of_another_project(place: Place) -> Operation:
    """One more server by the same account, and so in the same lane."""
    other = projects.create_project(name=f"{place.project.name}-other", lead=place.user)
    like = place.wishes()[0]
    server = Server(
        account=place.account,
        project=other,
        owner=place.user,
        name="single",
        state=ServerState.REQUESTED,
        token=new_token(),
        image=like.image,
        flavor=like.flavor,
    )
    lifecycle.begin([server])
    return operations.request(
        "server.create",
        targets=[server],
        tokens=[server.token],
        project=other,
        actor=place.user,
        lanes=[place.account.lane],
    )


@pytest.mark.fault("long")
def test_projects_take_turns_in_a_lane_and_the_lane_keeps_its_limit(stage: Stage) -> None:
    stage.staff(3)
    place = move_in(stage)
    control.set_latency(place.world, ANSWER, kinds=["request"])
    batch = place.boot(MANY)
    until(lambda: place.creates() >= LANE_LIMIT, "the batch is under way")
    before = len(place.requests("create_server"))
    single = wish_of_another_project(place)
    await_end(single)
    turn = [row["token"] for row in place.requests("create_server")].index(single.token) - before
    await_end(batch)
    assert turn <= 2 * LANE_LIMIT  # those under way when it came, and those that began while it was asked
    assert LANE_LIMIT - 2 <= most_at_once(place) <= LANE_LIMIT
    assert_told(place)
    assert place.creates() == len(place.living()) == MANY + 1
    report.add(
        TABLE,
        what=f"one project asks for {MANY} in a lane, then another for 1",
        seen=f"its create is the {turn}. after those begun when it asked; {most_at_once(place)} requests at once at "
        f"most, limit {LANE_LIMIT}, 12 threads",
    )


def test_a_cloud_that_hangs_holds_up_no_other(stage: Stage) -> None:
    """With as many threads as a standalone portal has."""
    stage.staff(1)
    hanging, other = move_in(stage), move_in(stage)
    stage.dismiss()
    stage.hire(threads=THREADS)
    stage.staff(1)
    control.fail(hanging.world, "*", "timeout", delay=HANG)
    hanging.boot(MANY)
    until(lambda: len(hanging.requests("find")) >= LANE_LIMIT, "the batch hangs")
    began = time.monotonic()
    await_end(other.boot())
    took = time.monotonic() - began
    assert_granted(other)
    assert took < HANG
    report.add(
        TABLE,
        what=f"{MANY} wishes are made on a cloud that hangs, then 1 on another, one worker with {THREADS} threads",
        seen=f"done after {took:.1f} s",
    )
    stage.dismiss()


def test_parallel_requests_stop_at_the_quota(stage: Stage) -> None:
    stage.staff(2)
    place = move_in(stage)
    control.set_quota(place.world, instances=10)
    limits = place.account.syncs.filter(kind="limits")
    limits.update(due_at=place.account.created_at)
    schedule.run(limits.get().pk)
    until(Quota.objects.filter(project=place.project, resource="instances", limit=10).exists, "the quota is known")

    def ask() -> Operation | None:
        try:
            return place.boot()
        except QuotaExceeded:
            return None

    answers = factories.at_once(50, ask)
    granted = [answer for answer in answers if answer]
    for operation in granted:
        await_end(operation)
    assert len(granted) == 10
    assert_granted(place)
    assert_told(place)
    report.add(
        TABLE, what="50 threads ask for a server each at a quota of 10", seen=f"{len(granted)} granted, 10 servers"
    )
