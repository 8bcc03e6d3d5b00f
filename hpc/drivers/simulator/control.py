"""What the owner of a simulated scheduler can do to it behind the portal's back: no login, no request, no fault.

>>> world = control.World(state_dir, "india")
>>> control.set_speed(world, 60)
>>> control.fail(world, "submit", "lost-answer", times=1)
"""

import dataclasses

from cloudmesh.errors import Rejected
from cloudmesh.types import JobSpec, Json
from hpc.drivers.simulator import crowd, faults, jobs, schedule
from hpc.drivers.simulator.world import USERNAME, World, store_person

__all__ = [
    "World",
    "add_person",
    "fail",
    "known_faults",
    "outage",
    "recover",
    "requests",
    "set_crowd",
    "set_limits",
    "set_node",
    "set_queue",
    "set_speed",
    "submit",
]
QUEUE_STATES = ("open", "stopped", "closed", "down")
NODE_STATES = ("up", "drain", "down")


# -- its character -------------------------------------------------------------------------------------------


def set_speed(world: World, speed: float) -> None:
    """Let so many seconds of a job pass in one; what runs ends as it was written."""
    if not 0.01 <= speed <= 100_000:
        raise Rejected(f"A speed of {speed} cannot be; 1 is as real schedulers are, 60 makes minutes of hours.")
    with world.work() as desk:
        schedule.settle(desk)
        desk.set("speed", speed)


def set_crowd(world: World, load: float) -> None:
    """Let other people keep this part of the cores busy from now on; at 0 their jobs end, and none come."""
    if not 0 <= load <= 2:
        raise Rejected(f"A crowd of {load} cannot be; 0 is nobody, 1 keeps all cores busy.")
    with world.work() as desk:
        schedule.settle(desk)
        crowd.begin(desk, load)
        schedule.wake(desk)


def set_limits(world: World, *, max_jobs: int | None = None, max_bytes: int | None = None) -> None:
    """Limit the jobs that each person has in hand, and the bytes of their files."""
    with world.work() as desk:
        for name, value in (("max_jobs", max_jobs), ("max_bytes", max_bytes)):
            if value is not None:
                desk.set(name, value)


def add_person(world: World, login: str, password: str) -> None:
    """Have a person; one that is there gets the new password."""
    with world.work() as desk:
        store_person(desk.db, login, password)


def set_queue(world: World, name: str, state: str) -> None:
    """Open, stop, close or down a queue."""
    _one_of(state, QUEUE_STATES)
    with world.work() as desk:
        schedule.settle(desk)
        if not desk.db.execute("UPDATE queue SET state = ? WHERE name = ?", (state, name)).rowcount:
            raise Rejected(f"{world.name} has no queue {name!r}.")
        schedule.wake(desk)


def set_node(world: World, name: str, state: str, reason: str = "") -> None:
    """Take a node out of service or back; jobs on one that goes down are lost."""
    _one_of(state, NODE_STATES)
    with world.work() as desk:
        schedule.settle(desk)
        if not desk.db.execute("UPDATE node SET state = ?, reason = ? WHERE name = ?", (state, reason, name)).rowcount:
            raise Rejected(f"{world.name} has no node {name!r}.")
        if state == "down":
            desk.db.execute(
                "UPDATE job SET state = 'NODE_FAIL', reason = 'NodeFail', ended = ?, code = NULL"
                " WHERE state = 'RUNNING' AND EXISTS (SELECT 1 FROM json_each(hosts) WHERE value = ?)",
                (desk.now, name),
            )
        schedule.wake(desk)


def _one_of(state: str, states: tuple[str, ...]) -> None:
    if state not in states:
        raise Rejected(f"There is no state {state!r}; there are {', '.join(states)}.")


def submit(world: World, spec: JobSpec, *, count: int = 1, login: str = USERNAME) -> list[str]:
    """Submit jobs that nobody asked the portal for."""
    with world.work() as desk:
        schedule.settle(desk)
        desk = dataclasses.replace(desk, login=login)
        return [jobs.submit(desk, spec, "") for _ in range(count)]


# -- its faults ----------------------------------------------------------------------------------------------


def fail(
    world: World,
    kind: str,
    effect: str,
    *,
    times: int | None = None,
    fraction: float = 1.0,
    delay: float = 0.0,
    text: str = "",
) -> int:
    """See faults.inject; answers the number of the fault."""
    with world.work() as desk:
        return faults.inject(desk, kind, effect, times=times, fraction=fraction, delay=delay, text=text)


def outage(world: World, *, on: bool) -> None:
    """Be away, until it is switched off."""
    with world.work() as desk:
        faults.outage(desk, on=on)


def recover(world: World, fault: int | None = None) -> None:
    """Take away one fault, or all of them and any outage."""
    with world.work() as desk:
        faults.clear(desk, fault)


def known_faults(world: World) -> list[Json]:
    """The faults that may still strike."""
    with world.work() as desk:
        return list(faults.known(desk))


def requests(world: World, kind: str = "*") -> list[Json]:
    """The requests of a kind (a glob) that came, oldest first: at, kind, login, token, outcome."""
    with world.work() as desk:
        return desk.rows("SELECT * FROM request WHERE kind GLOB ? ORDER BY id", kind)
