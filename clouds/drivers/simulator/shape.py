"""What a simulated server is besides running: its metadata."""

import json
from collections.abc import Iterable, Mapping

from clouds.drivers.simulator import servers
from clouds.drivers.simulator.world import CloudError, Desk

MOST_LABELS = 128
LONGEST = 255


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
