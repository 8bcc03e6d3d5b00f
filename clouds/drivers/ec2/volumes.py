"""Volumes of EC2 (EBS). A volume and its server must be in one availability zone."""

import abc
import contextlib
import datetime
import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import Json, Volume, VolumeSpec, VolumeState
from clouds.drivers import CloudDriver
from clouds.drivers.ec2 import records
from clouds.drivers.ec2.failures import translated

STATES = {
    "creating": VolumeState.CREATING,
    "available": VolumeState.AVAILABLE,
    "in-use": VolumeState.IN_USE,
    "deleting": VolumeState.DELETING,
    "deleted": VolumeState.DELETED,
    "error": VolumeState.ERROR,
}
ATTACHMENTS = {"attaching": VolumeState.ATTACHING, "detaching": VolumeState.DETACHING, "busy": VolumeState.DETACHING}
LIVING = {"Name": "status", "Values": ["creating", "available", "in-use", "error", "deleting"]}
DEVICES = [f"/dev/sd{letter}" for letter in "fghijklmnop"]  # those that EC2 recommends for volumes beside the first
LONGEST = 64  # of a client token


class Volumes(CloudDriver):
    """The driver's part that is about volumes."""

    @property
    @abc.abstractmethod
    def _ec2(self) -> Any: ...

    def volumes(self) -> Iterator[Volume]:
        with translated():
            for page in self._ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 500}):
                yield from map(volume, page["Volumes"])

    def volume(self, volume_id: str) -> Volume:
        for seen in self._those(VolumeIds=[volume_id]):
            if not seen.state.is_gone:
                return seen
        raise Gone(f"There is no volume {volume_id}.")

    def find_volume(self, token: str) -> Volume | None:
        wish = {"Name": f"tag:{records.TOKEN}", "Values": [_short(token)]}
        found = self._those(Filters=[wish, LIVING])
        ended = (VolumeState.DELETING, VolumeState.DELETED)
        return next((seen for seen in found if seen.token == _short(token) and seen.state not in ended), None)

    def create_volume(self, spec: VolumeSpec, *, token: str) -> Volume:
        tags = records.tags({**spec.labels, "Name": spec.name, records.TOKEN: _short(token)})
        zone = _zone_of(self._instance(spec.server)) if spec.server else self._usual_zone()
        with translated():
            made = self._ec2.create_volume(
                AvailabilityZone=zone,
                Size=spec.size,
                ClientToken=_short(token),
                TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
            )
            if not made.get("Tags"):  # clouds that make it without them
                self._ec2.create_tags(Resources=[made["VolumeId"]], Tags=tags)
            return volume(made | {"Tags": tags})

    def attach_volume(self, volume_id: str, server_id: str, *, device: str = "") -> None:
        seen = self.volume(volume_id)
        if seen.server == server_id:
            return
        server = self._instance(server_id)
        here, there = seen.native.get("AvailabilityZone"), _zone_of(server)
        if here != there:
            raise Rejected(
                f"The volume is in {here} and the server in {there}; EC2 attaches only within one availability zone. "
                "Make a volume for that server."
            )
        with translated():
            self._ec2.attach_volume(
                VolumeId=volume_id, InstanceId=server_id, Device=device or _free_device(server, server_id)
            )

    def detach_volume(self, volume_id: str) -> None:
        seen = self.volume(volume_id)
        if seen.server and seen.state is not VolumeState.DETACHING:
            with translated():
                self._ec2.detach_volume(VolumeId=volume_id, InstanceId=seen.server)

    def delete_volume(self, volume_id: str) -> None:
        with contextlib.suppress(Gone), translated():
            self._ec2.delete_volume(VolumeId=volume_id)

    def _those(self, **wanted: Any) -> list[Volume]:
        with translated():
            return [volume(native) for native in self._ec2.describe_volumes(**wanted)["Volumes"]]

    def _instance(self, server_id: str) -> Json:
        with translated():
            found = self._ec2.describe_instances(InstanceIds=[server_id])["Reservations"]
            servers: list[Json] = [server for reservation in found for server in reservation["Instances"]]
        if not servers:
            raise Gone(f"There is no server {server_id}.")
        return servers[0]

    def _usual_zone(self) -> str:
        """Where most of the account's servers are, so that they can have it; else the first zone that is open."""
        zones = Counter(_zone_of(dict(server.native)) for server in self.servers())
        del zones[""]
        if zones:
            return max(sorted(zones), key=zones.__getitem__)
        with translated():
            known = self._ec2.describe_availability_zones()["AvailabilityZones"]
            names = sorted(zone["ZoneName"] for zone in known if zone.get("State", "available") == "available")
        if not names:
            raise Rejected("EC2 names no availability zone where a volume could be made.")
        return str(names[0])


def volume(native: Json) -> Volume:
    tags = {tag["Key"]: tag.get("Value", "") for tag in native.get("Tags", ())}
    held: Json = next((each for each in native.get("Attachments", ()) if each.get("State") != "detached"), {})
    return Volume(
        id=native["VolumeId"],
        name=tags.get("Name") or native["VolumeId"],
        state=ATTACHMENTS.get(held.get("State", "")) or STATES.get(native["State"], VolumeState.UNKNOWN),
        size=native["Size"],
        server=held.get("InstanceId", ""),
        device=held.get("Device", ""),
        is_bound=bool(held.get("DeleteOnTermination")),
        token=tags.get(records.TOKEN, ""),
        created=datetime.datetime.fromisoformat(native["CreateTime"]) if native.get("CreateTime") else None,
        native=native,
    )


def _zone_of(server: Json) -> str:
    return str((server.get("Placement") or {}).get("AvailabilityZone", ""))


def _free_device(server: Json, server_id: str) -> str:
    taken = {mapping["DeviceName"] for mapping in server.get("BlockDeviceMappings", ())}
    free = next((device for device in DEVICES if device not in taken), "")
    if not free:
        raise Rejected(f"The server {server_id} has a volume at each of {DEVICES[0]} to {DEVICES[-1]}: name a device.")
    return free


def _short(token: str) -> str:
    fits = token.isascii() and len(token) <= LONGEST
    return token if fits else hashlib.sha256(token.encode()).hexdigest()
