"""Images of a world: everybody's, and those that a project has made of its servers."""

import json
import uuid
from collections.abc import Iterator

from cloudmesh.types import Json
from clouds.drivers.simulator import network
from clouds.drivers.simulator.world import CloudError, Desk, Row


def listing(desk: Desk) -> Iterator[Json]:
    """Those that the project sees, as they are by now."""
    seen = (image for image in network.items(desk, "image") if image.get("owner") in (None, desk.project))
    return (_shown(desk, image) for image in seen)


def get(desk: Desk, image_id: str) -> Json:
    image = next((image for image in listing(desk) if image["id"] == image_id), None)
    if image is None:
        raise CloudError(404, f"Image {image_id} could not be found.")
    return image


def bootable(desk: Desk, image_id: str) -> Json:
    """An image to make a server from."""
    image = item(desk, "image", image_id)
    if image.get("owner") not in (None, desk.project):
        raise CloudError(400, f"Image {image_id!r} could not be found in {desk.world}.")
    if _shown(desk, image)["status"] == "queued":
        raise CloudError(400, f"Image {image['name']} is not active: it is being made.")
    return image


def item(desk: Desk, kind: str, item_id: str) -> Json:
    """A thing that a wish names."""
    found = desk.db.execute("SELECT doc FROM item WHERE kind = ? AND id = ?", (kind, item_id)).fetchone()
    if found is None:
        raise CloudError(400, f"{kind.capitalize()} {item_id!r} could not be found in {desk.world}.")
    doc: Json = json.loads(found["doc"])
    return doc


def of_wish(desk: Desk, token: str) -> Json | None:
    return next((image for image in listing(desk) if token and image.get("token") == token), None)


def make(desk: Desk, server: Row, name: str, token: str, *, created: str) -> Json:
    """Begin to make an image of a server."""
    likeness = item(desk, "image", server["image"]) if _known(desk, server["image"]) else {}
    image = {
        "format": "qcow2",
        "architecture": "x86_64",
        "min_ram_mb": 0,
        **likeness,
        "id": str(uuid.uuid4()),
        "world": desk.world,
        "name": name,
        "status": "active",
        "login": server["login"],
        "min_disk_gb": server["disk"],
        "size_bytes": server["disk"] * 256 * 1024 * 1024,
        "created": created,
        "owner": desk.project,
        "server": server["id"],
        "token": token,
        "ready_at": desk.now + desk.latency("snapshot"),
    }
    desk.db.execute("INSERT INTO item (kind, id, doc) VALUES ('image', ?, ?)", (image["id"], json.dumps(image)))
    return _shown(desk, image)


def delete(desk: Desk, image_id: str) -> None:
    image = get(desk, image_id)
    if image.get("owner") != desk.project:
        raise CloudError(403, f"You are not permitted to delete image {image_id}: it is everybody's.")
    desk.db.execute("DELETE FROM item WHERE kind = 'image' AND id = ?", (image_id,))


def _known(desk: Desk, image_id: str) -> bool:
    return desk.db.execute("SELECT 1 FROM item WHERE kind = 'image' AND id = ?", (image_id,)).fetchone() is not None


def _shown(desk: Desk, image: Json) -> Json:
    """Without what only the world needs to know."""
    ready = image.get("ready_at", 0) <= desk.now
    shown = {name: value for name, value in image.items() if name != "ready_at"}
    return shown if ready else {**shown, "status": "queued"}
