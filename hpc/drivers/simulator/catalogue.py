"""What a world begins with: one of two clusters behind one scheduler, and a small one for every other name."""

import dataclasses
from collections.abc import Iterator

HOUR, DAY = 3600, 86_400


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pool:
    """Nodes that are all alike."""

    name: str
    prefix: str
    nodes: int
    cores: int
    memory: int  # MiB
    gpus: int = 0
    properties: tuple[str, ...] = ()

    def names(self) -> Iterator[str]:
        return (f"{self.prefix}{number:03}" for number in range(1, self.nodes + 1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A queue of a new world."""

    name: str
    pool: str
    max_walltime: int  # seconds
    default_walltime: int
    max_nodes: int
    priority: int = 0
    is_default: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Character:
    pools: tuple[Pool, ...]
    queues: tuple[Kind, ...]


INDIA = Character(
    pools=(
        Pool(name="india", prefix="i", nodes=30, cores=16, memory=65_536, properties=("xeon", "ib")),
        Pool(name="debug", prefix="t", nodes=2, cores=16, memory=65_536, properties=("xeon",)),
        Pool(name="delta", prefix="d", nodes=16, cores=24, memory=196_608, gpus=2, properties=("gpu", "nvme")),
    ),
    queues=(
        Kind(
            name="batch",
            pool="india",
            max_walltime=DAY,
            default_walltime=HOUR,
            max_nodes=16,
            priority=100,
            is_default=True,
        ),
        Kind(name="long", pool="india", max_walltime=7 * DAY, default_walltime=DAY, max_nodes=8),
        Kind(name="debug", pool="debug", max_walltime=HOUR, default_walltime=600, max_nodes=2, priority=500),
        Kind(name="delta", pool="delta", max_walltime=DAY, default_walltime=HOUR, max_nodes=8, priority=100),
        Kind(name="delta-long", pool="delta", max_walltime=7 * DAY, default_walltime=DAY, max_nodes=4),
    ),
)
GENERIC = Character(
    pools=(Pool(name="main", prefix="n", nodes=16, cores=8, memory=32_768),),
    queues=(
        Kind(
            name="batch",
            pool="main",
            max_walltime=DAY,
            default_walltime=HOUR,
            max_nodes=16,
            priority=100,
            is_default=True,
        ),
        Kind(name="debug", pool="main", max_walltime=HOUR, default_walltime=600, max_nodes=2, priority=500),
    ),
)
CHARACTERS = {"india": INDIA}


def character(world: str) -> Character:
    return CHARACTERS.get(world, GENERIC)
