"""The public keys of a project."""

import base64
import binascii
import hashlib

from clouds.drivers.simulator import network
from clouds.drivers.simulator.world import CloudError, Desk, Row


def listing(desk: Desk) -> list[Row]:
    return desk.db.execute(
        "SELECT name, public_key, fingerprint FROM key WHERE project = ? ORDER BY name", (desk.project,)
    ).fetchall()


def known(desk: Desk, name: str) -> Row | None:
    found: Row | None = desk.db.execute(
        "SELECT name, public_key, fingerprint FROM key WHERE project = ? AND name = ?", (desk.project, name)
    ).fetchone()
    return found


def put(desk: Desk, name: str, public_key: str) -> Row:
    """Have this key under this name; the comment of a key does not make it another one."""
    fingerprint = _fingerprint(public_key)
    if not 0 < len(name) <= 255:
        raise CloudError(400, "Key pair name must be 1 to 255 characters long.")
    old = known(desk, name)
    if old and old["fingerprint"] != fingerprint:
        raise CloudError(409, f"Key pair '{name}' already exists with the fingerprint {old['fingerprint']}.")
    if old is None:
        network.require(desk, {"keys": len(listing(desk))}, {"keys": 1})
        desk.db.execute("INSERT INTO key VALUES (?, ?, ?, ?)", (desk.project, name, public_key.strip(), fingerprint))
    new = known(desk, name)
    assert new is not None
    return new


def delete(desk: Desk, name: str) -> None:
    desk.db.execute("DELETE FROM key WHERE project = ? AND name = ?", (desk.project, name))


def _fingerprint(public_key: str) -> str:
    """As `ssh-keygen -l` has it; raises where this is no public key."""
    kind, _, rest = public_key.strip().partition(" ")
    try:
        blob = base64.b64decode(rest.partition(" ")[0], validate=True)
    except binascii.Error:
        blob = b""
    length = int.from_bytes(blob[:4], "big")
    if not kind or blob[4 : 4 + length] != kind.encode() or len(blob) <= 4 + length:
        raise CloudError(400, "Keypair data is invalid: this is no public key like 'ssh-ed25519 AAAA… you@there'.")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"
