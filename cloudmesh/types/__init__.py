"""The words of Cloudmesh: what a driver returns, the API sends and `cm` prints.

Plain frozen dataclasses without Django. Each record keeps `native`, the provider's whole answer.
Units: memory in MiB, disk in GiB, times as aware UTC datetimes.
"""

from typing import Any

from cloudmesh.types.amounts import parse_memory, parse_walltime, walltime
from cloudmesh.types.clouds import (
    RESTLESS,
    UNSETTLED,
    Console,
    Flavor,
    FloatingIp,
    Image,
    ImageState,
    KeyPair,
    Limit,
    Network,
    Rule,
    SecurityGroup,
    Server,
    ServerSpec,
    ServerState,
    Volume,
    VolumeSpec,
    VolumeState,
)
from cloudmesh.types.fields import (
    Field,
)
from cloudmesh.types.jobs import (
    ENDED,
    Forecast,
    Job,
    JobSpec,
    JobState,
    Node,
    NodeState,
    Queue,
    QueueState,
)
from cloudmesh.types.names import (
    MAX_NAMES,
    expand_names,
    is_glob,
)

Json = dict[str, Any]

__all__ = [
    "ENDED",
    "MAX_NAMES",
    "RESTLESS",
    "UNSETTLED",
    "Console",
    "Field",
    "Flavor",
    "FloatingIp",
    "Forecast",
    "Image",
    "ImageState",
    "Job",
    "JobSpec",
    "JobState",
    "Json",
    "KeyPair",
    "Limit",
    "Network",
    "Node",
    "NodeState",
    "Queue",
    "QueueState",
    "Rule",
    "SecurityGroup",
    "Server",
    "ServerSpec",
    "ServerState",
    "Volume",
    "VolumeSpec",
    "VolumeState",
    "expand_names",
    "is_glob",
    "parse_memory",
    "parse_walltime",
    "walltime",
]
