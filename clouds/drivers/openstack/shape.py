"""What a server of Nova is besides running: its metadata, its size, and the images that are made of it."""

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from cloudmesh.errors import Busy, DriverError, Gone, Rejected
from cloudmesh.types import Image, Json
from clouds.drivers.openstack import records

if TYPE_CHECKING:
    from clouds.drivers.openstack.connection import Cloud

CONFLICT = 409
TO_BE_KEPT = "VERIFY_RESIZE"
KEPT_ALREADY = (400, 404, CONFLICT)  # what Nova says to whom somebody else was quicker


def label(cloud: "Cloud", server_id: str, labels: Mapping[str, str], remove: Iterable[str]) -> None:
    """See clouds.drivers. Only what differs is written, so that a second attempt asks for nothing."""
    seen = cloud.read("compute", "servers", server_id, key="server", translate=records.server)
    news = {key: value for key, value in labels.items() if seen.labels.get(key) != value}
    try:
        for key in {*remove} & seen.labels.keys():
            with contextlib.suppress(Gone):
                cloud.ask("DELETE", "compute", "servers", server_id, "metadata", key, plain=True)
        if news:
            cloud.ask("POST", "compute", "servers", server_id, "metadata", body={"metadata": news}, plain=True)
    except (Busy, Rejected) as reason:
        raise _in_time(reason, is_settled=seen.state.is_settled) from reason


def resize(cloud: "Cloud", server_id: str, flavor: str) -> None:
    seen = cloud.read("compute", "servers", server_id, key="server", translate=records.server)
    try:
        _do(cloud, server_id, {"resize": {"flavorRef": flavor}})
    except (Busy, Rejected) as reason:
        raise _in_time(reason, is_settled=seen.state.is_settled) from reason


def keep_size(cloud: "Cloud", server_id: str) -> bool:
    """See clouds.drivers. Nova keeps the old place of a server until somebody says that the new one is good."""
    native = cloud.read("compute", "servers", server_id, key="server", translate=dict)
    if native.get("status") != TO_BE_KEPT:
        return True
    try:
        _do(cloud, server_id, {"confirmResize": None})
    except (Gone, Rejected) as reason:
        if reason.facts.get("code") not in KEPT_ALREADY:
            raise
    return False


def images(cloud: "Cloud", *query: tuple[str, str]) -> Iterator[Image]:
    translate = functools.partial(records.image, project=cloud.project)
    return cloud.pages("image", "images", key="images", translate=translate, query=query)


def image(cloud: "Cloud", image_id: str) -> Image:
    native = cloud.ask("GET", "image", "images", image_id)  # without an envelope, unlike all else
    return records.image(native, cloud.project)


def snapshot(cloud: "Cloud", server_id: str, name: str, token: str) -> Image:
    """See clouds.drivers. Nova has made the image's record when it answers, which only newer ones name."""
    wish = {"createImage": {"name": name, "metadata": {records.TOKEN: token}}}
    if not (made := _of_wish(cloud, token)):
        _do(cloud, server_id, wish)
        made = _of_wish(cloud, token)
    if not made:
        raise Busy(f"The image {name} was asked for; Glance does not list it yet.")
    return made


def delete_image(cloud: "Cloud", image_id: str) -> None:
    with contextlib.suppress(Gone):
        cloud.ask("DELETE", "image", "images", image_id)


def _of_wish(cloud: "Cloud", token: str) -> Image | None:
    found = images(cloud, (records.TOKEN, token), ("owner", cloud.project))
    return next((image for image in found if image.native.get(records.TOKEN) == token), None)


def _do(cloud: "Cloud", server_id: str, action: Json) -> None:
    cloud.ask("POST", "compute", "servers", server_id, "action", body=action, plain=True)


def _in_time(reason: DriverError, *, is_settled: bool) -> DriverError:
    """A conflict while something else is being done to the server ends by itself."""
    passing = reason.facts.get("code") == CONFLICT and not is_settled
    return Busy(reason.message, **reason.facts) if passing else reason
