"""Sizes, snapshots and news of servers, from the promise to the cloud."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound, PolicyDenied, QuotaExceeded
from cloudmesh.types import ServerState
from clouds import services
from clouds.drivers.simulator import Simulator, control
from clouds.models import CloudAccount, Image, Server
from operations import services as operations
from operations.models import Operation, OperationState
from projects.models import Policy, Quota, Span
from tests import factories

pytestmark = pytest.mark.django_db

SMALL, MEDIUM = (1, 2048, "m1.small"), (2, 4096, "m1.medium")


def work(operation: Operation) -> Operation:
    factories.do_all_work()
    operation.refresh_from_db()
    return operation


def resize(actor: User, server: Server, flavor: str) -> Operation:
    return work(services.resize_servers(actor=actor, servers=[server], flavor=flavor))


def shape(account: CloudAccount, server: Server) -> tuple[int, int, str, str]:
    server.refresh_from_db()
    [facts] = services.server_facts([server])
    return server.cores, server.ram, facts.flavor, server.state


def images(account: CloudAccount, **wanted: Any) -> list[str]:
    return sorted(Image.objects.filter(account=account, **wanted).values_list("name", flat=True))


# -- size ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ServerState.ACTIVE, ServerState.STOPPED])
def test_a_server_gets_another_size_and_what_it_uses_follows(
    account: CloudAccount, member: User, state: ServerState, world: control.World
) -> None:
    server = factories.boot(account, member, flavor="m1.small")
    if state is ServerState.STOPPED:
        work(services.change_servers(actor=member, servers=[server], action="stop"))
        server.refresh_from_db()
    operation = resize(member, server, "m1.medium")
    assert (operation.state, operation.state_reason) == (OperationState.SUCCEEDED, "")
    assert shape(account, server) == (*MEDIUM, state)
    assert [row["status"] for row in control.listing(world)] == ["ACTIVE" if state == "active" else "SHUTOFF"]
    spans = Span.objects.filter(object_id=server.pk, ends_at=None)
    assert [(span.cores, span.disk) for span in spans] == [(2 if state is ServerState.ACTIVE else 0, 40)]


def test_where_only_what_is_stopped_is_resized_it_is_stopped_and_started(
    account: CloudAccount, member: User, world: control.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Simulator, "resizes_stopped", True)
    server = factories.boot(account, member, flavor="m1.small")
    operation = resize(member, server, "m1.medium")
    assert (operation.state, shape(account, server)) == (OperationState.SUCCEEDED, (*MEDIUM, ServerState.ACTIVE))
    assert [len(control.requests(world, kind)) for kind in ("stop", "resize", "start")] == [1, 1, 1]


def test_what_was_stopped_for_a_size_that_is_refused_runs_again(
    account: CloudAccount, member: User, world: control.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Simulator, "resizes_stopped", True)
    server = factories.boot(account, member, flavor="m1.medium")
    operation = services.resize_servers(actor=member, servers=[server], flavor="m1.small")  # of a smaller disk
    assert work(operation).state == OperationState.FAILED
    assert "smaller than the one" in operation.state_reason
    factories.read(account)
    assert shape(account, server) == (*MEDIUM, ServerState.ACTIVE)


@pytest.mark.parametrize("fault", ["500", "timeout", "lost-answer"])
def test_a_resize_survives_what_goes_wrong(
    account: CloudAccount, member: User, world: control.World, fault: str
) -> None:
    server = factories.boot(account, member, flavor="m1.small")
    control.fail(world, "resize", fault, times=1)
    control.fail(world, "keep_size", fault, times=1)
    assert resize(member, server, "m1.medium").state == OperationState.SUCCEEDED
    assert shape(account, server) == (*MEDIUM, ServerState.ACTIVE)


def test_only_the_growth_counts_against_a_quota_and_at_once(account: CloudAccount, member: User) -> None:
    Quota.objects.filter(resource="cores").update(limit=4)
    first, second = (factories.boot(account, member, flavor="m1.small") for _ in range(2))
    services.resize_servers(actor=member, servers=[first], flavor="m1.medium")
    with pytest.raises(QuotaExceeded, match=r"3 of 4 are used, 3 more are wanted"):
        services.resize_servers(actor=member, servers=[second], flavor="m1.large")
    services.resize_servers(actor=member, servers=[second], flavor="m1.medium")
    with pytest.raises(QuotaExceeded, match="4 of 4 are used"):
        services.boot_servers(actor=member, project=account.project, flavor="m1.small")


def test_shrinking_asks_neither_quota_nor_policy(account: CloudAccount, member: User) -> None:
    server = factories.make_server(account, member, cores=8, ram=16384, flavor="5")
    Quota.objects.filter(resource="cores").update(limit=1)
    Policy.objects.create(name="none", effect="deny", service="cloud:*", state="approved")
    services.resize_servers(actor=member, servers=[server], flavor="m1.small")
    with pytest.raises((PolicyDenied, QuotaExceeded)):
        services.resize_servers(actor=member, servers=[factories.make_server(account, member)], flavor="m1.large")


def test_a_policy_that_denies_is_told(account: CloudAccount, member: User) -> None:
    Policy.objects.create(name="frozen", effect="deny", service="cloud:india", state="approved")
    with pytest.raises(PolicyDenied, match="frozen"):
        services.resize_servers(actor=member, servers=[factories.make_server(account, member)], flavor="m1.large")


def test_what_cannot_be_resized_is_refused_in_words(account: CloudAccount, member: User, lead: User) -> None:
    server = factories.make_server(account, member, "web")
    with pytest.raises(Conflict, match=r"web has the flavor m1\.small already"):
        services.resize_servers(actor=member, servers=[server], flavor="m1.small")
    with pytest.raises(NotFound, match="Did you mean"):
        services.resize_servers(actor=member, servers=[server], flavor="m1.larg")
    paused = factories.make_server(account, member, "web2", state=ServerState.PAUSED)
    with pytest.raises(Conflict, match="web2 is paused; resize needs it to be active or stopped"):
        services.resize_servers(actor=member, servers=[paused], flavor="m1.large")
    with pytest.raises(NotAllowed, match="somebody else's"):
        services.resize_servers(actor=member, servers=[factories.make_server(account, lead)], flavor="m1.large")
    sierra = factories.make_account(account.project, lead, "sierra")
    far = factories.make_server(sierra, member)
    with pytest.raises(Invalid, match="of one cloud at a time"):
        services.resize_servers(actor=member, servers=[server, far], flavor="m1.large")


# -- images of servers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["", "500", "lost-answer"])
def test_a_snapshot_is_one_image_that_the_next_server_boots_from(
    account: CloudAccount, member: User, world: control.World, fault: str
) -> None:
    server = factories.boot(account, member, flavor="m1.small")
    if fault:
        control.fail(world, "snapshot", fault, times=1)
    operation = work(services.snapshot_server(actor=member, server=server, name="golden"))
    assert (operation.state, operation.result["image"]) == (OperationState.SUCCEEDED, "golden")
    [image] = Image.objects.filter(account=account, own=True)
    assert (image.name, image.state, image.login, image.owner) == ("golden", "active", "ubuntu", member)
    child = factories.boot(account, member, image="golden", flavor="m1.small")
    assert (child.state, child.image) == (ServerState.ACTIVE, image.provider_id)
    factories.read(account)
    assert images(account, own=True) == ["golden"]


def test_a_snapshot_without_a_name_gets_that_of_its_server(account: CloudAccount, member: User) -> None:
    server = factories.boot(account, member, name="web")
    name = work(services.snapshot_server(actor=member, server=server)).result["image"]
    assert name.startswith(f"web-{timezone.now():%Y%m%d}-")


def test_a_cancelled_snapshot_leaves_no_image(account: CloudAccount, member: User, world: control.World) -> None:
    server = factories.boot(account, member)
    control.set_latency(world, 60, kinds=["snapshot"])
    operation = services.snapshot_server(actor=member, server=server, name="golden")
    factories.run(operation.pk)
    operation.refresh_from_db()
    operations.cancel(actor=member, operation=operation)
    assert work(operation).state == OperationState.CANCELLED
    factories.read(account)
    assert images(account, own=True) == []


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("ubuntu-24.04", Conflict, "has an image ubuntu-24.04 already"),
        ("x", Invalid, "3 to 128"),
        ("a\tb", Invalid, "can be shown"),
    ],
)
def test_what_cannot_be_a_name_of_an_image_is_refused(
    account: CloudAccount, member: User, name: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        services.snapshot_server(actor=member, server=factories.make_server(account, member), name=name)


def test_own_images_are_deleted_by_who_made_them_and_by_leads(account: CloudAccount, member: User, lead: User) -> None:
    for name in ("first", "second"):
        work(services.snapshot_server(actor=member, server=factories.boot(account, member), name=name))
    first, second = Image.objects.filter(own=True).order_by("name")
    assert work(services.delete_images(actor=member, images=[first])).state == OperationState.SUCCEEDED
    factories.read(account)
    assert images(account, own=True) == ["second"]
    Image.objects.filter(pk=second.pk).update(owner=lead)
    second.refresh_from_db()
    with pytest.raises(NotAllowed, match="somebody else's"):
        services.delete_images(actor=member, images=[second])
    work(services.delete_images(actor=lead, images=[second]))
    assert images(account, own=True) == []


def test_everybodys_images_are_not_deleted(account: CloudAccount, lead: User) -> None:
    image = Image.objects.get(account=account, name="ubuntu-24.04")
    with pytest.raises(Conflict, match="is not your account's own"):
        services.delete_images(actor=lead, images=[image])


# -- news ------------------------------------------------------------------------------------------------------


def test_a_server_is_read_anew_also_when_nothing_changed(account: CloudAccount, member: User) -> None:
    server = factories.boot(account, member)
    Server.objects.update(seen_at=factories.LONG_AGO)
    assert work(services.refresh_server(actor=member, server=server)).step == "active on india"
    server.refresh_from_db()
    assert server.seen_at
    assert server.seen_at > factories.LONG_AGO


def test_what_its_cloud_does_not_know_any_more_is_gone(
    account: CloudAccount, member: User, world: control.World
) -> None:
    server = factories.boot(account, member)
    with world.work("demo") as desk:
        desk.db.execute("UPDATE server SET status = 'DELETED'")
    assert work(services.refresh_server(actor=member, server=server)).state == OperationState.SUCCEEDED
    server.refresh_from_db()
    assert (server.state, server.state_reason) == (ServerState.DELETED, "It is not at its cloud any more.")
