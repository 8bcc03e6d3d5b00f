"""Volumes: Cinder makes and ends them, Nova gives them to servers."""

import abc
import contextlib
import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cloudmesh.errors import Busy, Gone, Rejected
from cloudmesh.types import Json, Limit, Volume, VolumeSpec, VolumeState
from clouds.drivers import CloudDriver
from clouds.drivers.openstack import records
from clouds.drivers.openstack.failures import understood

if TYPE_CHECKING:
    from clouds.drivers.openstack.connection import Cloud

CINDER = "volumev3"  # any of its names in a catalog is understood
NO_CINDER = "The catalog of this cloud has no block storage service (Cinder v3) for this region and interface."
HELD = (VolumeState.ATTACHING, VolumeState.IN_USE)
FREE = (VolumeState.AVAILABLE, VolumeState.DETACHING)
ENDED = (VolumeState.DELETING, VolumeState.DELETED)
STATES: Mapping[str, VolumeState] = {
    "attaching": VolumeState.ATTACHING,
    "available": VolumeState.AVAILABLE,
    "awaiting-transfer": VolumeState.CHANGING,
    "backing-up": VolumeState.CHANGING,
    "creating": VolumeState.CREATING,
    "deleting": VolumeState.DELETING,
    "detaching": VolumeState.DETACHING,
    "downloading": VolumeState.CREATING,
    "error": VolumeState.ERROR,
    "error_backing-up": VolumeState.ERROR,
    "error_deleting": VolumeState.ERROR,
    "error_extending": VolumeState.ERROR,
    "error_managing": VolumeState.ERROR,
    "error_restoring": VolumeState.ERROR,
    "extending": VolumeState.CHANGING,
    "in-use": VolumeState.IN_USE,
    "maintenance": VolumeState.CHANGING,
    "managing": VolumeState.CREATING,
    "reserved": VolumeState.ATTACHING,
    "restoring-backup": VolumeState.CHANGING,
    "retyping": VolumeState.CHANGING,
    "reverting": VolumeState.CHANGING,
    "unmanaging": VolumeState.DELETING,
    "uploading": VolumeState.CHANGING,
}
LIMITS: Mapping[str, tuple[str, str]] = {
    "volumes": ("maxTotalVolumes", "totalVolumesUsed"),
    "disk": ("maxTotalVolumeGigabytes", "totalGigabytesUsed"),
    "snapshots": ("maxTotalSnapshots", "totalSnapshotsUsed"),
}


class Volumes(CloudDriver):
    """The driver's part that is about volumes."""

    @property
    @abc.abstractmethod
    def _cloud(self) -> "Cloud": ...

    def lacking(self) -> Mapping[str, str]:
        return {} if self._cloud.offers(CINDER) else {"volumes": NO_CINDER}

    def volumes(self) -> Iterator[Volume]:
        return self._volumes()

    def _volumes(self, *query: tuple[str, str]) -> Iterator[Volume]:
        self._require_cinder()
        return self._cloud.pages(CINDER, "volumes", "detail", key="volumes", translate=volume, query=query)

    def volume(self, volume_id: str) -> Volume:
        self._require_cinder()
        return self._cloud.read(CINDER, "volumes", volume_id, key="volume", translate=volume)

    def find_volume(self, token: str) -> Volume | None:
        wish = ("metadata", str({records.TOKEN: token}))  # Cinder reads it as a literal of Python
        alive = (each for each in self._volumes(wish) if each.token == token and each.state not in ENDED)
        return min(alive, key=lambda each: (str(each.created), each.id), default=None)

    def create_volume(self, spec: VolumeSpec, *, token: str) -> Volume:
        self._require_cinder()
        wish = {"name": spec.name, "size": spec.size, "metadata": {**spec.labels, records.TOKEN: token}}
        made = self._cloud.ask("POST", CINDER, "volumes", body={"volume": wish})
        with understood("Cinder"):
            return volume(made["volume"])

    def attach_volume(self, volume_id: str, server_id: str, *, device: str = "") -> None:
        if self._is_at(self.volume(volume_id), server_id):
            return
        wish = {"volumeId": volume_id, **({"device": device} if device else {})}
        try:
            self._ask_nova("POST", server_id, body={"volumeAttachment": wish})
        except Rejected as reason:  # an earlier attempt of ours may have done it
            now = self.volume(volume_id)
            if not self._is_at(now, server_id):
                raise (Rejected if now.state.is_settled else Busy)(reason.message, **reason.facts) from reason

    def _is_at(self, seen: Volume, server_id: str) -> bool:
        """Whether the server has it or is about to: Cinder tells whose it is only in the end, Nova at once."""
        if seen.server or seen.state not in HELD:
            return seen.server == server_id and seen.state in HELD
        with contextlib.suppress(Gone):
            self._ask_nova("GET", server_id, seen.id)
            return True
        return False

    def detach_volume(self, volume_id: str) -> None:
        seen = self.volume(volume_id)
        if seen.state in FREE:
            return
        if not seen.server:
            raise Rejected(f"No server has {seen.name or volume_id}; it is {seen.native.get('status')}.")
        with contextlib.suppress(Gone):
            self._ask_nova("DELETE", seen.server, volume_id)

    def delete_volume(self, volume_id: str) -> None:
        self._require_cinder()
        with contextlib.suppress(Gone):
            self._cloud.ask("DELETE", CINDER, "volumes", volume_id)

    def _ask_nova(self, method: str, server_id: str, *volume_id: str, body: Json | None = None) -> None:
        path = ("servers", server_id, "os-volume_attachments", *volume_id)
        self._cloud.ask(method, "compute", *path, body=body, plain=True)

    def _require_cinder(self) -> None:
        if not self._cloud.offers(CINDER):
            raise Rejected(NO_CINDER)


def limits(cloud: "Cloud") -> list[Limit]:
    if not cloud.offers(CINDER):
        return []
    return cloud.read(CINDER, "limits", key="limits", translate=functools.partial(records.limits, known=LIMITS))


def volume(native: Json) -> Volume:
    held: Json = next(iter(native.get("attachments") or ()), {})
    state = STATES.get(native.get("status", ""), VolumeState.UNKNOWN)
    return Volume(
        id=native["id"],
        name=native.get("name") or native["id"],
        state=state,
        size=native["size"],
        server=held.get("server_id") or "",
        device=held.get("device") or "",
        fault=f"Cinder says {native['status']}." if state is VolumeState.ERROR else "",
        token=(native.get("metadata") or {}).get(records.TOKEN, ""),
        created=records.moment(native.get("created_at")),
        native=native,
    )
