"""Labels of servers: set at boot and later, kept at the cloud, found again, and refused in words."""

import json

import pytest

from accounts.models import User
from cloudmesh.errors import Conflict, Invalid, NotAllowed
from cloudmesh.types import ServerState
from clouds import services
from clouds.drivers.simulator import control
from clouds.models import CloudAccount, Server
from operations.models import Operation, OperationState
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db


def metadata(world: control.World, server: Server) -> dict[str, str]:
    """What the cloud itself has, without the portal's token."""
    with world.work("demo") as desk:
        row = desk.db.execute("SELECT metadata FROM server WHERE id = ?", (server.provider_id,)).fetchone()
    return dict(json.loads(row["metadata"]))


def label(actor: User, *servers: Server, remove: tuple[str, ...] = (), **labels: str) -> Operation:
    operation = services.label_servers(actor=actor, servers=servers, labels=labels, remove=remove)
    factories.do_all_work()
    operation.refresh_from_db()
    for server in servers:
        server.refresh_from_db()
    return operation


def test_a_server_is_booted_with_labels(account: CloudAccount, member: User, world: control.World) -> None:
    server = factories.boot(account, member, labels={"stage": "trial"}, group="demo")
    assert server.labels == {"stage": "trial"}
    assert metadata(world, server) == {"stage": "trial", "cloudmesh_group": "demo", "cloudmesh_owner": "gregor"}


def test_labels_are_set_and_removed_here_and_at_the_cloud(
    account: CloudAccount, member: User, world: control.World
) -> None:
    servers = [factories.boot(account, member, labels={"stage": "trial", "tier": "web"}) for _ in range(2)]
    operation = label(member, *servers, remove=("tier",), stage="prod")
    assert (operation.state, operation.is_batch) == (OperationState.SUCCEEDED, True)
    assert [server.labels for server in servers] == [{"stage": "prod"}] * 2
    assert {metadata(world, server)["stage"] for server in servers} == {"prod"}
    assert not any("tier" in metadata(world, server) for server in servers)


def test_labels_that_others_write_at_the_cloud_are_taken_over(
    account: CloudAccount, member: User, world: control.World
) -> None:
    server = factories.boot(account, member)
    with world.work("demo") as desk:
        desk.db.execute('UPDATE server SET metadata = \'{"found": "outside"}\', updated = ?', (desk.now,))
    factories.read(account)
    server.refresh_from_db()
    assert server.labels == {"found": "outside"}


def test_the_portal_writes_its_own_marks_and_shows_them_not(
    account: CloudAccount, member: User, world: control.World
) -> None:
    server = factories.boot(account, member)
    unborn = factories.make_server(account, member, provider_id="", state=ServerState.REQUESTED)
    services.mark_servers(actor=member, servers=[server, unborn], marks={"cloudmesh_group": "night"})
    factories.do_all_work()
    server.refresh_from_db()
    assert (metadata(world, server)["cloudmesh_group"], server.labels) == ("night", {})
    assert services.mark_servers(actor=member, servers=[unborn], marks={"cloudmesh_group": "night"}) is None


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("cloudmesh_token", "x", "The portal itself writes the label cloudmesh_token"),
        ("Cloudmesh_group", "x", "The portal itself writes"),
        ("Name", "x", "rename the server instead"),
        ("", "x", "cannot be the key"),
        (" stage", "x", "blank at its ends"),
        ("a=b", "x", "no ="),
        ("k" * 256, "x", "The key of the label .* has 256 characters; Simulated cloud keeps 255"),
        ("stage", "x" * 256, "The value of the label stage has 256 characters"),
        ("stage", "a\nb", "cannot be shown"),
    ],
)
def test_what_cannot_be_a_label_is_refused_in_words(
    account: CloudAccount, member: User, project: Project, key: str, value: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        services.boot_servers(actor=member, project=project, labels={key: value})
    server = factories.make_server(account, member)
    with pytest.raises(Invalid, match=words):
        services.label_servers(actor=member, servers=[server], labels={key: value})


def test_there_are_no_more_labels_than_the_cloud_keeps(account: CloudAccount, member: User) -> None:
    server = factories.make_server(account, member, labels={f"key{number}": "" for number in range(120)})
    with pytest.raises(Invalid, match="That would be 121 labels on one server; Simulated cloud keeps 120"):
        services.label_servers(actor=member, servers=[server], labels={"one-more": ""})
    services.label_servers(actor=member, servers=[server], labels={"one-more": ""}, remove=["key0"])


@pytest.mark.parametrize(
    ("labels", "remove", "words"),
    [({}, [], "Say at least one label"), ({"a": ""}, ["a"], "to be set and to be removed"), ({}, ["Name"], "rename")],
)
def test_a_wish_that_says_nothing_or_two_things_is_refused(
    account: CloudAccount, member: User, labels: dict[str, str], remove: list[str], words: str
) -> None:
    server = factories.make_server(account, member)
    with pytest.raises(Invalid, match=words):
        services.label_servers(actor=member, servers=[server], labels=labels, remove=remove)


def test_members_label_their_own_servers_that_are_at_their_cloud(
    account: CloudAccount, member: User, lead: User
) -> None:
    with pytest.raises(NotAllowed, match="somebody else's"):
        services.label_servers(actor=member, servers=[factories.make_server(account, lead)], labels={"a": "b"})
    unborn = factories.make_server(account, member, provider_id="", state=ServerState.REQUESTED)
    with pytest.raises(Conflict, match="not at its cloud yet"):
        services.label_servers(actor=member, servers=[unborn], labels={"a": "b"})


@pytest.mark.parametrize(
    ("text", "names"),
    [("stage=prod", ["a", "b"]), ("stage", ["a", "b", "c"]), ("stage=prod,tier=web", ["b"]), ("stage=", []), ("x", [])],
)
def test_servers_are_found_by_label(account: CloudAccount, member: User, text: str, names: list[str]) -> None:
    for name, labels in {"a": {"stage": "prod"}, "b": {"stage": "prod", "tier": "web"}, "c": {"stage": "no"}}.items():
        factories.make_server(account, member, name, labels=labels)
    found = Server.objects.filter(services.labelled(text)).order_by("name")
    assert [server.name for server in found] == names


def test_a_filter_without_a_key_is_refused() -> None:
    with pytest.raises(Invalid, match="has no key"):
        services.labelled("=prod")
