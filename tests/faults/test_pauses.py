"""A worker is stopped for longer than its lease and goes on: its word counts no more, and it asks for nothing."""

import pytest

from clouds.models import Server
from clouds.sync import schedule
from tests.faults import report
from tests.faults.moments import Moment, asked, done, scene
from tests.faults.place import Place, assert_granted, assert_told, await_end, move_in
from tests.faults.stage import Process, Stage, until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]
TABLE = "Pauses: a worker is stopped, another fulfils the wish, the first goes on"
REST = 8.0  # seconds that the first one's request takes
DROPPED = "its late answer is dropped"

WINDOW = """\
Right before a create a worker makes sure that the wish is still its own, for a whole lease from then on. What remains
is a create that has left the worker, and that the cloud does only after the lease has run out and another worker has
looked for the token in vain. EC2's ClientToken closes it. Elsewhere the cloud would have to take longer than a lease
from the request until it lists the server; the second server then shows as found outside."""

PAUSES = (
    Moment(name="looking for the token, nothing found, no answer yet", **done("find", delay=REST)),
    Moment(name="ensuring the security group, not done", **asked("ensure_security_group", delay=REST)),
    Moment(name="creating the server, done, no answer yet", **done("create_server", delay=REST)),
    Moment(name="looking whether it is built", **asked("server", delay=REST)),
)
CREATING = Moment(name="creating the server, not done", **asked("create_server", delay=REST))


def pause(stage: Stage, moment: Moment) -> tuple[Place, Process]:
    """Somebody whose wish is fulfilled, and the worker that was stopped while it had it and has gone on since."""
    stage.dismiss()
    [silent] = stage.staff(1)
    place = move_in(stage)
    relief = stage.hire_relief()
    with scene(stage, place, moment) as held:
        silent.pause()
        stage.relieve(relief)
    await_end(held.operation)
    silent.go_on()
    until(lambda: DROPPED in silent.said, "the late answer comes")
    return place, silent


@pytest.mark.parametrize("moment", [pytest.param(m, id=m.name, marks=pytest.mark.fault("long")) for m in PAUSES])
def test_a_worker_that_was_silent_for_too_long_changes_nothing(stage: Stage, moment: Moment) -> None:
    place, silent = pause(stage, moment)
    assert silent.is_alive
    assert_granted(place)
    assert_told(place)
    assert place.creates() == 1
    report.add(TABLE, stopped_while=moment.name, servers=len(place.living()), what_it_did_then="nothing")


@pytest.mark.fault("long")
def test_the_window_that_remains_is_shown(stage: Stage) -> None:
    """A cloud without idempotent creates, and a create that it does after the lease and the next worker's look."""
    place, _ = pause(stage, CREATING)
    assert place.creates() == 2
    [wish] = place.wishes()
    assert [row["token"] for row in place.living()] == [wish.token] * 2
    orphans = Server.objects.filter(project=place.project, is_orphan=True)
    schedule.hurry(place.account)
    until(orphans.exists, "the second one is found")
    assert_told(place)
    report.add(
        TABLE,
        stopped_while=f"**{CREATING.name}: the window that remains**",
        servers=len(place.living()),
        what_it_did_then="the create that it had begun; the second server is shown as found outside",
    )
    report.note(TABLE, WINDOW)
