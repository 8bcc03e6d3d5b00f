"""Somebody who wishes for servers on a simulated cloud of their own, and what came of it."""

import dataclasses
import itertools
from typing import Any

from accounts.models import User
from activity import events
from activity.models import Event, Stateful
from cloudmesh.types import Json, ServerState
from clouds import services
from clouds.drivers.simulator import Simulator, control
from clouds.models import CloudAccount, Image, Server
from clouds.sync import connect, schedule
from operations import engine
from operations.models import RUNNABLE, CredentialState, Operation, OperationState
from projects.models import Project
from tests import factories
from tests.faults.stage import Stage, until

BUILD = 0.5  # seconds
DONE = ("ok", "slow", "late-answer", "lost-answer")  # the outcomes of requests whose work the cloud has done
numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    user: User
    project: Project
    account: CloudAccount
    world: control.World

    def boot(self, count: int = 1, **wanted: Any) -> Operation:
        return services.boot_servers(actor=self.user, project=self.project, count=count, **wanted)

    def wishes(self) -> list[Server]:
        return list(Server.objects.filter(project=self.project).exclude(is_orphan=True))

    def requests(self, kind: str) -> list[Json]:
        return control.requests(self.world, kind)

    def creates(self) -> int:
        """The creates that the cloud has done, whether or not anybody heard of it."""
        return sum(row["outcome"] in DONE for row in self.requests("create_server"))

    def living(self) -> list[Json]:
        return [row for row in control.listing(self.world) if row["status"] != "DELETED"]

    def driver(self) -> Simulator:
        """To change the cloud behind the portal's back."""
        credential = {"world": self.world.name, "username": "demo", "password": "demo"}
        return Simulator(credential, connect.site(self.account))

    def recover(self) -> None:
        control.recover(self.world)


def move_in(stage: Stage, *, build: float = BUILD, has_key: bool = True) -> Place:
    """A person, their project and their cloud, which was read once."""
    name = f"w{next(numbers)}"
    world = factories.make_world(stage.state, name)
    control.set_quota(world, instances=None, cores=None, ram=None)
    user = factories.make_user()
    project = factories.make_project(lead=user)
    if has_key:
        factories.make_key(user)
    credential = {"world": name, "username": "demo", "password": "demo"}
    account, verify = services.register_account(
        actor=user, project=project, name=name, driver="simulator", credential=credential
    )
    engine.run(verify.pk)
    until(
        lambda: CloudAccount.objects.filter(pk=account.pk, state=CredentialState.ACTIVE).exists(), "a cloud is verified"
    )
    for sync in account.syncs.all():
        schedule.run(sync.pk)
    until(lambda: not account.syncs.filter(done_at=None).exists(), "a cloud is read")
    assert Image.objects.filter(account=account).exists()
    control.set_latency(world, build, kinds=["build"])
    return Place(user=user, project=project, account=_fresh(account), world=world)


def _fresh(account: CloudAccount) -> CloudAccount:
    return CloudAccount.objects.select_related("cloud", "project").get(pk=account.pk)


def parts(operation: Operation) -> list[Operation]:
    """The wishes that are run: the children of a batch, or the one."""
    return list(Operation.objects.filter(parent=operation) if operation.is_batch else [fresh(operation)])


def fresh(operation: Operation) -> Operation:
    return Operation.objects.get(pk=operation.pk)


def await_end(operation: Operation, *, seconds: float = 120) -> None:
    """Until nothing of it is open."""
    family = Operation.objects.filter(parent=operation) | Operation.objects.filter(pk=operation.pk)
    until(lambda: not family.filter(state__in=RUNNABLE).exists(), "all is done", seconds=seconds)


def assert_granted(place: Place) -> None:
    """Every wish for a server has got its one server, and nothing else is there."""
    wishes, living = place.wishes(), place.living()
    open_ones = Operation.objects.filter(project=place.project).exclude(state=OperationState.SUCCEEDED)
    assert [(str(wish), wish.state, wish.state_reason) for wish in open_ones] == []
    assert wishes
    assert sorted(row["token"] for row in living) == sorted(wish.token for wish in wishes)
    assert {wish.state for wish in wishes} == {ServerState.ACTIVE}
    assert all(wish.addresses for wish in wishes)
    assert sorted(wish.provider_id for wish in wishes) == sorted(row["id"] for row in living)


def assert_told(place: Place) -> int:
    """Every change of every record is an event, once, and the events are numbered without a gap; answers how many."""
    events.announce()  # as the web's hub does every few seconds
    sequence = list(Event.objects.order_by("seq").values_list("seq", flat=True))
    assert sequence == list(range(1, len(sequence) + 1))
    told = 0
    for model in (Operation, Server, CloudAccount):
        for record in model._default_manager.filter(project=place.project):
            told += _assert_chain(record)
    assert told
    return told


def _assert_chain(record: Stateful) -> int:
    chain = list(Event.objects.filter(object_id=record.pk, version__gt=0).order_by("version"))
    assert [event.version for event in chain] == list(range(1, record.version + 1)), f"{record}: {chain}"
    assert chain[-1].to_state == record.state
    for before, after in itertools.pairwise(chain):
        assert after.from_state in ("", before.to_state), f"{record}: {before} then {after}"
    return len(chain)
