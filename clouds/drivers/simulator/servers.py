"""The life of a simulated server, and the document its cloud shows of it."""

import datetime
import ipaddress
import json
import secrets
import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import orjson

from cloudmesh.types import Json, ServerSpec
from clouds.drivers.simulator import catalogue, images, keys, network
from clouds.drivers.simulator.world import CloudError, Desk, Row


class Action(NamedTuple):
    """One thing that can be asked of a server: when, what it is doing meanwhile, and what it becomes."""

    when: frozenset[str]
    task: str
    result: str


def _action(when: str, task: str, result: str) -> Action:
    return Action(frozenset(when.split()), task, result)


ACTIONS = {
    "start": _action("SHUTOFF", "powering-on", "ACTIVE"),
    "stop": _action("ACTIVE", "powering-off", "SHUTOFF"),
    "reboot": _action("ACTIVE", "rebooting", "ACTIVE"),
    "suspend": _action("ACTIVE", "suspending", "SUSPENDED"),
    "resume": _action("SUSPENDED", "resuming", "ACTIVE"),
    "pause": _action("ACTIVE", "pausing", "PAUSED"),
    "unpause": _action("PAUSED", "unpausing", "ACTIVE"),
    "shelve": _action("ACTIVE SHUTOFF PAUSED SUSPENDED", "shelving", "SHELVED"),
    "unshelve": _action("SHELVED", "unshelving", "ACTIVE"),
}
BOOTS = {"start", "reboot", "unshelve"}
POWER = {"ACTIVE": "on", "VERIFY_RESIZE": "on", "PAUSED": "paused", "SUSPENDED": "suspended"}
SELECT = "SELECT server.*, address.ip AS public_ip FROM server LEFT JOIN address ON address.server = server.id"


# -- reading -------------------------------------------------------------------------------------------------


def listing(desk: Desk, since: float | None = None) -> list[Row]:
    """The rows of all servers that live, or of those changed since, with the deleted ones."""
    if since is None:
        wanted = desk.db.execute(
            f"{SELECT} WHERE server.project = ? AND status <> 'DELETED' ORDER BY server.seq", (desk.project,)
        )
    else:
        wanted = desk.db.execute(
            f"{SELECT} WHERE server.project = ? AND updated >= ? ORDER BY updated", (desk.project, since)
        )
    return wanted.fetchall()


def get(desk: Desk, server_id: str) -> Row:
    row: Row | None = desk.db.execute(
        f"{SELECT} WHERE server.id = ? AND server.project = ? AND status <> 'DELETED'", (server_id, desk.project)
    ).fetchone()
    if row is None:
        raise CloudError(404, f"Instance {server_id} could not be found.")
    return row


def find(desk: Desk, token: str) -> Row | None:
    """The oldest living server that carries `token`."""
    found: Row | None = desk.db.execute(
        f"{SELECT} WHERE token = ? AND token <> '' AND server.project = ? AND status <> 'DELETED' ORDER BY server.seq",
        (token, desk.project),
    ).fetchone()
    return found


def usage(desk: Desk) -> dict[str, int]:
    """What the project's living servers take of its quota."""
    row: dict[str, int] = desk.db.execute(
        "SELECT count(*) AS instances, coalesce(sum(cores), 0) AS cores, coalesce(sum(ram), 0) AS ram"
        " FROM server WHERE project = ? AND status <> 'DELETED'",
        (desk.project,),
    ).fetchone()
    return row


# -- changing ------------------------------------------------------------------------------------------------


def create(desk: Desk, spec: ServerSpec, *, token: str, build_error: str = "") -> Row:
    """Begin to build a server, if the project's quota allows."""
    flavor = images.item(desk, "flavor", spec.flavor)
    network.require(desk, usage(desk), {"instances": 1, "cores": flavor["vcpus"], "ram": flavor["ram_mb"]})
    return get(desk, build(desk, spec, token=token, build_error=build_error))


def build(desk: Desk, spec: ServerSpec, *, token: str = "", build_error: str = "") -> str:
    """Begin to build a server and answer its id; later it is ACTIVE, or in ERROR where `build_error` says why."""
    check_name(spec.name)
    image, flavor = images.bootable(desk, spec.image), images.item(desk, "flavor", spec.flavor)
    check_fit(image, flavor)
    if spec.key and not keys.known(desk, spec.key):
        raise CloudError(400, f"Invalid key_name provided: the key pair {spec.key!r} is not known.")
    groups = [network.group(desk, name) for name in spec.security_groups or ("default",)]
    places = network.choose(desk, spec.networks)
    server_id = str(uuid.uuid4())
    ready = desk.now + desk.latency("build")
    row = {
        "id": server_id,
        "project": desk.project,
        "name": spec.name,
        "token": token,
        "image": image["id"],
        "image_name": image["name"],
        "login": image["login"],
        "flavor": flavor["id"],
        "flavor_name": flavor["name"],
        "cores": flavor["vcpus"],
        "ram": flavor["ram_mb"],
        "disk": flavor["disk_gb"],
        "key": spec.key,
        "groups": json.dumps([group["name"] for group in groups]),
        "ports": "[]",
        "metadata": json.dumps(dict(spec.labels)),
        "user_data": len(spec.user_data.encode()),
        "status": "BUILD",
        "task": "spawning",
        "next_status": "ERROR" if build_error else "ACTIVE",
        "next_at": ready,
        "next_fault": build_error,
        "created": desk.now,
        "updated": desk.now,
        "booted": None if build_error else ready,
    }
    _insert(desk, row, places)
    return server_id


def _insert(desk: Desk, row: Json, places: Sequence[Json]) -> None:
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    made = desk.db.execute(f"INSERT INTO server ({columns}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
    ports = list(_ports(places, int(made.lastrowid or 0)))
    desk.db.execute("UPDATE server SET ports = ? WHERE seq = ?", (json.dumps(ports), made.lastrowid))


def _ports(places: Sequence[Json], seq: int) -> Iterator[Json]:
    for place in places:
        mac = secrets.token_hex(3)
        yield {
            "network": place["name"],
            "addresses": [
                str(ipaddress.ip_network(cidr)[10 + seq % 1_000_000])
                for cidr in (place["cidr"], place["cidr6"])
                if cidr
            ],
            "mac": f"fa:16:3e:{mac[0:2]}:{mac[2:4]}:{mac[4:6]}",
        }


def act(desk: Desk, server_id: str, name: str) -> None:
    row, action = get(desk, server_id), ACTIONS.get(name)
    if action is None:
        raise CloudError(400, f"There is no such action {name!r}.")
    if row["task"] or row["status"] not in action.when:
        doing = f"{row['status']}, {row['task']}" if row["task"] else row["status"]
        wanted = " or ".join(sorted(action.when))
        raise CloudError(409, f"Cannot {name!r} instance {server_id} while it is {doing}; it must be {wanted}.")
    done = desk.now + desk.latency(name)
    booted = done if name in BOOTS else row["booted"]
    change(desk, row["id"], task=action.task, next_status=action.result, next_at=done, next_fault="", booted=booted)


def rename(desk: Desk, server_id: str, name: str) -> None:
    check_name(name)
    change(desk, get(desk, server_id)["id"], name=name)


def delete(desk: Desk, server_id: str) -> None:
    row = get(desk, server_id)
    if row["task"] == "deleting":
        return
    done = desk.now + desk.latency("delete")
    change(desk, row["id"], task="deleting", next_status="DELETED", next_at=done, next_fault=row["fault"])


def break_down(desk: Desk, server_id: str, fault: str) -> None:
    """Put a server in ERROR, as a dying host would."""
    row = get(desk, server_id)
    change(desk, row["id"], status="ERROR", fault=fault, task=None, next_status=None, next_at=None, next_fault="")


def publish(desk: Desk, server_id: str, address: str = "", but: Collection[str] = ()) -> Row:
    """Give a server this public address; where none is said any, unless it has one."""
    if get(desk, server_id)["public_ip"] is None:
        change(desk, server_id)
    return network.assign(desk, server_id, address, but)


def unpublish(desk: Desk, server_id: str, *, keep: bool = False) -> None:
    """Take the server's public address off it, for the project to keep or to give back."""
    get(desk, server_id)
    if network.unassign(desk, server_id) if keep else network.release(desk, server_id):
        change(desk, server_id)


def drop_address(desk: Desk, address_id: str, *, is_used: bool) -> None:
    if server := network.drop(desk, address_id, is_used=is_used):
        change(desk, server)


def change(desk: Desk, server_id: str, **columns: object) -> None:
    names = "".join(f", {name} = ?" for name in columns)
    desk.db.execute(
        f"UPDATE server SET updated = ?{names} WHERE id = ?",  # noqa: S608
        (desk.now, *columns.values(), server_id),
    )


# -- checking ------------------------------------------------------------------------------------------------


def check_name(name: str) -> None:
    if not 0 < len(name) <= 255 or not name.isprintable() or name != name.strip():
        raise CloudError(400, "Invalid input for field name: 1 to 255 printable characters, no blank at the ends.")


def check_fit(image: Json, flavor: Json) -> None:
    for thing, need, have, unit in (
        ("disk", image["min_disk_gb"], flavor["disk_gb"], "GiB"),
        ("memory", image["min_ram_mb"], flavor["ram_mb"], "MiB"),
    ):
        if need > have:
            raise CloudError(
                400,
                f"Flavor {flavor['name']} has too little {thing} for image {image['name']}:"
                f" {have} {unit}, and {need} {unit} are needed.",
            )


# -- showing -------------------------------------------------------------------------------------------------


def document(row: Row, world: str) -> Json:
    """The whole server as its cloud shows it."""
    nature, seq, status = catalogue.character(world), row["seq"], row["status"]
    return {
        "id": row["id"],
        "name": row["name"],
        "world": world,
        "project": row["project"],
        "status": status,
        "task": row["task"],
        "power": POWER.get(status, "off"),
        "fault": {"code": 500, "message": row["fault"]} if row["fault"] else None,
        "zone": nature.zones[seq % len(nature.zones)],
        "host": f"{world}-c{seq % nature.hosts + 1:02}",
        "image": {"id": row["image"], "name": row["image_name"], "login": row["login"]},
        "flavor": {
            "id": row["flavor"],
            "name": row["flavor_name"],
            "vcpus": row["cores"],
            "ram_mb": row["ram"],
            "disk_gb": row["disk"],
        },
        "key_name": row["key"],
        "security_groups": orjson.loads(row["groups"]),
        "ports": orjson.loads(row["ports"]) if status != "BUILD" and row["booted"] else [],
        "public_address": row["public_ip"],
        "metadata": orjson.loads(row["metadata"]),
        "token": row["token"],
        "user_data_bytes": row["user_data"],
        "created": moment(row["created"]),
        "updated": moment(row["updated"]),
    }


def moment(timestamp: float) -> str:
    return datetime.datetime.fromtimestamp(timestamp, datetime.UTC).isoformat(timespec="microseconds")
