"""What an EC2 server is besides running: its tags."""

from collections.abc import Iterable, Mapping
from typing import Any

from clouds.drivers.ec2 import records
from clouds.drivers.ec2.failures import translated


def label(ec2: Any, server_id: str, labels: Mapping[str, str], remove: Iterable[str]) -> None:
    """See clouds.drivers."""
    ended = [{"Key": key} for key in remove]
    with translated():
        if labels:
            ec2.create_tags(Resources=[server_id], Tags=records.tags(dict(labels)))
        if ended:
            ec2.delete_tags(Resources=[server_id], Tags=ended)
