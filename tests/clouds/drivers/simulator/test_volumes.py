"""What a simulated volume does, beside the contract."""

import contextlib
import sqlite3

import pytest

from cloudmesh.errors import Full, Rejected
from cloudmesh.types import ServerSpec, VolumeSpec, VolumeState
from clouds.drivers import Site
from clouds.drivers.simulator import Simulator, control
from tests.clouds.drivers.simulator.conftest import DEMO

DATA = VolumeSpec(name="data", size=10)


def test_a_volume_outlives_its_server(driver: Simulator, spec: ServerSpec) -> None:
    server, volume = driver.create_server(spec, token="s"), driver.create_volume(DATA, token="v")
    driver.server(server.id)
    driver.attach_volume(volume.id, server.id)
    assert driver.volume(volume.id).server == server.id
    driver.delete_server(server.id)
    free = driver.volume(volume.id)
    assert (free.state, free.server, free.device) == (VolumeState.AVAILABLE, "", "")


def test_devices_are_given_in_order_and_once(driver: Simulator, spec: ServerSpec) -> None:
    server = driver.create_server(spec, token="s")
    driver.server(server.id)
    volumes = [driver.create_volume(DATA, token=f"v{number}") for number in range(3)]
    driver.volumes()
    for volume, device in zip(volumes, ("", "/dev/vdc", ""), strict=True):
        driver.attach_volume(volume.id, server.id, device=device)
    assert [volume.device for volume in driver.volumes()] == ["/dev/vdb", "/dev/vdc", "/dev/vdd"]
    last = driver.create_volume(DATA, token="v3")
    driver.volume(last.id)
    with pytest.raises(Rejected, match=r"/dev/vdc .* in use"):
        driver.attach_volume(last.id, server.id, device="/dev/vdc")


@pytest.mark.parametrize("size", [0, -1, 20_000])
def test_a_size_that_cannot_be_is_refused(driver: Simulator, size: int) -> None:
    with pytest.raises(Rejected, match="Invalid volume size"):
        driver.create_volume(VolumeSpec(name="data", size=size), token="v")


def test_a_quota_that_is_passed_is_full(driver: Simulator, world: control.World) -> None:
    control.set_quota(world, disk=15)
    driver.create_volume(DATA, token="v1")
    with pytest.raises(Full, match="disk: requested 10, but already used 10 of 15"):
        driver.create_volume(DATA, token="v2")


def test_a_volume_that_cannot_be_made_is_in_error(driver: Simulator, world: control.World) -> None:
    control.fail(world, "create_volume", "build-error", times=1, text="No pool has room.")
    made = driver.create_volume(DATA, token="v")
    seen = driver.volume(made.id)
    assert (seen.state, seen.fault) == (VolumeState.ERROR, "No pool has room.")


def test_a_world_made_before_there_were_volumes_has_them_now(site: Site, world: control.World) -> None:
    world.close()
    with contextlib.closing(sqlite3.connect(world.path)) as db:
        db.execute("DROP TABLE volume")
        db.commit()
    driver = Simulator(DEMO, site)
    driver.create_volume(DATA, token="v")
    assert [volume.name for volume in driver.volumes()] == ["data"]
