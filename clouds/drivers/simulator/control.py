"""What the owner of a simulated cloud can do to it behind the portal's back: no login, no request, no fault.

>>> world = control.World(state_dir, "india")
>>> control.set_latency(world, 0)
>>> control.fail(world, "create_server", "lost-answer", times=1)
"""

import json
from collections.abc import Iterable

from cloudmesh.types import Json, ServerSpec
from clouds.drivers.simulator import faults, network, servers
from clouds.drivers.simulator.world import USERNAME, CloudError, Row, World, store_account

__all__ = [
    "World",
    "act",
    "add_account",
    "boot",
    "break_down",
    "fail",
    "known_faults",
    "latencies",
    "listing",
    "outage",
    "quota",
    "recover",
    "requests",
    "set_latency",
    "set_quota",
]


# -- its character -------------------------------------------------------------------------------------------


def set_latency(world: World, shortest: float, longest: float | None = None, *, kinds: Iterable[str] = ()) -> None:
    """Let builds and actions take this many seconds; all of them, or those of `kinds`."""
    span = (shortest, shortest if longest is None else longest)
    if not 0 <= span[0] <= span[1]:
        raise CloudError(400, f"A latency of {span[0]} to {span[1]} seconds cannot be.")
    with world.work() as desk:
        known = desk.setting("latency")
        unknown = set(kinds) - set(known)
        if unknown:
            raise CloudError(400, f"There is no latency of {', '.join(unknown)}; there are {', '.join(known)}.")
        known |= dict.fromkeys(kinds or (set(known) - {"request"}), span)
        desk.db.execute("UPDATE setting SET value = ? WHERE name = 'latency'", (json.dumps(known),))


def latencies(world: World) -> dict[str, tuple[float, float]]:
    with world.work() as desk:
        return {kind: (low, high) for kind, (low, high) in desk.setting("latency").items()}


def set_quota(world: World, *, project: str = "", **caps: int | None) -> None:
    """Limit a project, or all that have no limit of their own; None is unlimited."""
    with world.work() as desk:
        known = network.quota(desk)
        unknown = set(caps) - set(known)
        if unknown:
            raise CloudError(400, f"There is no quota of {', '.join(unknown)}; there are those of {', '.join(known)}.")
        desk.db.executemany(
            "INSERT OR REPLACE INTO quota VALUES (?, ?, ?)", [(project, name, cap) for name, cap in caps.items()]
        )


def quota(world: World, *, project: str = "") -> dict[str, int | None]:
    with world.work(project) as desk:
        return network.quota(desk)


def add_account(world: World, username: str, password: str, *, project: str = "") -> None:
    """Have an account, in a project of its own where none is named; an old one gets the new password."""
    with world.work() as desk:
        store_account(desk.db, username, password, project or username)


# -- its servers ---------------------------------------------------------------------------------------------


def listing(world: World) -> list[Json]:
    """The documents of all servers of all projects, those deleted too."""
    with world.work() as desk:
        rows = desk.db.execute(f"{servers.SELECT} ORDER BY server.seq").fetchall()
    return [servers.document(row, world.name) for row in rows]


def boot(
    world: World,
    name: str,
    *,
    count: int = 1,
    image: str = "ubuntu-24.04",
    flavor: str = "m1.small",
    project: str = USERNAME,
    token: str = "",
) -> list[str]:
    """Build servers past any quota, all at once; with a count, `name` gets a number. Answers their ids."""
    with world.work(project) as desk:
        ids = {kind: {item["name"]: item["id"] for item in network.items(desk, kind)} for kind in ("image", "flavor")}
        for kind, wanted in (("image", image), ("flavor", flavor)):
            if wanted not in ids[kind]:
                raise CloudError(400, f"{world.name} has no {kind} {wanted!r}; it has {', '.join(ids[kind])}.")
        names = [name] if count == 1 else [f"{name}{number}" for number in range(1, count + 1)]
        specs = (ServerSpec(name=each, image=ids["image"][image], flavor=ids["flavor"][flavor]) for each in names)
        return [servers.build(desk, spec, token=token) for spec in specs]


def act(world: World, server: str, action: str, *, value: str = "") -> None:
    """Do any action, delete and rename among them, to a server named by name or id."""
    row = _seek(world, server)
    with world.work(row["project"]) as desk:
        if action == "delete":
            servers.delete(desk, row["id"])
        elif action == "rename":
            servers.rename(desk, row["id"], value)
        else:
            servers.act(desk, row["id"], action)


def break_down(world: World, server: str, fault: str = "The host of this instance went down.") -> None:
    """Put a server in ERROR."""
    row = _seek(world, server)
    with world.work(row["project"]) as desk:
        servers.break_down(desk, row["id"], fault)


def _seek(world: World, server: str) -> Row:
    with world.work() as desk:
        found = desk.db.execute(
            "SELECT id, project FROM server WHERE ? IN (id, name) AND status <> 'DELETED'", (server,)
        ).fetchall()
    if len(found) != 1:
        raise CloudError(404, f"{world.name} has {len(found)} servers {server!r}; name one by its id.")
    row: Row = found[0]
    return row


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
    """Refuse every connection, until it is switched off."""
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
    """The requests of a kind (a glob) that reached the world, oldest first: at, kind, server, token, outcome."""
    with world.work() as desk:
        return [*desk.db.execute("SELECT * FROM request WHERE kind GLOB ? ORDER BY id", (kind,))]
