"""Which images are offered: EC2 has tens of thousands of public ones, so they are never all asked for."""

import fnmatch
import itertools
from collections.abc import Iterator
from typing import Any

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import Image, Json
from clouds.drivers.ec2 import records
from clouds.drivers.ec2.failures import tolerated, translated

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


def offered(ec2: Any, owners: str) -> Iterator[Image]:
    """The account's own images, those others share with it, and those of `owners` (or else the current ones)."""
    wanted = [owner.strip() for owner in owners.split(",") if owner.strip()]
    others = itertools.islice(_pages(ec2, Owners=wanted), MOST) if wanted else _current(ec2)
    own = {image["ImageId"]: image for image in _pages(ec2, Owners=["self"])}
    seen = set(own)
    yield from (records.image(image, own=True) for image in own.values())
    for image in itertools.chain(_pages(ec2, ExecutableUsers=["self"]), others):
        if image["ImageId"] not in seen:
            seen.add(image["ImageId"])
            yield records.image(image, own=False)


def one(ec2: Any, image_id: str) -> Image:
    """An image in any state; raises Gone."""
    with translated():
        found = ec2.describe_images(ImageIds=[image_id])["Images"]
        mine = ec2.describe_images(Owners=["self"], Filters=[{"Name": "image-id", "Values": [image_id]}])["Images"]
    if not found:
        raise Gone(f"There is no image {image_id}.")
    return records.image(found[0], own=bool(mine))


def of_wish(ec2: Any, token: str) -> Image | None:
    wish = {"Name": f"tag:{records.TOKEN}", "Values": [token]}
    with translated():
        found = ec2.describe_images(Owners=["self"], Filters=[wish])["Images"]
    return records.image(found[0], own=True) if found else None


def delete(ec2: Any, image_id: str) -> None:
    """Deregister an image and delete the snapshots it was, which cost money without it."""
    try:
        image = one(ec2, image_id)
    except Gone:
        return
    if not image.own:
        raise Rejected(f"The image {image.name} is another account's.")
    disks = [disk.get("Ebs", {}).get("SnapshotId") for disk in image.native.get("BlockDeviceMappings", ())]
    with tolerated("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"):
        ec2.deregister_image(ImageId=image_id)
    for snapshot_id in filter(None, disks):
        with tolerated("InvalidSnapshot.NotFound", "InvalidSnapshot.InUse"):
            ec2.delete_snapshot(SnapshotId=snapshot_id)


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
