"""Reading a cloud: what is new, different, absent or silent there, and what that costs."""

import contextlib
import dataclasses
import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from activity.models import Event
from cloudmesh.errors import Unreachable, Unreadable
from cloudmesh.types import ServerState
from clouds import services
from clouds.drivers.simulator import control
from clouds.models import CloudAccount, Image, Server, Sync
from clouds.sync import connect, schedule
from clouds.sync import servers as reading
from operations.engine import lease, reach
from operations.models import Health
from portal.standalone.children import wait_until
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def without_redis(settings: LazySettings, tmp_path: Path) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": f"unix://{tmp_path}/nobody"}}


def read(account: CloudAccount, *, full: bool = False) -> Sync:
    """One reading of the servers."""
    sync = account.syncs.get(kind="servers")
    Sync.objects.filter(pk=sync.pk).update(due_at=factories.LONG_AGO, **({"full_at": None} if full else {}))
    schedule.run(sync.pk)
    sync.refresh_from_db()
    return sync


def verbs(server: Server) -> list[str]:
    return list(Event.objects.filter(object_id=server.pk).order_by("pk").values_list("verb", flat=True))


def test_a_server_made_at_the_cloud_is_found(account: CloudAccount, world: control.World) -> None:
    control.boot(world, "outsider")
    read(account)
    server = Server.objects.get()
    assert (server.name, server.state, server.is_orphan) == ("outsider", ServerState.ACTIVE, True)
    assert server.cores > 0
    assert verbs(server) == ["found"]


def test_a_change_made_at_the_cloud_is_drift(account: CloudAccount, member: User, world: control.World) -> None:
    server = factories.boot(account, member)
    control.act(world, server.provider_id, "stop")
    read(account)
    server.refresh_from_db()
    assert server.state == ServerState.STOPPED
    assert verbs(server)[-1] == "drifted"
    assert server.owner == member


def test_a_change_on_its_way_is_told_by_the_state_it_ends_in(
    account: CloudAccount, member: User, world: control.World
) -> None:
    server = factories.boot(account, member)
    Server.objects.update(state=ServerState.CHANGING)
    control.act(world, server.provider_id, "stop")
    read(account)
    assert verbs(server)[-1] == "stopped"


def test_a_deletion_at_the_cloud_is_told_by_what_changed(
    account: CloudAccount, member: User, world: control.World
) -> None:
    server = factories.boot(account, member)
    read(account)
    control.act(world, server.provider_id, "delete")
    read(account)
    server.refresh_from_db()
    assert server.state == ServerState.DELETED


def test_what_is_absent_is_missing_first_and_gone_only_after_a_grace(account: CloudAccount, member: User) -> None:
    server = factories.make_server(account, member, "ghost", seen_at=timezone.now() - datetime.timedelta(minutes=5))
    read(account, full=True)
    server.refresh_from_db()
    assert server.state == ServerState.MISSING
    read(account, full=True)
    server.refresh_from_db()
    assert server.state == ServerState.MISSING
    Server.objects.update(missing_since=timezone.now() - reading.GRACE)
    read(account, full=True)
    server.refresh_from_db()
    assert (server.state, verbs(server)[-1]) == (ServerState.DELETED, "vanished")


def test_what_was_missing_and_is_there_again_is_shown_as_it_is(
    account: CloudAccount, member: User, world: control.World
) -> None:
    server = factories.boot(account, member)
    Server.objects.update(state=ServerState.MISSING, missing_since=timezone.now())
    Server.objects.update(seen_at=factories.LONG_AGO)
    read(account, full=True)
    server.refresh_from_db()
    assert (server.state, server.missing_since) == (ServerState.ACTIVE, None)


def test_a_wish_whose_answer_was_lost_is_bound_by_its_token(
    account: CloudAccount, member: User, world: control.World
) -> None:
    server = factories.boot(account, member)
    Server.objects.update(provider_id="", native_hash="", state=ServerState.REQUESTED, seen_at=None)
    read(account, full=True)
    assert Server.objects.count() == 1
    bound = Server.objects.get()
    assert (bound.pk, bound.provider_id, bound.owner) == (server.pk, server.provider_id, member)


class Meanwhile:
    """In a document that is being read: something that happens at that very moment."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self.happens = happens

    def __str__(self) -> str:
        return str(self.happens())


def test_a_server_stored_while_the_list_is_being_read_is_not_taken_for_another(
    account: CloudAccount, member: User
) -> None:
    server = factories.boot(account, member)
    mine = Server.objects.filter(pk=server.pk)
    mine.update(provider_id="", native_hash="", seen_at=None)
    with connect.reaching(account) as driver:
        seen = driver.server(server.provider_id)
    stored = Meanwhile(lambda: mine.update(provider_id=seen.id, seen_at=timezone.now()))
    late = dataclasses.replace(seen, native={**seen.native, "stored": stored})
    reading.merge(account, [late], full=False, began=timezone.now())
    assert [found.pk for found in Server.objects.all()] == [server.pk]


def is_somebody_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")  # unlike statistics, as it is at this moment
        return cursor.fetchone() is not None


@pytest.mark.django_db(transaction=True)
def test_what_an_operation_stores_while_a_list_is_written_stays(account: CloudAccount, member: User) -> None:
    server = factories.boot(account, member)
    with connect.reaching(account) as driver:
        seen = driver.server(server.provider_id)
    began, late = timezone.now(), dataclasses.replace(seen, state=ServerState.BUILDING)

    def merge() -> reading.Tally:
        with contextlib.closing(connection):
            return reading.merge(account, [late], full=False, began=began)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            reading.store(server, dataclasses.replace(seen, native={"renewed": True}))
            merged = pool.submit(merge)
            assert wait_until(is_somebody_waiting, seconds=20)
        assert merged.result(20).changed == 0
    server.refresh_from_db()
    assert (server.state, server.native) == (ServerState.ACTIVE, {"renewed": True})
    told = Event.objects.filter(object_id=server.pk).order_by("version").values_list("version", flat=True)
    assert list(told) == list(range(1, server.version + 1))


def test_a_reading_that_fails_in_itself_is_tried_again_soon(account: CloudAccount) -> None:
    CloudAccount.objects.update(credential="damaged", credential_version=2)
    with pytest.raises(Unreadable):
        read(account)
    sync = account.syncs.get(kind="servers")
    assert sync.running_until is None
    assert timezone.now() < sync.due_at < timezone.now() + datetime.timedelta(minutes=2)


def test_a_reading_whose_process_died_is_begun_again_when_its_lease_has_run_out(account: CloudAccount) -> None:
    mine = account.syncs.filter(kind="servers")
    mine.update(done_at=None, running_until=timezone.now() + lease.length())
    assert read(account).done_at is None
    mine.update(running_until=timezone.now() - datetime.timedelta(seconds=1))
    assert read(account).done_at


@pytest.mark.usefixtures("without_redis")
def test_without_redis_clouds_are_read_as_if_nobody_looked(account: CloudAccount, project: Project) -> None:
    schedule.watch(project.pk)
    assert read(account).due_at > timezone.now() + datetime.timedelta(seconds=10)


def test_an_answer_older_than_what_an_operation_learned_changes_nothing(
    account: CloudAccount, member: User, world: control.World
) -> None:
    server = factories.boot(account, member)
    before = timezone.now() - datetime.timedelta(seconds=10)
    with connect.reaching(account) as driver:
        stale = list(driver.servers())
    control.act(world, server.provider_id, "stop")
    with connect.reaching(account) as driver:
        reading.store(server, driver.server(server.provider_id))
    reading.merge(account, stale, full=False, began=before)
    server.refresh_from_db()
    assert server.state == ServerState.STOPPED


def test_the_statements_do_not_grow_with_the_fleet(account: CloudAccount, world: control.World) -> None:
    counts = []
    for size in (5, 50):
        control.boot(world, f"fleet{size}", count=size)
        with CaptureQueriesContext(connection) as queries:
            read(account, full=True)
        counts.append(len([query for query in queries if "SAVEPOINT" not in query["sql"]]))
    assert counts[0] == counts[1]
    assert Server.objects.count() == 55


def test_many_changes_at_once_are_told_as_one(account: CloudAccount, world: control.World) -> None:
    control.boot(world, "crowd", count=300)
    read(account)
    assert Server.objects.count() == 300
    assert Event.objects.filter(kind="server").values_list("verb", "data__count").get() == ("synced", 300)


def test_nothing_changed_costs_few_statements_and_makes_no_event(account: CloudAccount, world: control.World) -> None:
    control.boot(world, "fleet", count=20)
    read(account, full=True)
    Sync.objects.update(since=timezone.now())
    events = Event.objects.count()
    with CaptureQueriesContext(connection) as queries:
        read(account)
    assert len(queries) <= 10
    assert Event.objects.count() == events


def test_a_cloud_that_fails_opens_its_circuit_and_keeps_the_last_data(
    account: CloudAccount, member: User, world: control.World
) -> None:
    server = factories.boot(account, member)
    control.outage(world, on=True)
    for _ in range(reach.TRIP):
        read(account)
    account.refresh_from_db()
    assert (account.health, account.is_open_circuit) == (Health.DOWN, True)
    with pytest.raises(Unreachable, match="does not answer"), connect.reaching(account):
        raise AssertionError("an open circuit lets nobody through")
    server.refresh_from_db()
    assert server.state == ServerState.ACTIVE
    control.recover(world)
    CloudAccount.objects.update(retry_at=None)
    read(account)
    account.refresh_from_db()
    assert (account.health, account.failures) == (Health.OK, 0)


def test_an_images_disappearance_is_noticed(account: CloudAccount) -> None:
    Image.objects.create(account=account, provider_id="gone", name="withdrawn")
    factories.read(account)
    assert not Image.objects.filter(name="withdrawn").exists()
    assert Image.objects.filter(name="futuregrid/ubuntu-14.04").exists()


def test_readings_come_sooner_while_somebody_looks(account: CloudAccount) -> None:
    def pause(sync: Sync) -> float:
        return (sync.due_at - timezone.now()).total_seconds()

    Sync.objects.update(since=timezone.now())
    rest = pause(read(account))
    services.watch(project_ids=[account.project_id])
    Sync.objects.update(since=timezone.now())
    assert pause(read(account)) < 6 < rest
