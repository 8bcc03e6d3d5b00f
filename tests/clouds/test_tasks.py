"""The life of servers on a simulated cloud, also when it fails, lies or forgets to answer."""

from collections.abc import Callable

import pytest

from accounts.models import User
from activity.models import Event
from cloudmesh.types import ServerState
from clouds import services
from clouds.drivers.simulator import control
from clouds.models import CloudAccount, KeyPair, SecurityGroup, Server
from operations import engine
from operations import services as operations
from operations.engine import TakenOver
from operations.models import Operation, OperationState
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db

Work = Callable[[], None]


def boot(member: User, project: Project, **wanted: str) -> tuple[Operation, Server]:
    operation = services.boot_servers(actor=member, project=project, **wanted)
    return operation, Server.objects.get(pk=operation.target_id)


def there(world: control.World) -> list[str]:
    """The names of the servers that are at the cloud."""
    return [row["name"] for row in control.listing(world) if row["status"] != "DELETED"]


def creates(world: control.World) -> list[str]:
    """The outcomes of all create requests that the cloud has seen."""
    return [row["outcome"] for row in control.requests(world, "create_server")]


def test_a_boot_becomes_an_active_server(account: CloudAccount, member: User, project: Project, work: Work) -> None:
    operation, server = boot(member, project)
    assert (server.state, server.name) == (ServerState.REQUESTED, "gregor_1")
    work()
    operation.refresh_from_db()
    server.refresh_from_db()
    assert (operation.state, server.state) == (OperationState.SUCCEEDED, ServerState.ACTIVE)
    assert server.addresses
    assert server.native["name"] == "gregor_1"


def test_key_and_security_group_are_brought_along_once(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    factories.make_key(member)
    for _ in range(2):
        boot(member, project)
        work()
    assert len(control.requests(world, "ensure_key")) == 1
    assert len(control.requests(world, "ensure_security_group")) == 1
    assert KeyPair.objects.get().name == Server.objects.first().key  # type: ignore[union-attr]
    assert SecurityGroup.objects.get(name="cloudmesh").name == "cloudmesh"


@pytest.mark.parametrize("fault", ["500", "429", "timeout", "garbage", "refused", "lost-answer"])
def test_whatever_goes_wrong_there_is_one_server_in_the_end(
    account: CloudAccount,
    member: User,
    project: Project,
    world: control.World,
    work: Work,
    fault: str,
) -> None:
    control.fail(world, "create_server", fault, times=1)
    operation, server = boot(member, project)
    work()
    operation.refresh_from_db()
    assert operation.state == OperationState.SUCCEEDED
    assert there(world) == [server.name]


def test_a_worker_that_died_after_the_cloud_accepted_is_succeeded_by_one_that_adopts(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    operation, _ = boot(member, project)
    from_dead_worker = engine.claim(operation.pk)
    assert from_dead_worker is not None
    engine.HANDLING["server.create"].run(from_dead_worker)
    Operation.objects.update(lease_until=factories.LONG_AGO)
    Server.objects.update(provider_id="", state=ServerState.REQUESTED)  # as if nothing had been written down
    work()
    assert creates(world) == ["ok"]
    assert Server.objects.get().state == ServerState.ACTIVE


def test_a_worker_that_comes_back_too_late_writes_nothing_and_asks_for_nothing(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    operation, _ = boot(member, project)
    late = engine.claim(operation.pk)
    assert late
    Operation.objects.update(lease_until=factories.LONG_AGO)
    work()
    Server.objects.update(provider_id="", native_hash="")  # as the late one believes it to be
    for token in (late.token, "nobody's"):  # it finds the server, or does not
        late.token = token
        with pytest.raises(TakenOver):
            engine.HANDLING["server.create"].run(late)
    assert creates(world) == ["ok"]
    assert Server.objects.get().provider_id == ""


def test_a_build_that_fails_says_why_and_can_be_tried_again(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    control.fail(world, "create_server", "build-error", times=1, text="No valid host was found.")
    operation, server = boot(member, project)
    work()
    operation.refresh_from_db()
    server.refresh_from_db()
    assert (operation.state, server.state) == (OperationState.FAILED, ServerState.ERROR)
    assert "No valid host was found." in operation.state_reason
    operations.retry(actor=member, operation=operation)
    work()
    server.refresh_from_db()
    assert server.state == ServerState.ACTIVE
    assert there(world) == [server.name]


def test_a_failed_boot_can_be_deleted_by_its_owner(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    control.fail(world, "create_server", "build-error", times=1)
    _, server = boot(member, project)
    work()
    server.refresh_from_db()
    services.delete_servers(actor=member, servers=[server])
    work()
    server.refresh_from_db()
    assert server.state == ServerState.DELETED
    assert there(world) == []


def test_a_cancelled_boot_leaves_nothing_at_the_cloud(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    control.set_latency(world, 60)
    operation, server = boot(member, project)
    engine.run(operation.pk)
    control.set_latency(world, 0)
    operations.cancel(actor=member, operation=operation)
    work()
    operation.refresh_from_db()
    server.refresh_from_db()
    assert (operation.state, server.state) == (OperationState.CANCELLED, ServerState.DELETED)
    assert there(world) == []


def test_deleting_a_server_whose_boot_still_goes_on_takes_the_boot_back(
    account: CloudAccount, member: User, project: Project, world: control.World, work: Work
) -> None:
    control.set_latency(world, 60)
    operation, server = boot(member, project)
    engine.run(operation.pk)
    control.set_latency(world, 0)
    server.refresh_from_db()
    services.delete_servers(actor=member, servers=[server])
    work()
    server.refresh_from_db()
    assert server.state == ServerState.DELETED
    assert there(world) == []


@pytest.mark.parametrize(
    ("actions", "state"),
    [(["stop"], "stopped"), (["stop", "start"], "active"), (["suspend", "resume"], "active"), (["reboot"], "active")],
)
def test_actions_bring_about_their_state(
    account: CloudAccount, member: User, work: Work, actions: list[str], state: str
) -> None:
    server = factories.boot(account, member)
    for action in actions:
        operation = services.change_servers(actor=member, servers=[server], action=action)
        work()
        server.refresh_from_db()
        operation.refresh_from_db()
        assert operation.state == OperationState.SUCCEEDED, operation.state_reason
    assert server.state == state


def test_a_server_that_is_gone_already_is_deleted_without_complaint(
    account: CloudAccount, member: User, world: control.World, work: Work
) -> None:
    server = factories.boot(account, member)
    control.act(world, server.provider_id, "delete")
    operation = services.delete_servers(actor=member, servers=[server])
    work()
    operation.refresh_from_db()
    assert operation.state == OperationState.SUCCEEDED


def test_a_public_address_is_given_when_asked_for(account: CloudAccount, member: User, work: Work) -> None:
    server = factories.boot(account, member, floating_ip=True)
    assert len(server.public_addresses) == 1
    services.release_ip(actor=member, server=server)
    work()
    server.refresh_from_db()
    assert server.public_addresses == []


def test_the_console_log_comes_as_a_result(account: CloudAccount, member: User, work: Work) -> None:
    server = factories.boot(account, member)
    operation = services.read_console_log(actor=member, server=server, lines=5)
    work()
    operation.refresh_from_db()
    assert operation.result["text"].count("\n") <= 5
    assert operation.result["text"]


def test_a_refused_credential_leaves_nothing_of_the_registration(
    world: control.World, member: User, project: Project, work: Work
) -> None:
    credential = {"world": "india", "username": "demo", "password": "not this one"}
    _, operation = services.register_account(
        actor=member, project=project, name="mine", driver="simulator", credential=credential
    )
    work()
    operation.refresh_from_db()
    assert operation.state == OperationState.FAILED
    assert not CloudAccount.objects.exists()
    assert "not this one" not in str(Operation.objects.values()) + str(Event.objects.values())


def test_another_credential_is_used_only_once_it_has_worked(account: CloudAccount, member: User, work: Work) -> None:
    facts = {"world": "india", "username": "demo"}
    services.replace_credential(actor=member, account=account, credential={**facts, "password": "wrong"})
    work()
    account.refresh_from_db()
    assert (account.is_usable, account.pending) == (True, "")
    assert factories.boot(account, member).state == ServerState.ACTIVE
    services.replace_credential(actor=member, account=account, credential={**facts, "password": "demo"})
    work()
    before, account = account.credential_version, CloudAccount.objects.get()
    assert account.credential_version == before + 1
