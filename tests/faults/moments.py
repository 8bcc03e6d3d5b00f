"""The moments in the life of a wish at which a worker is killed, and how each is found without a hook in the portal.

A slow or late answer of the cloud holds the worker in a request; a latch in the database holds it between two.
"""

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Iterator
from typing import Any

from django.utils import timezone

from activity import events
from clouds import services
from clouds.drivers.simulator import control
from clouds.models import Server, Sync
from operations.models import Operation, OperationState
from tests.faults.place import Place, await_end, fresh
from tests.faults.stage import Latch, Stage, is_waiting, until

LONG, WHILE = 50.0, 4.0  # seconds that an answer takes: until the worker is killed, or until the next latch is shut


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """One wish, the worker that has it, and what holds that worker."""

    place: Place
    operation: Operation
    server: Server
    gate: Latch  # before the claim
    latch: Latch
    second: Latch

    def now(self) -> Operation:
        return fresh(self.operation)

    def outcomes(self, kind: str) -> list[str]:
        return [row["outcome"] for row in self.place.requests(kind)]

    def release(self) -> None:
        """Let whoever comes now pass everywhere."""
        self.place.recover()
        for latch in (self.gate, self.latch, self.second):
            latch.open()


Step = Callable[[Scene], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moment:
    """`shut` is called while the worker stands before its claim, `reach` lets it go on to the moment."""

    name: str
    shut: Step
    reach: Step
    wanted: dict[str, Any] = dataclasses.field(default_factory=dict)
    build: float = 0.5  # seconds
    asks_for_address: bool = False  # the wish is for a public address of a server that is there
    is_claimed_again: bool = True

    def __str__(self) -> str:
        return self.name


@contextlib.contextmanager
def scene(stage: Stage, place: Place, moment: Moment) -> Iterator[Scene]:
    """A wish whose worker stands at the moment."""
    if moment.asks_for_address:
        await_end(place.boot())
    with contextlib.ExitStack() as latches:
        gate, latch, second = (_latch(stage, latches) for _ in range(3))
        gate.shut("SELECT pg_advisory_xact_lock(hashtext(%s))", place.account.lane)
        operation = _ask(place, moment)
        server = Server.objects.get(pk=operation.target_id)
        made = Scene(place=place, operation=operation, server=server, gate=gate, latch=latch, second=second)
        until(lambda: gate.is_met, "the worker stands before its claim")
        moment.shut(made)
        moment.reach(made)
        yield made


def _ask(place: Place, moment: Moment) -> Operation:
    if moment.asks_for_address:
        return services.assign_ip(actor=place.user, server=place.wishes()[0])
    return place.boot(**moment.wanted)


def _latch(stage: Stage, latches: contextlib.ExitStack) -> Latch:
    latch = Latch(stage.cluster.url())
    latches.callback(latch.close)
    return latch


# -- how a moment is found -------------------------------------------------------------------------------------


def _nothing(scene: Scene) -> None:
    pass


def asked(kind: str, *, effect: str = "slow", delay: float = LONG) -> dict[str, Any]:
    """In a request that the cloud has not done yet."""

    def shut(scene: Scene) -> None:
        control.fail(scene.place.world, kind, effect, times=1, delay=delay)

    def reach(scene: Scene) -> None:
        before = len(scene.place.requests(kind))
        scene.gate.open()
        until(lambda: len(scene.place.requests(kind)) > before, f"{kind} is asked")

    return {"shut": shut, "reach": reach}


def done(kind: str, *, delay: float = LONG) -> dict[str, Any]:
    """In a request that the cloud has done and not answered yet."""

    def reach(scene: Scene) -> None:
        scene.gate.open()
        until(lambda: "late-answer" in scene.outcomes(kind), f"{kind} is done")

    return asked(kind, effect="late-answer", delay=delay) | {"reach": reach}


def _latched(statement: str, *names: str) -> dict[str, Any]:
    """Where the worker needs what the test has locked."""

    def shut(scene: Scene) -> None:
        values = {"server": scene.server.pk, "operation": scene.operation.pk}
        scene.latch.shut(statement, *(values[name] for name in names))

    def reach(scene: Scene) -> None:
        scene.gate.open()
        until(lambda: scene.latch.is_met, "the worker stands before the latch")

    return {"shut": shut, "reach": reach}


def _latched_after(kind: str, effect: str, waits: Callable[[Scene], None]) -> dict[str, Any]:
    """Behind a request of `kind`, where `waits` shuts the latch and sees the worker stand."""

    def shut(scene: Scene) -> None:
        control.fail(scene.place.world, kind, effect, times=1, delay=WHILE)

    def reach(scene: Scene) -> None:
        scene.gate.open()
        until(lambda: scene.place.requests(kind), f"{kind} is asked")
        waits(scene)

    return {"shut": shut, "reach": reach}


_HURRY = '^UPDATE "clouds_sync" SET "due_at" = [^,]* WHERE'  # not what ends a reading


def _before_it_is_written(scene: Scene) -> None:
    scene.latch.shut(_ROW, scene.server.pk)
    until(lambda: is_waiting('^SELECT "clouds_server"'), "the worker stands before the server")


def _before_the_end(scene: Scene) -> None:
    """What was learned is committed; the worker stands where it hurries the next reading, the attempt is not ended."""
    later = timezone.now() + datetime.timedelta(hours=1)
    known = Server.objects.get(pk=scene.server.pk).version
    Sync.objects.filter(account=scene.server.account_id).update(due_at=later)
    scene.latch.shut("SELECT FROM clouds_sync WHERE account_id = %s FOR UPDATE", scene.server.account_id)
    until(lambda: Server.objects.get(pk=scene.server.pk).version > known, "the server is written down")
    until(lambda: is_waiting(_HURRY), "the worker stands before the end")


def _reach_building(scene: Scene) -> None:
    scene.gate.open()
    until(lambda: scene.now().step.startswith("building") and scene.now().lease_until is None, "it is being built")


def _lose_address(scene: Scene) -> None:
    """Take the public address away while the server is built, so that its wish has to ask for one."""
    _reach_building(scene)
    scene.place.driver().release_floating_ip(scene.now().target.provider_id)
    until(lambda: scene.place.requests("assign_floating_ip"), "an address is asked for")


_ROW = "SELECT FROM clouds_server WHERE id = %s FOR UPDATE"
_AT_ONCE = _latched_after("create_server", "slow", _before_the_end)  # of a server that is built at once


def _reach_unnumbered(scene: Scene) -> None:
    """All is committed, and the events of it are neither numbered nor published."""
    _AT_ONCE["reach"](scene)
    scene.second.shut("SELECT pg_advisory_xact_lock(%s)", events.LOCK)
    scene.latch.open()
    done = OperationState.SUCCEEDED
    until(lambda: scene.now().state == done and scene.second.is_met, "the worker stands before the numbering")


MOMENTS = (
    Moment(name="the message is delivered, nothing is claimed", shut=_nothing, reach=_nothing),
    Moment(name="claimed, nothing is asked", **_latched("LOCK clouds_server IN ACCESS EXCLUSIVE MODE")),
    Moment(name="looking for the token", **asked("find")),
    Moment(name="uploading the key, not done", **asked("ensure_key")),
    Moment(name="uploading the key, done, no answer yet", **done("ensure_key")),
    Moment(name="the key is there, not written down", **_latched("LOCK clouds_keypair IN EXCLUSIVE MODE")),
    Moment(name="ensuring the security group, not done", **asked("ensure_security_group")),
    Moment(name="ensuring the security group, done, no answer yet", **done("ensure_security_group")),
    Moment(
        name="the security group is there, not written down", **_latched("LOCK clouds_securitygroup IN EXCLUSIVE MODE")
    ),
    Moment(name="creating the server, not done", **asked("create_server")),
    Moment(name="creating the server, done, no answer yet", **done("create_server")),
    Moment(name="the server is made, not written down", **_latched(_ROW, "server")),
    Moment(
        name="the server is written down, the attempt is not",
        **_latched_after("create_server", "late-answer", _before_the_end),
    ),
    Moment(name="building, between two looks", shut=_nothing, reach=_reach_building, build=3.0),
    Moment(name="looking whether it is built", **asked("server")),
    Moment(name="it is built, not written down", **_latched_after("server", "slow", _before_it_is_written)),
    Moment(
        name="asking for the public address of a new server",
        **asked("assign_floating_ip") | {"reach": _lose_address},
        wanted={"floating_ip": True},
        build=3.0,
    ),
    Moment(name="assigning a public address, not done", **asked("assign_floating_ip"), asks_for_address=True),
    Moment(name="assigning a public address, done, no answer yet", **done("assign_floating_ip"), asks_for_address=True),
    Moment(
        name="all is done, its events have no number",
        **_AT_ONCE | {"reach": _reach_unnumbered},
        build=0,
        is_claimed_again=False,
    ),
)
