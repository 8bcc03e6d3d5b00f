"""The life of volumes on a simulated cloud, also when it fails, lies or forgets to answer; and reading them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from activity.models import Event
from cloudmesh.types import VolumeSpec, VolumeState
from clouds import services
from clouds.drivers.simulator import Simulator, control
from clouds.models import CloudAccount, Limit, Sync, Volume
from clouds.sync import connect, schedule, volumes
from operations import services as operations
from operations.models import Operation, OperationState
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db

Work = Callable[[], None]


def make(member: User, project: Project, **wanted: Any) -> tuple[Operation, Volume]:
    operation = services.create_volumes(actor=member, project=project, **{"name": "data", "size": 10, **wanted})
    return operation, Volume.objects.get(pk=operation.target_id)


def there(account: CloudAccount) -> list[str]:
    with connect.reaching(account) as driver:
        return [volume.name for volume in driver.volumes()]


def now(record: Any) -> Any:
    record.refresh_from_db()
    return record


# -- the life of one -------------------------------------------------------------------------------------------


def test_a_wish_becomes_a_volume(account: CloudAccount, member: User, project: Project, work: Work) -> None:
    operation, volume = make(member, project)
    assert (volume.state, volume.owner, volume.provider_id) == (VolumeState.REQUESTED, member, "")
    work()
    assert now(operation).state == OperationState.SUCCEEDED
    assert (now(volume).state, volume.size, volume.native["name"]) == (VolumeState.AVAILABLE, 10, "data")
    assert there(account) == ["data"]


def test_a_volume_made_for_a_server_is_attached_to_it(
    account: CloudAccount, member: User, project: Project, work: Work
) -> None:
    server = factories.boot(account, member)
    operation, volume = make(member, project, server=server)
    work()
    assert now(operation).state == OperationState.SUCCEEDED, operation.state_reason
    assert (now(volume).state, volume.server_provider_id) == (VolumeState.IN_USE, server.provider_id)
    assert operation.result["device"] == volume.device == "/dev/vdb"


def test_attach_detach_and_delete(account: CloudAccount, member: User, work: Work) -> None:
    server, volume = factories.boot(account, member), factories.make_volume(account, member)
    services.attach_volume(actor=member, volume=volume, server=server, device="/dev/vdx")
    work()
    assert (now(volume).state, volume.device) == (VolumeState.IN_USE, "/dev/vdx")
    services.detach_volumes(actor=member, volumes=[volume])
    work()
    assert (now(volume).state, volume.device, volume.server_provider_id) == (VolumeState.AVAILABLE, "", "")
    services.delete_volumes(actor=member, volumes=[volume])
    assert now(volume).state == VolumeState.DELETING
    work()
    assert now(volume).state == VolumeState.DELETED
    assert there(account) == []


def test_a_lost_answer_makes_no_second_volume(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    control.fail(world, "create_volume", "lost-answer", times=1)
    operation, volume = make(member, project)
    work()
    assert now(operation).state == OperationState.SUCCEEDED
    assert there(account) == ["data"]
    assert len(control.requests(world, "create_volume")) == 1
    assert now(volume).state == VolumeState.AVAILABLE


def test_a_volume_that_failed_can_be_read_tried_again_and_deleted(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    control.fail(world, "create_volume", "build-error", times=1, text="No pool has room.")
    operation, volume = make(member, project)
    work()
    assert (now(operation).state, operation.state_reason) == (OperationState.FAILED, "No pool has room.")
    assert (now(volume).state, volume.state_reason) == (VolumeState.ERROR, "No pool has room.")
    operations.retry(actor=member, operation=operation)
    work()
    assert now(volume).state == VolumeState.AVAILABLE
    assert there(account) == ["data"]


def test_a_quota_of_the_cloud_is_told_in_its_words_and_leaves_a_record(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    control.set_quota(world, volumes=0)
    operation, volume = make(member, project)
    work()
    assert "Quota exceeded for volumes" in now(operation).state_reason
    assert now(volume).state == VolumeState.ERROR
    services.delete_volumes(actor=member, volumes=[volume])
    work()
    assert now(volume).state == VolumeState.DELETED


def test_a_wish_that_is_cancelled_leaves_nothing(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    control.set_latency(world, 30, kinds=["volume"])
    operation, volume = make(member, project)
    factories.run(operation.pk)
    assert there(account) == ["data"]
    control.set_latency(world, 0)
    services.delete_volumes(actor=member, volumes=[now(volume)])
    with world.work("demo") as desk:
        desk.db.execute("UPDATE volume SET next_at = 0")
    work()
    assert (now(operation).state, now(volume).state) == (OperationState.CANCELLED, VolumeState.DELETED)
    assert there(account) == []


def test_a_delete_that_fails_does_not_leave_it_going_away(
    account: CloudAccount, member: User, world: control.World, work: Work
) -> None:
    server, volume = factories.boot(account, member), factories.make_volume(account, member)
    driver = Simulator({"world": "india", "username": "demo", "password": "demo"}, connect.site(account))
    driver.attach_volume(volume.provider_id, server.provider_id)  # outside the portal, which has not seen it yet
    services.delete_volumes(actor=member, volumes=[volume])
    work()
    assert now(volume).state == VolumeState.UNKNOWN
    assert "must be available" in volume.state_reason
    factories.read(account)
    assert (now(volume).state, volume.server_provider_id) == (VolumeState.IN_USE, server.provider_id)


# -- reading ---------------------------------------------------------------------------------------------------


def test_volumes_made_outside_are_found_and_their_end_is_noticed(
    account: CloudAccount, member: User, project: Project
) -> None:
    driver = Simulator({"world": "india", "username": "demo", "password": "demo"}, connect.site(account))
    made = driver.create_volume(VolumeSpec(name="outside", size=7), token="")
    factories.read(account)
    volume = Volume.objects.get(name="outside")
    assert (volume.is_orphan, volume.owner, volume.size) == (True, None, 7)
    assert Event.objects.filter(kind="volume", verb="found", object_id=volume.pk).count() == 1
    driver.delete_volume(made.id)
    Volume.objects.update(seen_at=factories.LONG_AGO)
    factories.read(account)
    assert now(volume).state == VolumeState.MISSING
    Volume.objects.update(missing_since=factories.LONG_AGO)
    factories.read(account)
    assert now(volume).state == VolumeState.DELETED


def test_reading_again_what_did_not_change_writes_nothing(account: CloudAccount, member: User) -> None:
    for _ in range(3):
        factories.make_volume(account, member)
    with connect.reaching(account) as driver:
        seen = list(driver.volumes())
    volumes.merge(account, seen, began=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        assert volumes.merge(account, seen, began=timezone.now()) == 0
    assert [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "COPY"))] == []


def test_a_server_that_ends_leaves_its_volumes(account: CloudAccount, member: User, work: Work) -> None:
    server = factories.boot(account, member)
    volume = factories.make_volume(account, member, server=server)
    assert [each.name for each in services.volumes_of(server)] == [volume.name]
    services.delete_servers(actor=member, servers=[server])
    work()
    assert Sync.objects.get(account=account, kind="volumes").due_at <= timezone.now()
    factories.read(account)
    assert (now(volume).state, volume.server_provider_id) == (VolumeState.AVAILABLE, "")


def test_it_is_read_soon_while_something_moves(account: CloudAccount, member: User, project: Project) -> None:
    sync = Sync.objects.get(account=account, kind="volumes")
    assert schedule._interval(sync, 0) == schedule.VOLUMES[2]
    make(member, project)
    assert schedule._interval(sync, 0) == schedule.VOLUMES[0]


def test_limits_are_kept_with_what_is_used_and_read_soon_after_a_change(
    account: CloudAccount, member: User, world: control.World
) -> None:
    assert (Limit.objects.get(account=account, resource="volumes").used) == 0
    factories.make_volume(account, member)
    limits = Sync.objects.get(account=account, kind="limits")
    Sync.objects.filter(pk=limits.pk).update(due_at=timezone.now() + schedule.FULL_EVERY)
    volume_sync = Sync.objects.get(account=account, kind="volumes")
    Sync.objects.filter(pk=volume_sync.pk).update(due_at=factories.LONG_AGO)
    Volume.objects.update(native_hash="")
    Volume.objects.update(seen_at=factories.LONG_AGO)
    schedule.run(volume_sync.pk)
    assert (now(limits).due_at - timezone.now()).total_seconds() <= schedule.LIMITS_AFTER
    control.set_quota(world, keys=None)
    factories.read(account)
    told = {row.resource: (row.used, row.limit) for row in Limit.objects.filter(account=account)}
    assert (told["volumes"], told["disk"]) == ((1, 20), (10, 1000))
    assert told["keys"] == (0, None)
