"""Volumes as Cinder and Nova tell of them."""

import pytest

from cloudmesh.errors import Busy, Full, Rejected
from cloudmesh.types import Json, VolumeSpec, VolumeState
from clouds.drivers.openstack import OpenStack
from clouds.drivers.openstack.records import TOKEN
from clouds.drivers.openstack.volumes import NO_CINDER
from tests.clouds.drivers.openstack.replay import PATHS, Answer, Replay, recorded

PROJECT = recorded("token")["token"]["project"]["id"]
CINDER = f"/volume/v3/{PROJECT}"
VOLUMES, ONE = f"{CINDER}/volumes", f"{CINDER}/volumes/v1"
ATTACHMENTS = "/compute/v2.1/servers/s1/os-volume_attachments"
HELD = {"server_id": "s1", "device": "/dev/vdb", "attachment_id": "a1"}


@pytest.fixture
def cinder(replay: Replay) -> Replay:
    replay.catalog = PATHS | {"block-storage": CINDER}
    return replay


def native(status: str = "available", **changes: object) -> Json:
    facts = {"size": 2, "attachments": [], "metadata": {}, "created_at": "2026-10-11T12:13:14.000000"}
    return {"id": "v1", "name": "data", "status": status, **facts, **changes}


def test_a_cloud_without_cinder_says_so_and_is_not_asked(replay: Replay, driver: OpenStack) -> None:
    assert driver.lacking() == {"volumes": NO_CINDER}
    with pytest.raises(Rejected, match="no block storage service"):
        driver.create_volume(VolumeSpec(name="data", size=1), token="wish")
    assert {asked.path for asked in replay.asked} == {"/identity/v3/auth/tokens"}


@pytest.mark.parametrize("url", ["/volume", "/volume/v3", CINDER])
@pytest.mark.parametrize("name", ["volumev3", "block-storage"])
def test_cinder_is_found_under_each_of_its_names(replay: Replay, driver: OpenStack, name: str, url: str) -> None:
    replay.catalog = PATHS | {"volumev2": "/old/v2", name: url}
    base = "/volume/v3" if url == "/volume/v3" else CINDER
    replay.on("GET", f"{base}/volumes/detail", Answer({"volumes": [native()]}))
    assert [volume.name for volume in driver.volumes()] == ["data"]
    assert driver.lacking() == {}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("creating", VolumeState.CREATING),
        ("in-use", VolumeState.IN_USE),
        ("reserved", VolumeState.ATTACHING),
        ("error_deleting", VolumeState.ERROR),
        ("quantum-entangled", VolumeState.UNKNOWN),
    ],
)
def test_states(cinder: Replay, driver: OpenStack, status: str, state: VolumeState) -> None:
    cinder.on("GET", ONE, Answer({"volume": native(status, attachments=[HELD])}))
    seen = driver.volume("v1")
    assert (seen.state, seen.server, seen.device, seen.size) == (state, "s1", "/dev/vdb", 2)
    assert bool(seen.fault) == (state is VolumeState.ERROR)


def test_the_wish_is_in_its_metadata_and_found_there(cinder: Replay, driver: OpenStack) -> None:
    cinder.on("POST", VOLUMES, Answer({"volume": native("creating", metadata={TOKEN: "wish"})}, 202))
    made = driver.create_volume(VolumeSpec(name="data", size=2, labels={"a": "b"}), token="wish")
    [asked] = cinder.to("POST", VOLUMES)
    assert asked.body["volume"] == {"name": "data", "size": 2, "metadata": {"a": "b", TOKEN: "wish"}}
    others = [native("deleting", id="v0", metadata={TOKEN: "wish"}), native(id="v2", metadata={TOKEN: "other"})]
    listed = Answer({"volumes": [*others, native(metadata={TOKEN: "wish"})]})
    cinder.on("GET", f"{VOLUMES}/detail", listed)
    found = driver.find_volume("wish")
    assert found is not None
    assert (found.id, made.token) == ("v1", "wish")


def test_an_attachment_that_was_made_before_is_not_made_again(cinder: Replay, driver: OpenStack) -> None:
    cinder.on("GET", ONE, Answer({"volume": native("in-use", attachments=[HELD])}))
    driver.attach_volume("v1", "s1")
    assert cinder.to("POST", ATTACHMENTS) == []


def test_while_it_is_attached_nova_tells_to_whom(cinder: Replay, driver: OpenStack) -> None:
    cinder.on("GET", ONE, Answer({"volume": native("attaching")}))
    cinder.on("GET", f"{ATTACHMENTS}/v1", Answer({"volumeAttachment": {"volumeId": "v1", "serverId": "s1"}}))
    driver.attach_volume("v1", "s1")
    assert cinder.to("POST", ATTACHMENTS) == []


def test_an_attachment_whose_answer_was_lost_is_no_failure(cinder: Replay, driver: OpenStack) -> None:
    now = native("in-use", attachments=[HELD])
    cinder.on("GET", ONE, [Answer({"volume": native()}), Answer({"volume": now})])
    cinder.on("POST", ATTACHMENTS, Answer({"badRequest": {"message": "Invalid volume: it is in-use"}}, 400))
    driver.attach_volume("v1", "s1", device="/dev/vdc")
    assert cinder.to("POST", ATTACHMENTS)[0].body == {"volumeAttachment": {"volumeId": "v1", "device": "/dev/vdc"}}


@pytest.mark.parametrize(("status", "kind"), [("creating", Busy), ("available", Rejected)])
def test_what_cannot_be_attached_is_asked_again_only_while_it_moves(
    cinder: Replay, driver: OpenStack, status: str, kind: type[Exception]
) -> None:
    cinder.on("GET", ONE, Answer({"volume": native(status)}))
    cinder.on("POST", ATTACHMENTS, Answer({"badRequest": {"message": "Invalid volume: no"}}, 400))
    with pytest.raises(kind, match="Invalid volume"):
        driver.attach_volume("v1", "s1")


def test_detaching_asks_the_server_that_has_it(cinder: Replay, driver: OpenStack) -> None:
    cinder.on("GET", ONE, Answer({"volume": native("in-use", attachments=[HELD])}))
    cinder.on("DELETE", f"{ATTACHMENTS}/v1", Answer(status=202))
    driver.detach_volume("v1")
    assert len(cinder.to("DELETE", f"{ATTACHMENTS}/v1")) == 1
    cinder.on("GET", ONE, Answer({"volume": native("maintenance")}))
    with pytest.raises(Rejected, match="No server has data; it is maintenance"):
        driver.detach_volume("v1")


def test_a_quota_that_is_passed_is_full(cinder: Replay, driver: OpenStack) -> None:
    words = "VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota 'volumes'."
    cinder.on("POST", VOLUMES, Answer({"overLimit": {"code": 413, "message": words}}, 413))
    with pytest.raises(Full, match="allowed \\(10\\)"):
        driver.create_volume(VolumeSpec(name="data", size=1), token="wish")


def test_limits_tell_of_volumes(cinder: Replay, driver: OpenStack) -> None:
    absolute = {"maxTotalVolumes": 10, "totalVolumesUsed": 3, "maxTotalVolumeGigabytes": -1, "totalGigabytesUsed": 40}
    cinder.on("GET", "/compute/v2.1/limits", Answer(recorded("limits")))
    cinder.on("GET", f"{CINDER}/limits", Answer({"limits": {"absolute": absolute}}))
    told = {limit.resource: (limit.used, limit.limit) for limit in driver.limits()}
    assert (told["volumes"], told["disk"]) == ((3, 10), (40, None))
