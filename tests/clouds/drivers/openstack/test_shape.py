"""What is asked of Nova and Glance for labels, sizes and images, and what their odd answers mean."""

import pytest

from cloudmesh.errors import Busy, Gone, Rejected
from cloudmesh.types import ImageState, Json
from clouds.drivers.openstack import OpenStack
from tests.clouds.drivers.openstack.replay import Answer, Replay, recorded

SERVER = "/compute/v2.1/servers/id-1"
IMAGES = "/image/v2/images"
OWN: str = recorded("token")["token"]["project"]["id"]


def server(**changes: object) -> Answer:
    metadata = {"cloudmesh_token": "wish-1", "stage": "trial"}
    return Answer({"server": {"id": "id-1", "name": "web", "status": "ACTIVE", "metadata": metadata, **changes}})


def conflict() -> Answer:
    return Answer({"conflictingRequest": {"code": 409, "message": "Cannot do it now"}}, 409)


def image(**changes: object) -> Json:
    known = {"id": "i-1", "name": "golden", "status": "queued", "owner": OWN, "cloudmesh_token": "wish-2"}
    return {**known, **changes}


# -- labels ----------------------------------------------------------------------------------------------------


def test_only_labels_that_differ_are_written(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVER, server())
    replay.on("POST", f"{SERVER}/metadata", Answer({"metadata": {}}))
    driver.label_server("id-1", {"stage": "trial", "tier": "web"}, remove=["never-there"])
    assert [asked.body for asked in replay.to("POST", f"{SERVER}/metadata")] == [{"metadata": {"tier": "web"}}]


def test_a_label_that_is_gone_meanwhile_is_no_error(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVER, server())
    replay.on("DELETE", f"{SERVER}/metadata/stage", Answer({"itemNotFound": {"code": 404, "message": "none"}}, 404))
    driver.label_server("id-1", {}, remove=["stage"])
    assert len(replay.to("DELETE", f"{SERVER}/metadata/stage")) == 1


@pytest.mark.parametrize(("task", "error"), [("rebuilding", Busy), (None, Rejected)])
def test_a_conflict_passes_only_while_something_is_done(
    replay: Replay, driver: OpenStack, task: str | None, error: type[Exception]
) -> None:
    replay.on("GET", SERVER, server(**{"OS-EXT-STS:task_state": task}))
    replay.on("POST", f"{SERVER}/metadata", conflict())
    with pytest.raises(error, match="Cannot do it now"):
        driver.label_server("id-1", {"tier": "web"})


# -- size ------------------------------------------------------------------------------------------------------


def test_a_resize_is_kept_once_nova_waits_for_it(replay: Replay, driver: OpenStack) -> None:
    replay.on("POST", f"{SERVER}/action", Answer(status=204))
    replay.on("GET", SERVER, server(status="VERIFY_RESIZE"))
    assert not driver.keep_size("id-1")
    replay.on("GET", SERVER, server())
    assert driver.keep_size("id-1")
    assert [asked.body for asked in replay.to("POST", f"{SERVER}/action")] == [{"confirmResize": None}]


@pytest.mark.parametrize("status", [400, 409])
def test_a_resize_that_somebody_else_keeps_is_no_error(replay: Replay, driver: OpenStack, status: int) -> None:
    replay.on("GET", SERVER, server(status="VERIFY_RESIZE"))
    said = {"badRequest": {"code": status, "message": "Instance has not been resized."}}
    replay.on("POST", f"{SERVER}/action", Answer(said, status))
    assert not driver.keep_size("id-1")


def test_a_resize_asks_for_the_flavor_and_says_why_not(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", SERVER, server())
    said = {"badRequest": {"code": 400, "message": "When resizing, instances must change flavor!"}}
    replay.on("POST", f"{SERVER}/action", Answer(said, 400))
    with pytest.raises(Rejected, match="must change flavor"):
        driver.resize_server("id-1", "42")
    assert replay.to("POST", f"{SERVER}/action")[0].body == {"resize": {"flavorRef": "42"}}


# -- images ----------------------------------------------------------------------------------------------------


def test_a_snapshot_carries_the_token_and_is_found_by_it(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", IMAGES, [Answer({"images": []}), Answer({"images": [image()]})])
    replay.on("POST", f"{SERVER}/action", Answer(status=202))
    made = driver.snapshot_server("id-1", "golden", token="wish-2")
    assert (made.id, made.state, made.own) == ("i-1", ImageState.PENDING, True)
    [asked] = replay.to("POST", f"{SERVER}/action")
    assert asked.body == {"createImage": {"name": "golden", "metadata": {"cloudmesh_token": "wish-2"}}}
    assert replay.to("GET", IMAGES)[0].query["cloudmesh_token"] == "wish-2"
    assert driver.snapshot_server("id-1", "golden", token="wish-2").id == "i-1"
    assert len(replay.to("POST", f"{SERVER}/action")) == 1


def test_an_image_that_only_inherits_another_wishs_token_is_not_taken(replay: Replay, driver: OpenStack) -> None:
    """A Glance that knows no filter by property lists all."""
    replay.on("GET", IMAGES, Answer({"images": [image(cloudmesh_token="another")]}))
    replay.on("POST", f"{SERVER}/action", Answer(status=202))
    with pytest.raises(Busy, match="does not list it yet"):
        driver.snapshot_server("id-1", "golden", token="wish-2")


def test_an_image_is_read_without_an_envelope_and_deleted_once(replay: Replay, driver: OpenStack) -> None:
    replay.on("GET", f"{IMAGES}/i-1", Answer(image(status="active", owner="somebody")))
    assert (driver.image("i-1").state, driver.image("i-1").own) == (ImageState.ACTIVE, False)
    gone = Answer({"message": "No image found with ID i-1", "code": "404 Not Found", "title": "Not Found"}, 404)
    replay.on("GET", f"{IMAGES}/i-1", gone)
    replay.on("DELETE", f"{IMAGES}/i-1", gone)
    with pytest.raises(Gone):
        driver.image("i-1")
    driver.delete_image("i-1")
