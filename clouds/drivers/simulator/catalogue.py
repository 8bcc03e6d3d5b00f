"""What a world begins with: three clouds with a character of their own, and one for every other name."""

import dataclasses
import uuid
from collections.abc import Iterable, Mapping

from cloudmesh.types import Json

NAMESPACE = uuid.UUID("6f0c1d52-5f0e-4d8a-9d0b-0c9a6d5b2e11")
Span = tuple[float, float]  # from, to; seconds


@dataclasses.dataclass(frozen=True, kw_only=True)
class Character:
    """How one simulated cloud differs from another."""

    place: str
    zones: tuple[str, ...]
    hosts: int
    cidr: str  # of the project network
    cidr6: str = ""
    public_cidr: str
    latency: Mapping[str, Span]
    quota: Mapping[str, int | None]
    images: tuple[Json, ...]
    flavors: tuple[Json, ...]


def identity(world: str, kind: str, name: str) -> str:
    """The same id for the same thing, however often its world is made anew."""
    return str(uuid.uuid5(NAMESPACE, f"{world}/{kind}/{name}"))


def _image(name: str, login: str, disk: int, ram: int, size: int, created: str, status: str = "active") -> Json:
    return {
        "name": name,
        "status": status,
        "login": login,
        "min_disk_gb": disk,
        "min_ram_mb": ram,
        "size_bytes": size * 1024 * 1024,
        "format": "qcow2",
        "architecture": "x86_64",
        "created": f"{created}T00:00:00+00:00",
    }


def _flavors(*sizes: tuple[str, int, int, int]) -> tuple[Json, ...]:
    return tuple(
        {"id": str(number), "name": name, "vcpus": vcpus, "ram_mb": ram, "disk_gb": disk}
        for number, (name, vcpus, ram, disk) in enumerate(sizes, start=1)
    )


UBUNTU = _image("ubuntu-24.04", "ubuntu", 4, 512, 580, "2026-08-13")
SHARED = (
    UBUNTU,
    _image("ubuntu-22.04", "ubuntu", 4, 512, 640, "2026-09-02"),
    _image("debian-12", "debian", 3, 256, 410, "2026-07-19"),
    _image("rocky-9", "rocky", 10, 1024, 610, "2026-06-03"),
    _image("cirros-0.6", "cirros", 0, 64, 20, "2025-11-11"),
)
OLD = _image("ubuntu-18.04", "ubuntu", 3, 512, 360, "2023-06-07", "deprecated")
TRUSTY = _image("futuregrid/ubuntu-14.04", "ubuntu", 3, 512, 250, "2015-02-20")
WINDOWS = _image("windows-server-2022", "Administrator", 40, 4096, 9800, "2026-03-10")
CUDA = _image("ubuntu-24.04-cuda", "ubuntu", 40, 8192, 7200, "2026-10-05")

CLASSIC = (
    ("m1.tiny", 1, 512, 1),
    ("m1.small", 1, 2048, 20),
    ("m1.medium", 2, 4096, 40),
    ("m1.large", 4, 8192, 80),
    ("m1.xlarge", 8, 16384, 160),
)
QUICK: dict[str, Span] = {
    "request": (0.0, 0.0),
    "build": (2.0, 4.0),
    "delete": (0.5, 1.5),
    "start": (0.5, 1.5),
    "stop": (0.5, 2.0),
    "reboot": (1.0, 2.5),
    "suspend": (0.5, 1.5),
    "resume": (0.5, 1.5),
    "pause": (0.1, 0.3),
    "unpause": (0.1, 0.3),
    "shelve": (2.0, 4.0),
    "unshelve": (2.0, 4.0),
    "resize": (2.0, 4.0),
    "snapshot": (2.0, 5.0),
    "volume": (0.3, 1.0),
}
QUOTA: Mapping[str, int | None] = {
    "instances": 50,
    "cores": 100,
    "ram": 204_800,
    "floating_ips": 10,
    "keys": 100,
    "volumes": 20,
    "disk": 1000,
}

INDIA = Character(
    place="Bloomington, Indiana",
    zones=("india-a", "india-b"),
    hosts=16,
    cidr="10.16.0.0/12",
    public_cidr="203.0.113.0/24",
    latency=QUICK,
    quota=QUOTA,
    images=(TRUSTY, *SHARED, OLD),
    flavors=_flavors(*CLASSIC),
)
ALAMO = Character(
    place="Austin, Texas",
    zones=("alamo-1",),
    hosts=8,
    cidr="10.32.0.0/12",
    public_cidr="198.51.100.0/24",
    latency=QUICK | {"build": (3.0, 6.0), "delete": (1.0, 3.0)},
    quota={"instances": 20, "cores": 40, "ram": 163_840, "floating_ips": 5, "keys": 50} | {"volumes": 10, "disk": 500},
    images=(*SHARED, CUDA, OLD),
    flavors=_flavors(*CLASSIC, ("r1.large", 4, 32768, 80), ("g1.large", 8, 65536, 160)),
)
SIERRA = Character(
    place="San Diego, California",
    zones=("sierra-north", "sierra-south"),
    hosts=12,
    cidr="10.48.0.0/12",
    cidr6="fd5e:0e44:a000::/64",
    public_cidr="192.0.2.0/24",
    latency=QUICK | {"build": (2.0, 6.0), "reboot": (2.0, 4.0)},
    quota={"instances": 100, "cores": 160, "ram": 327_680, "floating_ips": 20, "keys": None}
    | {"volumes": None, "disk": 2000},
    images=(*SHARED, WINDOWS, OLD),
    flavors=_flavors(
        ("m1.tiny", 1, 1024, 4),
        ("m1.small", 2, 2048, 10),
        ("m1.medium", 4, 4096, 20),
        ("m1.large", 8, 16384, 40),
        ("m1.xlarge", 16, 32768, 80),
        ("c1.large", 16, 8192, 20),
    ),
)
GENERIC = Character(
    place="nowhere in particular",
    zones=("zone-1", "zone-2"),
    hosts=10,
    cidr="10.64.0.0/12",
    public_cidr="198.18.0.0/16",
    latency=QUICK | {"build": (2.0, 5.0)},
    quota=QUOTA,
    images=(*SHARED, OLD),
    flavors=_flavors(*CLASSIC),
)
CHARACTERS = {"india": INDIA, "alamo": ALAMO, "sierra": SIERRA}


def character(world: str) -> Character:
    return CHARACTERS.get(world, GENERIC)


def items(world: str) -> Iterable[tuple[str, Json]]:
    """The images, flavors and networks of a new world, as (kind, document)."""
    kind = character(world)
    for image in kind.images:
        yield "image", {"id": identity(world, "image", image["name"]), "world": world, **image}
    for flavor in kind.flavors:
        yield "flavor", {**flavor, "world": world}
    yield "network", _network(world, "private", kind.cidr, kind.cidr6)
    yield "network", _network(world, "storage", "172.16.0.0/12", "")
    yield "network", _network(world, "public", kind.public_cidr, "") | {"external": True, "attachable": False}


def _network(world: str, name: str, cidr: str, cidr6: str) -> Json:
    return {
        "id": identity(world, "network", name),
        "world": world,
        "name": f"{world}-{name}",
        "cidr": cidr,
        "cidr6": cidr6,
        "mtu": 1500,
        "shared": True,
        "external": False,
        "attachable": True,
    }
