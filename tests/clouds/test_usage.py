"""What servers take: spans that open and close with every change of state or size, whoever wrote it."""

import datetime
import itertools
import random
import time
import uuid

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from activity import lifecycle
from cloudmesh.types import ServerState
from clouds import services
from clouds.drivers.simulator import control
from clouds.lifecycle import TAKES, Taking, settle_servers
from clouds.models import CloudAccount, Server
from clouds.sync import servers as reading
from projects.models import Project, Span
from tests import factories
from tests.factories import at_once, make_server, make_servers

pytestmark = pytest.mark.django_db
ACTIVE, STOPPED, DELETED = ServerState.ACTIVE, ServerState.STOPPED, ServerState.DELETED
MISSING, UNKNOWN, SHELVED = ServerState.MISSING, ServerState.UNKNOWN, ServerState.SHELVED
DISK = 20  # GiB, of m1.small


def spans(server: Server) -> list[Span]:
    return list(Span.objects.filter(object_id=server.pk).order_by("begins_at", "pk"))


def taken(server: Server) -> list[tuple[int, int, int, bool]]:
    """Cores, memory and disk of each span, and whether it goes on."""
    return [(span.cores, span.ram, span.disk, span.ends_at is None) for span in spans(server)]


def move(server: Server, *states: str) -> None:
    for state in states:
        lifecycle.transition(server, state)


# -- states ----------------------------------------------------------------------------------------------------


def test_every_state_says_what_it_takes() -> None:
    assert set(TAKES) == set(ServerState)


def test_a_wish_takes_nothing_until_its_cloud_builds_it(account: CloudAccount, member: User) -> None:
    services.boot_servers(actor=member, project=account.project, cloud="india", flavor="m1.small")
    server = Server.objects.get()
    assert (server.state, spans(server)) == (ServerState.REQUESTED, [])
    factories.do_all_work()
    server.refresh_from_db()
    [span] = spans(server)
    assert (span.project, span.user, span.label, span.scope) == (account.project, member, "india", account.lane)
    assert (span.cores, span.ram, span.disk, span.nodes) == (server.cores, server.ram, DISK, 0)
    assert span.ends_at is None


def test_a_server_takes_all_then_its_disk_then_nothing(account: CloudAccount, member: User) -> None:
    server = make_server(account, member, state=ServerState.BUILDING)
    everything = (server.cores, server.ram, DISK)
    move(server, ACTIVE, STOPPED, ACTIVE, SHELVED, ACTIVE, ServerState.DELETING, DELETED)
    assert taken(server) == [
        (*everything, False),
        (0, 0, DISK, False),
        (*everything, False),
        (*everything, False),
    ]


def test_one_span_ends_at_the_instant_at_which_the_next_begins(account: CloudAccount, member: User) -> None:
    server = make_server(account, member)
    move(server, STOPPED, ACTIVE, STOPPED, ACTIVE)
    found = spans(server)
    assert len(found) == 5
    assert [span.ends_at for span in found[:-1]] == [span.begins_at for span in found[1:]]
    server.refresh_from_db()
    assert found[-1].begins_at == server.changed_at


@pytest.mark.parametrize("state", [state for state, takes in TAKES.items() if takes is Taking.AS_BEFORE])
def test_what_is_on_its_way_or_out_of_sight_takes_what_it_took(
    account: CloudAccount, member: User, state: ServerState
) -> None:
    running, stopped = make_servers(account, member, 2)
    move(stopped, STOPPED)
    before = taken(running), taken(stopped)
    move(running, state)
    move(stopped, state)
    assert (taken(running), taken(stopped)) == before


def test_a_boot_that_failed_before_anything_was_made_takes_nothing(account: CloudAccount, member: User) -> None:
    server = make_server(account, member, state=ServerState.REQUESTED, provider_id="")
    move(server, ServerState.ERROR)
    assert spans(server) == []
    broken = make_server(account, member)
    move(broken, ServerState.ERROR)
    assert taken(broken)[-1] == (0, 0, DISK, True)


def test_what_vanished_ended_when_it_was_first_missed(account: CloudAccount, member: User) -> None:
    server = make_server(account, member, seen_at=timezone.now() - datetime.timedelta(minutes=5))
    Span.objects.update(begins_at=timezone.now() - datetime.timedelta(hours=2))
    account.syncs.update(full_at=None)
    factories.read(account)
    server.refresh_from_db()
    assert (server.state, taken(server)[0][-1]) == (MISSING, True)
    missed = timezone.now() - 2 * reading.GRACE
    Server.objects.update(missing_since=missed)
    account.syncs.update(full_at=None)
    factories.read(account)
    server.refresh_from_db()
    assert server.state == DELETED
    assert [span.ends_at for span in spans(server)] == [missed]


def test_what_was_missed_by_mistake_ran_all_the_time(account: CloudAccount, member: User) -> None:
    server = make_server(account, member)
    lifecycle.move_all(Server, [server.pk], MISSING, missing_since=timezone.now())
    server.refresh_from_db()
    lifecycle.transition(server, ACTIVE, missing_since=None)
    assert taken(server) == [(server.cores, server.ram, DISK, True)]


def test_after_any_walk_the_open_span_is_what_the_last_plain_state_takes(account: CloudAccount, member: User) -> None:
    chance = random.Random(7)
    for server in make_servers(account, member, 10):
        plain = TAKES[ServerState(server.state)]
        for state in chance.choices([state for state in ServerState if state is not DELETED], k=12):
            if state in server.FOLLOWS[server.state] or state == server.state:
                lifecycle.transition(server, state)
                plain = TAKES[state] if TAKES[state] is not Taking.AS_BEFORE else plain
        expected = {
            Taking.ALL: [(server.cores, server.ram, DISK)],
            Taking.DISK: [(0, 0, DISK)],
            Taking.NOTHING: [],
        }[plain]
        assert [amounts[:3] for amounts in taken(server) if amounts[3]] == expected
        found = spans(server)
        assert all(a.ends_at is not None and a.ends_at <= b.begins_at for a, b in itertools.pairwise(found))


# -- sizes, owners, accounts -----------------------------------------------------------------------------------


def test_another_size_is_another_span(account: CloudAccount, member: User) -> None:
    server = make_server(account, member)
    large = account.flavors.get(name="m1.large")
    lifecycle.change(server, cores=large.cores, ram=large.ram, flavor=large.provider_id)
    assert taken(server)[1:] == [(large.cores, large.ram, large.disk, True)]
    lifecycle.change(server, cores=large.cores, name="renamed")
    assert len(spans(server)) == 2


def test_another_owner_is_another_span(account: CloudAccount, member: User, lead: User) -> None:
    server = make_server(account, member)
    lifecycle.change(server, owner=lead)
    assert [span.user for span in spans(server)] == [member, lead]


def test_what_was_found_at_a_cloud_counts_for_the_project_and_nobody(
    account: CloudAccount, world: control.World, project: Project
) -> None:
    control.boot(world, "outsider")
    factories.read(account)
    [span] = Span.objects.all()
    assert (span.project, span.user, span.label) == (project, None, "india")
    assert span.cores > 0


def test_a_flavor_is_known_by_its_name_too(account: CloudAccount, member: User) -> None:
    server = make_server(account, member, flavor="m1.small")
    assert taken(server) == [(server.cores, server.ram, DISK, True)]


def test_what_is_removed_from_the_portal_counts_no_longer(account: CloudAccount, member: User, lead: User) -> None:
    server = make_server(account, member)
    services.remove_account(actor=lead, account=account)
    [span] = spans(server)
    assert span.ends_at is not None
    assert (span.label, span.project_id) == ("india", account.project_id)


# -- at once, cut off, in numbers ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_writers_at_once_each_ends_what_the_one_before_began(account: CloudAccount, member: User) -> None:
    server = make_server(account, member)

    def flip() -> None:
        mine = Server.objects.get(pk=server.pk)
        for state in (STOPPED, ACTIVE) * 5:
            lifecycle.transition(mine, state)

    at_once(4, flip)
    found = spans(server)
    assert [span.ends_at for span in found[:-1]] == [span.begins_at for span in found[1:]]
    assert found[-1].ends_at is None
    assert [bool(span.cores) for span in found] == [number % 2 == 0 for number in range(len(found))]


@transaction.atomic
def stop_and_die(server: Server) -> None:
    lifecycle.transition(server, STOPPED)
    assert spans(server)[0].ends_at
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.django_db(transaction=True)
def test_whoever_is_killed_between_leaves_neither_the_state_nor_the_span(account: CloudAccount, member: User) -> None:
    server = make_server(account, member)
    before = taken(server)
    with pytest.raises(OperationalError):
        stop_and_die(server)
    connection.close()
    assert Server.objects.get(pk=server.pk).state == ACTIVE
    assert taken(server) == before


def test_most_changes_cost_nothing(account: CloudAccount, member: User) -> None:
    server = make_server(account, member)
    with CaptureQueriesContext(connection) as queries:
        lifecycle.transition(server, ServerState.REBOOTING)
        lifecycle.transition(server, ServerState.DELETING)
        lifecycle.change(server, name="other")
        lifecycle.begin([Server(account=account, project=account.project, name="new", state=ServerState.REQUESTED)])
    assert not [query for query in queries.captured_queries if "projects_span" in query["sql"]]


def copies(server: Server, count: int) -> list[uuid.UUID]:
    """Servers like this one, past everybody who follows what is written."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO clouds_server SELECT (jsonb_populate_record(
                server, jsonb_build_object('id', gen_random_uuid(), 'provider_id', number, 'name', number)
            )).* FROM clouds_server AS server, generate_series(1, %s) AS number WHERE id = %s RETURNING id
            """,
            [count, server.pk],
        )
        return [pk for (pk,) in cursor.fetchall()]


def test_ten_thousand_servers_are_two_statements_and_quick(account: CloudAccount, member: User) -> None:
    ids = copies(make_server(account, member), 10_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE clouds_server, clouds_flavor")
    with CaptureQueriesContext(connection) as queries:
        began = time.monotonic()
        settle_servers(ids)
        seconds = time.monotonic() - began
    assert len(queries) == 2
    assert Span.objects.filter(object_id__in=ids, ends_at=None, cores__gt=0, disk=DISK).count() == 10_000
    assert seconds < 5, f"{seconds:.2f} s"


def test_reading_many_costs_two_statements_more_than_before(account: CloudAccount, world: control.World) -> None:
    control.boot(world, "crowd", count=300)
    with CaptureQueriesContext(connection) as queries:
        factories.read(account)
    assert len([query for query in queries.captured_queries if "projects_span" in query["sql"]]) == 2
    assert Span.objects.filter(ends_at=None).count() == 300
