"""Which images are offered: EC2 has tens of thousands of public ones, so they are never all asked for."""

import fnmatch
import itertools
from collections.abc import Iterator
from typing import Any

from cloudmesh.types import Json

BOOTABLE = [{"Name": "image-type", "Values": ["machine"]}, {"Name": "state", "Values": ["available"]}]
MOST = 1000  # images of other owners
CURRENT = {  # of each name the newest: who publishes it, what it is called
    "099720109477": (
        "ubuntu/images/hvm-ssd*/ubuntu-*-26.04-amd64-server-*",
        "ubuntu/images/hvm-ssd*/ubuntu-*-26.04-arm64-server-*",
        "ubuntu/images/hvm-ssd*/ubuntu-*-24.04-amd64-server-*",
        "ubuntu/images/hvm-ssd*/ubuntu-*-24.04-arm64-server-*",
        "ubuntu/images/hvm-ssd*/ubuntu-*-22.04-amd64-server-*",
    ),
    "136693071363": ("debian-13-amd64-*", "debian-13-arm64-*", "debian-12-amd64-*"),
    "137112412989": ("al2023-ami-2023*-x86_64", "al2023-ami-2023*-arm64"),
}


def offered(ec2: Any, owners: str) -> Iterator[Json]:
    """The account's own images, those others share with it, and those of `owners` (or else the current ones)."""
    wanted = [owner.strip() for owner in owners.split(",") if owner.strip()]
    others = itertools.islice(_pages(ec2, Owners=wanted), MOST) if wanted else _current(ec2)
    seen = set()
    for image in itertools.chain(_pages(ec2, Owners=["self"]), _pages(ec2, ExecutableUsers=["self"]), others):
        if image["ImageId"] not in seen:
            seen.add(image["ImageId"])
            yield image


def _current(ec2: Any) -> Iterator[Json]:
    for owner, names in CURRENT.items():
        images = list(_pages(ec2, Owners=[owner], names=names))
        for pattern in names:
            alike = [image for image in images if fnmatch.fnmatchcase(image.get("Name", ""), pattern)]
            if alike:
                yield max(alike, key=lambda image: image.get("CreationDate", ""))


def _pages(ec2: Any, *, names: tuple[str, ...] = (), **whose: list[str]) -> Iterator[Json]:
    filters = [*BOOTABLE, {"Name": "name", "Values": list(names)}] if names else BOOTABLE
    for page in ec2.get_paginator("describe_images").paginate(
        Filters=filters, PaginationConfig={"PageSize": 1000}, **whose
    ):
        yield from page["Images"]
