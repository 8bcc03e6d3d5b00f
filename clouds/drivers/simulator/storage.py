"""The volumes of the simulated cloud as the driver tells of them: translation only."""

import abc
import contextlib
import datetime
from collections.abc import Iterator

from cloudmesh.errors import Gone
from cloudmesh.types import Volume, VolumeSpec, VolumeState
from clouds.drivers import CloudDriver
from clouds.drivers.simulator import volumes
from clouds.drivers.simulator.faults import Fault
from clouds.drivers.simulator.world import Desk, Row

STATES = {
    "creating": VolumeState.CREATING,
    "available": VolumeState.AVAILABLE,
    "attaching": VolumeState.ATTACHING,
    "in-use": VolumeState.IN_USE,
    "detaching": VolumeState.DETACHING,
    "deleting": VolumeState.DELETING,
    "deleted": VolumeState.DELETED,
    "error": VolumeState.ERROR,
}


class Storage(CloudDriver):
    """The driver's part that is about volumes."""

    @abc.abstractmethod
    def _request(
        self, kind: str, *, server: str = "", token: str = ""
    ) -> contextlib.AbstractContextManager[tuple[Desk, Fault]]: ...

    def volumes(self) -> Iterator[Volume]:
        with self._request("volumes") as (desk, _):
            rows, world = volumes.listing(desk), desk.world
        return (_to_volume(world, row) for row in rows)

    def volume(self, volume_id: str) -> Volume:
        with self._request("volume") as (desk, _):
            return _to_volume(desk.world, volumes.get(desk, volume_id))

    def find_volume(self, token: str) -> Volume | None:
        with self._request("find_volume", token=token) as (desk, _):
            row = volumes.find(desk, token)
            return _to_volume(desk.world, row) if row else None

    def create_volume(self, spec: VolumeSpec, *, token: str) -> Volume:
        with self._request("create_volume", token=token) as (desk, fault):
            row = volumes.create(desk, spec, token=token, build_error=fault.build_error)
        return _to_volume(desk.world, row)

    def attach_volume(self, volume_id: str, server_id: str, *, device: str = "") -> None:
        with self._request("attach_volume", server=server_id) as (desk, _):
            volumes.attach(desk, volume_id, server_id, device)

    def detach_volume(self, volume_id: str) -> None:
        with self._request("detach_volume") as (desk, _):
            volumes.detach(desk, volume_id)

    def delete_volume(self, volume_id: str) -> None:
        with contextlib.suppress(Gone), self._request("delete_volume") as (desk, _):
            volumes.delete(desk, volume_id)


def _to_volume(world: str, row: Row) -> Volume:
    native = volumes.document(row, world)
    return Volume(
        id=native["id"],
        name=native["name"],
        state=STATES.get(native["status"], VolumeState.UNKNOWN),
        size=native["size_gb"],
        server=row["server"] or "",
        device=row["device"],
        fault=native["fault"] or "",
        token=native["token"],
        created=datetime.datetime.fromisoformat(native["created"]),
        native=native,
    )
