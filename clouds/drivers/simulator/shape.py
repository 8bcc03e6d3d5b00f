"""What a simulated server is besides running: its metadata, its size, and the images that are made of it."""

import json
from collections.abc import Iterable, Mapping

from cloudmesh.types import Json
from clouds.drivers.simulator import images, network, servers
from clouds.drivers.simulator.world import CloudError, Desk

MOST_LABELS = 128
LONGEST = 255
RESIZED = {"ACTIVE": "VERIFY_RESIZE", "SHUTOFF": "SHUTOFF"}  # what each state becomes


def label(desk: Desk, server_id: str, labels: Mapping[str, str], remove: Iterable[str]) -> None:
    """Write some metadata of a server and take some away."""
    ended = {*remove} - labels.keys()
    known = json.loads(servers.get(desk, server_id)["metadata"])
    wanted = {key: value for key, value in (known | dict(labels)).items() if key not in ended}
    check_labels(wanted)
    if wanted != known:
        servers.change(desk, server_id, metadata=json.dumps(wanted))


def check_labels(labels: Mapping[str, str]) -> None:
    if len(labels) > MOST_LABELS:
        raise CloudError(403, f"Maximum number of metadata items exceeds {MOST_LABELS}.")
    for key, value in labels.items():
        if not 0 < len(key) <= LONGEST or len(value) > LONGEST:
            raise CloudError(400, f"Invalid metadata {key[:40]!r}: keys and values have at most {LONGEST} characters.")


def resize(desk: Desk, server_id: str, flavor_id: str) -> None:
    """Begin to move a server to another size; its host keeps room for the larger of both from now on."""
    row, flavor = servers.get(desk, server_id), images.item(desk, "flavor", flavor_id)
    if row["task"] or row["status"] not in RESIZED:
        doing = row["task"] or row["status"]
        raise CloudError(409, f"Cannot 'resize' instance {server_id} while it is {doing}.")
    if row["flavor"] == flavor_id:
        raise CloudError(400, "When resizing, instances must change flavor!")
    if flavor["disk_gb"] < row["disk"]:
        raise CloudError(400, f"The disk of {flavor['name']} is smaller than the one the instance has.")
    grown = {"cores": flavor["vcpus"] - row["cores"], "ram": flavor["ram_mb"] - row["ram"]}
    network.require(desk, servers.usage(desk), {name: more for name, more in grown.items() if more > 0})
    servers.change(
        desk,
        server_id,
        flavor=flavor["id"],
        flavor_name=flavor["name"],
        cores=flavor["vcpus"],
        ram=flavor["ram_mb"],
        disk=flavor["disk_gb"],
        task="resizing",
        next_status=RESIZED[row["status"]],
        next_at=desk.now + desk.latency("resize"),
    )


def keep_size(desk: Desk, server_id: str) -> bool:
    """Have a resize be for good; nothing is left to do when there is none."""
    if servers.get(desk, server_id)["status"] != "VERIFY_RESIZE":
        return True
    servers.change(desk, server_id, status="ACTIVE")
    return False


def snapshot(desk: Desk, server_id: str, name: str, token: str) -> Json:
    """Begin to make an image of a server, unless this wish has one already."""
    if made := images.of_wish(desk, token):
        return made
    row = servers.get(desk, server_id)
    if row["task"] or row["status"] not in ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED"):
        raise CloudError(409, f"Cannot 'createImage' instance {server_id} while it is {row['task'] or row['status']}.")
    servers.check_name(name)
    return images.make(desk, row, name, token, created=servers.moment(desk.now))
