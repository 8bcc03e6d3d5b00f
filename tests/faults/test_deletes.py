"""People change their mind while their servers are being built."""

import time

import pytest

from clouds import services
from clouds.models import Server
from operations.models import OPEN, Operation, OperationState
from tests.faults import report
from tests.faults.place import assert_told, move_in
from tests.faults.stage import Stage, until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]
BATCH = 20


@pytest.mark.parametrize("begun", [pytest.param(n, marks=pytest.mark.fault("long")) for n in (0, 4, 12)])
def test_a_batch_is_deleted_while_it_is_booted(stage: Stage, begun: int) -> None:
    stage.staff(2)
    place = move_in(stage, build=2.0)
    place.boot(BATCH)
    until(lambda: place.creates() >= begun, "some are begun")
    began = time.monotonic()
    services.delete_servers(actor=place.user, servers=place.wishes())
    asked = time.monotonic() - began
    mine = Operation.objects.filter(project=place.project)
    until(lambda: not mine.filter(state__in=OPEN).exists(), "all is done")
    assert place.living() == []
    assert set(Server.objects.filter(project=place.project).values_list("state", flat=True)) == {"deleted"}
    assert not mine.filter(state=OperationState.FAILED).exists()
    assert_told(place)
    report.add(
        f"A batch of {BATCH} is deleted while it is booted",
        creates_begun=f"at least {begun}",
        creates_done_by_the_cloud=place.creates(),
        asked_in=asked,
        all_gone_after=time.monotonic() - began,
        servers_left=0,
    )
