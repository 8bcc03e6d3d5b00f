"""The life of a simulated volume, and the document its cloud shows of it."""

import json
import uuid
from collections.abc import Mapping

from cloudmesh.types import Json, VolumeSpec
from clouds.drivers.simulator import catalogue, network, servers
from clouds.drivers.simulator.world import CloudError, Desk, Row

LARGEST = 16_384  # GiB
LETTERS = "bcdefghijklmnopqrstuvwxyz"
TAKING = ("ACTIVE", "SHUTOFF", "PAUSED")  # servers in these states can be given a volume


# -- reading -------------------------------------------------------------------------------------------------


def listing(desk: Desk) -> list[Row]:
    return desk.db.execute(
        "SELECT * FROM volume WHERE project = ? AND status <> 'deleted' ORDER BY seq", (desk.project,)
    ).fetchall()


def get(desk: Desk, volume_id: str) -> Row:
    row: Row | None = desk.db.execute(
        "SELECT * FROM volume WHERE id = ? AND project = ? AND status <> 'deleted'", (volume_id, desk.project)
    ).fetchone()
    if row is None:
        raise CloudError(404, f"Volume {volume_id} could not be found.")
    return row


def find(desk: Desk, token: str) -> Row | None:
    """The oldest volume that carries `token`."""
    return next((row for row in listing(desk) if token and row["token"] == token), None)


def usage(desk: Desk) -> dict[str, int]:
    """What the project's volumes take of its quota."""
    rows = listing(desk)
    return {"volumes": len(rows), "disk": sum(row["size"] for row in rows)}


# -- changing ------------------------------------------------------------------------------------------------


def create(desk: Desk, spec: VolumeSpec, *, token: str, build_error: str = "") -> Row:
    """Begin to make a volume, if the project's quota allows; later it is in error where `build_error` says why."""
    if not 0 < len(spec.name) <= 255:
        raise CloudError(400, "Volume name must be 1 to 255 characters long.")
    if not 1 <= spec.size <= LARGEST:
        raise CloudError(400, f"Invalid volume size: {spec.size} GiB; use 1 to {LARGEST}.")
    if spec.server:
        servers.get(desk, spec.server)
    network.require(desk, usage(desk), {"volumes": 1, "disk": spec.size})
    row = {
        "id": str(uuid.uuid4()),
        "project": desk.project,
        "name": spec.name,
        "token": token,
        "size": spec.size,
        "metadata": json.dumps(dict(spec.labels)),
        "status": "creating",
        "fault": build_error,
        "next_status": "error" if build_error else "available",
        "next_at": desk.now + desk.latency("volume"),
        "created": desk.now,
    }
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    desk.db.execute(f"INSERT INTO volume ({columns}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
    return get(desk, str(row["id"]))


def attach(desk: Desk, volume_id: str, server_id: str, device: str) -> None:
    row, server = get(desk, volume_id), servers.get(desk, server_id)
    if row["server"] == server["id"] and row["status"] in ("attaching", "in-use"):
        return
    _require(row, ("available",), "attached")
    if server["task"] or server["status"] not in TAKING:
        doing = server["task"] or server["status"]
        raise CloudError(409, f"Cannot attach to instance {server_id} while it is {doing}.")
    taken = {each["device"] for each in listing(desk) if each["server"] == server["id"]}
    if device in taken:
        raise CloudError(400, f"The device {device} of instance {server_id} is in use.")
    name = device or next(free for letter in LETTERS if (free := f"/dev/vd{letter}") not in taken)
    _begin(desk, row, "attaching", "in-use", server=server["id"], device=name)


def detach(desk: Desk, volume_id: str) -> None:
    row = get(desk, volume_id)
    if row["status"] in ("available", "detaching"):
        return
    _require(row, ("in-use",), "detached")
    _begin(desk, row, "detaching", "available", server=row["server"], device=row["device"])


def delete(desk: Desk, volume_id: str) -> None:
    row = get(desk, volume_id)
    if row["status"] == "deleting":
        return
    _require(row, ("available", "error"), "deleted")
    _begin(desk, row, "deleting", "deleted", server=None, device="")


def _require(row: Row, states: tuple[str, ...], wish: str) -> None:
    if row["status"] not in states:
        wanted = " or ".join(states)
        raise CloudError(409, f"Volume {row['id']} is {row['status']}; to be {wish} it must be {wanted}.")


def _begin(desk: Desk, row: Row, status: str, result: str, *, server: str | None, device: str) -> None:
    desk.db.execute(
        "UPDATE volume SET status = ?, next_status = ?, next_at = ?, server = ?, device = ? WHERE id = ?",
        (status, result, desk.now + desk.latency("volume"), server, device, row["id"]),
    )


# -- showing -------------------------------------------------------------------------------------------------


def document(row: Row, world: str) -> Json:
    """The whole volume as its cloud shows it."""
    zones = catalogue.character(world).zones
    attachment: Mapping[str, str] = {"server_id": row["server"], "device": row["device"]}
    return {
        "id": row["id"],
        "name": row["name"],
        "world": world,
        "project": row["project"],
        "status": row["status"],
        "size_gb": row["size"],
        "zone": zones[row["seq"] % len(zones)],
        "attachments": [dict(attachment)] if row["server"] else [],
        "fault": row["fault"] if row["status"] == "error" else None,
        "metadata": json.loads(row["metadata"]),
        "token": row["token"],
        "created": servers.moment(row["created"]),
    }
