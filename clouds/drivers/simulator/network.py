"""Networks, security groups, public addresses and quotas of a project."""

import ipaddress
import json
import secrets
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence

from cloudmesh.types import Json, Rule
from clouds.drivers.simulator import catalogue
from clouds.drivers.simulator.world import CHANCE, CloudError, Desk, Row

PROTOCOLS = ("tcp", "udp", "icmp", "any")
PORTLESS = ("icmp", "any")


def items(desk: Desk, kind: str) -> list[Json]:
    """All images, flavors or networks."""
    return [
        json.loads(row["doc"]) for row in desk.db.execute("SELECT doc FROM item WHERE kind = ? ORDER BY seq", (kind,))
    ]


def choose(desk: Desk, wanted: Sequence[str]) -> list[Json]:
    """The networks a new server is attached to; the first one where none is wanted."""
    usable = {place["id"]: place for place in items(desk, "network") if place["attachable"]}
    for network_id in wanted:
        if network_id not in usable:
            raise CloudError(400, f"Network {network_id!r} could not be found, or no server may be attached to it.")
    return [usable[network_id] for network_id in wanted] or list(usable.values())[:1]


# -- quotas --------------------------------------------------------------------------------------------------


def quota(desk: Desk) -> dict[str, int | None]:
    """The limits of this project: its own where it has one, else the world's."""
    rows = desk.db.execute(
        "SELECT resource, cap FROM quota WHERE project IN ('', ?) ORDER BY project = '' DESC", (desk.project,)
    )
    return {row["resource"]: row["cap"] for row in rows}


def require(desk: Desk, used: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    caps = quota(desk)
    for resource, more in wanted.items():
        cap = caps.get(resource)
        if cap is not None and used[resource] + more > cap:
            raise CloudError(
                413,
                f"Quota exceeded for {resource}: requested {more}, but already used {used[resource]} of {cap}.",
                resource=resource,
                wanted=more,
                used=used[resource],
                limit=cap,
            )


# -- security groups -----------------------------------------------------------------------------------------


def groups(desk: Desk) -> list[Json]:
    names = desk.db.execute("SELECT name FROM security_group WHERE project = ? ORDER BY name", (desk.project,))
    return [group(desk, row["name"]) for row in names.fetchall()]


def group(desk: Desk, name_or_id: str) -> Json:
    row = desk.db.execute(
        "SELECT id, name FROM security_group WHERE project = ? AND ? IN (id, name)", (desk.project, name_or_id)
    ).fetchone()
    if row is None:
        raise CloudError(400, f"Security group {name_or_id!r} could not be found in project {desk.project}.")
    rules = desk.db.execute(
        "SELECT protocol, first_port, last_port, cidr FROM rule WHERE security_group = ?", (row["id"],)
    )
    return {"id": row["id"], "name": row["name"], "world": desk.world, "ingress": [dict(rule) for rule in rules]}


def put_group(desk: Desk, name: str, rules: Iterable[Rule]) -> Json:
    """Have a group of this name with at least these rules."""
    if not 0 < len(name) <= 255:
        raise CloudError(400, "Security group name must be 1 to 255 characters long.")
    desk.db.execute("INSERT OR IGNORE INTO security_group VALUES (?, ?, ?)", (str(uuid.uuid4()), desk.project, name))
    group_id = group(desk, name)["id"]
    for rule in rules:
        desk.db.execute(
            "INSERT OR IGNORE INTO rule VALUES (?, ?, ?, ?, ?)",
            (group_id, rule.protocol, rule.first_port, rule.last_port, _checked(rule)),
        )
    return group(desk, name)


def change_group(desk: Desk, group_id: str, add: Iterable[Rule], remove: Iterable[Rule]) -> Json:
    """Have the one rules in a group and the other ones not."""
    name = _of_project(desk, group_id)["name"]
    for rule in remove:
        desk.db.execute(
            "DELETE FROM rule WHERE security_group = ?"
            " AND protocol = ? AND first_port = ? AND last_port = ? AND cidr = ?",
            (group_id, rule.protocol, rule.first_port, rule.last_port, rule.cidr),
        )
    return put_group(desk, name, add)


def delete_group(desk: Desk, group_id: str) -> None:
    found = _of_project(desk, group_id)
    if found["name"] == "default":
        raise CloudError(409, "The security group default cannot be deleted.")
    users = desk.db.execute(
        "SELECT count(*) AS n FROM server, json_each(server.groups) AS named"
        " WHERE project = ? AND status <> 'DELETED' AND named.value = ?",
        (desk.project, found["name"]),
    ).fetchone()["n"]
    if users:
        raise CloudError(409, f"Security group {found['name']} is in use by {users} instance(s).")
    desk.db.execute("DELETE FROM security_group WHERE id = ?", (group_id,))


def _of_project(desk: Desk, group_id: str) -> Row:
    found: Row | None = desk.db.execute(
        "SELECT name FROM security_group WHERE project = ? AND id = ?", (desk.project, group_id)
    ).fetchone()
    if found is None:
        raise CloudError(404, f"Security group {group_id} could not be found in project {desk.project}.")
    return found


def _checked(rule: Rule) -> str:
    if rule.protocol not in PROTOCOLS or not 0 <= rule.first_port <= rule.last_port <= 65535:
        ports = f"{rule.first_port}-{rule.last_port}"
        raise CloudError(400, f"Invalid rule: {rule.protocol} {ports}; use tcp, udp or icmp and ports 0-65535.")
    try:
        return str(ipaddress.ip_network(rule.cidr))
    except ValueError as error:
        raise CloudError(400, f"Invalid rule: {error}.") from error


# -- public addresses ----------------------------------------------------------------------------------------


def addresses(desk: Desk) -> list[Row]:
    return desk.db.execute(
        "SELECT address.*, coalesce(token, '') AS token FROM address LEFT JOIN reservation ON address = address.id"
        " WHERE project = ? ORDER BY ip",
        (desk.project,),
    ).fetchall()


def reserve(desk: Desk, token: str) -> Row:
    """An address more, which carries the token; a second time the first one."""
    held = addresses(desk)
    known = next((row for row in held if row["token"] == token), None)
    if known is None:
        made = _allocate(desk, len(held))
        desk.db.execute("INSERT INTO reservation VALUES (?, ?)", (token, made))
        known = next(row for row in addresses(desk) if row["id"] == made)
    return known


def drop(desk: Desk, address_id: str, *, is_used: bool) -> str:
    """Give an address back; answers the server that had it, which must be none unless `is_used`."""
    row = next((row for row in addresses(desk) if row["id"] == address_id), None)
    if row is None:
        raise CloudError(404, f"Address {address_id} could not be found in project {desk.project}.")
    if row["server"] and not is_used:
        raise CloudError(409, f"A server has {row['ip']}: take it off that first.")
    desk.db.execute("DELETE FROM address WHERE id = ?", (address_id,))
    return row["server"] or ""


def assign(desk: Desk, server_id: str, address: str, but: Collection[str]) -> Row:
    """Give a server a public address: this one, or the one it has, an unused one of the project, or a new one."""
    held = addresses(desk)
    mine = next((row for row in held if row["server"] == server_id), None)
    if mine is not None and address in ("", mine["ip"]):
        return mine
    if address:
        chosen = _given(held, address, mine)
    else:
        free = (row["id"] for row in held if row["server"] is None and row["ip"] not in but)
        chosen = next(free, None) or _allocate(desk, len(held))
    desk.db.execute("UPDATE address SET server = ? WHERE id = ?", (server_id, chosen))
    return next(row for row in addresses(desk) if row["server"] == server_id)


def _given(held: Iterable[Row], address: str, mine: Row | None) -> str:
    """The id of this very address, which must be the project's and unused."""
    if mine is not None:
        raise CloudError(409, f"The server has {mine['ip']} already: take that off it first.")
    row = next((row for row in held if row["ip"] == address), None)
    if row is None:
        raise CloudError(404, f"This project has no address {address}.")
    if row["server"]:
        raise CloudError(409, f"Another server has {address}: take it off that first.")
    return str(row["id"])


def unassign(desk: Desk, server_id: str) -> bool:
    """Take the server's public address off it; whether it had one."""
    freed = desk.db.execute(
        "UPDATE address SET server = NULL WHERE project = ? AND server = ?", (desk.project, server_id)
    )
    return freed.rowcount > 0


def release(desk: Desk, server_id: str) -> bool:
    """Give the server's public address back to the world; whether it had one."""
    gone = desk.db.execute("DELETE FROM address WHERE project = ? AND server = ?", (desk.project, server_id))
    return gone.rowcount > 0


def _allocate(desk: Desk, held: int) -> str:
    require(desk, {"floating_ips": held}, {"floating_ips": 1})
    pool = ipaddress.ip_network(catalogue.character(desk.world).public_cidr)
    taken = {row["ip"] for row in desk.db.execute("SELECT ip FROM address")}
    size = pool.num_addresses - 2
    start = CHANCE.randrange(size)
    turns = (str(pool[1 + (start + step) % size]) for step in range(size))
    free = next((ip for ip in turns if ip not in taken), None)
    if free is None:
        words = f"No more IP addresses available on network {desk.world}-public."
        raise CloudError(413, words, resource="floating_ips", used=size, limit=size)
    address_id = secrets.token_hex(16)
    desk.db.execute("INSERT INTO address VALUES (?, ?, ?, NULL)", (address_id, desk.project, free))
    return address_id
