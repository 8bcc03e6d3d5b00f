"""What an EC2 server is besides running: its tags, its type, and the images that are made of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from cloudmesh.types import Image, ImageState
from clouds.drivers.ec2 import images, records
from clouds.drivers.ec2.failures import translated


def label(ec2: Any, server_id: str, labels: Mapping[str, str], remove: Iterable[str]) -> None:
    """See clouds.drivers."""
    ended = [{"Key": key} for key in remove]
    with translated():
        if labels:
            ec2.create_tags(Resources=[server_id], Tags=records.tags(dict(labels)))
        if ended:
            ec2.delete_tags(Resources=[server_id], Tags=ended)


def resize(ec2: Any, server_id: str, flavor: str) -> None:
    with translated():
        ec2.modify_instance_attribute(InstanceId=server_id, InstanceType={"Value": flavor})


def snapshot(ec2: Any, server_id: str, name: str, token: str) -> Image:
    """See clouds.drivers. Amazon would stop the server meanwhile unless told not to."""
    if made := images.of_wish(ec2, token):
        return made
    tags = [{"ResourceType": "image", "Tags": records.tags({records.TOKEN: token})}]
    with translated():
        answer = ec2.create_image(InstanceId=server_id, Name=name, NoReboot=True, TagSpecifications=tags)
        return Image(id=answer["ImageId"], name=name, state=ImageState.PENDING, own=True)
