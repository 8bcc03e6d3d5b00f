"""What every cloud driver must do with labels, sizes and images of servers; a part of `contract.py`."""

import json
import secrets
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from cloudmesh.errors import CloudmeshError, Gone, Rejected
from cloudmesh.types import Flavor, Image, ImageState, Server, ServerState
from clouds.drivers import CloudDriver

Boot = Callable[..., Server]


def unique(what: str) -> str:
    return f"{what}-{secrets.token_hex(4)}"


class ShapeContract:
    """Needs the fixtures `driver`, `server`, `flavor` and `boot` beside its own."""

    unknown_id: ClassVar[str]
    unknown_image: ClassVar[str]
    unknown_flavor: ClassVar[str]
    checks_sizes: ClassVar[bool] = True  # refuses a size that is none; a stand-in may not
    until: Any
    settled: Any

    # -- labels --------------------------------------------------------------------------------------------

    def test_labels_are_told_without_the_token_and_the_name(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["labels"]:
            pytest.skip(driver.abilities.reason("labels"))
        assert driver.server(server.id).labels == {"made-by": "contract"}

    def test_labels_come_change_and_go(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["labels"]:
            pytest.skip(driver.abilities.reason("labels"))
        driver.label_server(server.id, {"stage": "trial", "tier": ""})
        driver.label_server(server.id, {"stage": "prod"}, remove=["never-there"])
        kept = {"made-by": "contract", "stage": "prod", "tier": ""}
        self.until(lambda: driver.server(server.id).labels == kept, "the labels")
        assert next(seen for seen in driver.servers() if seen.id == server.id).labels == kept
        for _ in range(2):
            driver.label_server(server.id, {}, remove=["stage", "tier"])
        self.until(lambda: driver.server(server.id).labels == {"made-by": "contract"}, "the end of the labels")
        assert driver.server(server.id).token == server.token

    def test_labels_of_nothing_are_gone(self, driver: CloudDriver) -> None:
        if not driver.abilities["labels"]:
            pytest.skip(driver.abilities.reason("labels"))
        with pytest.raises(Gone, match=r"\w"):
            driver.label_server(self.unknown_id, {"stage": "trial"})

    # -- size ----------------------------------------------------------------------------------------------

    @pytest.fixture(scope="class")
    @classmethod
    def larger(cls, driver: CloudDriver, flavor: Flavor) -> Flavor:
        """The next size, of the same kind where kinds have names."""
        kind = flavor.name.partition(".")[0]
        fit = [each for each in driver.flavors() if each.ram > flavor.ram and each.disk >= flavor.disk]
        alike = [each for each in fit if each.name.partition(".")[0] == kind]
        return min(alike or fit, key=lambda each: (each.ram, each.disk, each.cores))

    def test_a_server_gets_another_size_and_keeps_it(self, driver: CloudDriver, boot: Boot, larger: Flavor) -> None:
        if not driver.abilities["resize"]:
            pytest.skip(driver.abilities.reason("resize"))
        made = self.settled(driver, boot().id, ServerState.ACTIVE)
        assert driver.keep_size(made.id), "nothing is to be kept"
        if driver.resizes_stopped:
            driver.act(made.id, "stop")
            self.settled(driver, made.id, ServerState.STOPPED)
        driver.resize_server(made.id, larger.id)
        sizes = (larger.id, larger.name)
        self.until(lambda: self._rests(driver, made.id) and driver.server(made.id).flavor in sizes, "the size")
        self.until(lambda: driver.keep_size(made.id), "the end of the resize")
        assert driver.keep_size(made.id)
        seen = driver.server(made.id)
        assert (seen.flavor in sizes, seen.state.is_settled, seen.token) == (True, True, made.token)
        driver.delete_server(made.id)

    def test_an_unknown_size_is_refused_in_words(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["resize"] or not self.checks_sizes:
            pytest.skip(driver.abilities.reason("resize") or "This stand-in takes any size.")
        with pytest.raises((Rejected, Gone), match=r"\w"):
            driver.resize_server(server.id, self.unknown_flavor)
        assert driver.server(server.id).flavor == server.flavor

    @staticmethod
    def _rests(driver: CloudDriver, server_id: str) -> bool:
        return driver.server(server_id).state.is_settled

    # -- images of servers ---------------------------------------------------------------------------------

    def test_a_snapshot_is_made_once_found_booted_from_and_deleted(
        self, driver: CloudDriver, server: Server, boot: Boot
    ) -> None:
        if not driver.abilities["snapshots"]:
            pytest.skip(driver.abilities.reason("snapshots"))
        name, token = unique("contract-image"), unique("wish")
        asked = driver.snapshot_server(server.id, name, token=token)
        try:
            assert driver.snapshot_server(server.id, name, token=token).id == asked.id
            made: Image = self.until(lambda: self._ready(driver, asked.id), "the image")
            assert (made.name, made.own, json.dumps(dict(made.native)) != "{}") == (name, True, True)
            assert [image.own for image in driver.images() if image.id == made.id] == [True]
            assert driver.server(server.id).state is ServerState.ACTIVE
            child = self.settled(driver, boot(image=made.id).id, ServerState.ACTIVE)
            assert child.image == made.id
            driver.delete_server(child.id)
        finally:
            driver.delete_image(asked.id)
        driver.delete_image(asked.id)
        assert asked.id not in {image.id for image in driver.images()}
        with pytest.raises(Gone, match=r"\w"):
            driver.image(asked.id)

    @staticmethod
    def _ready(driver: CloudDriver, image_id: str) -> Image | None:
        image = driver.image(image_id)
        assert image.state in (ImageState.ACTIVE, ImageState.PENDING)
        return image if image.state is ImageState.ACTIVE else None

    def test_images_that_are_everybodys_are_not_deleted(self, driver: CloudDriver) -> None:
        if not driver.abilities["snapshots"]:
            pytest.skip(driver.abilities.reason("snapshots"))
        foreign = next(image for image in driver.images() if not image.own)
        with pytest.raises(Rejected, match=r"\w"):
            driver.delete_image(foreign.id)
        assert not driver.image(foreign.id).own

    def test_an_image_that_is_not_there_is_gone(self, driver: CloudDriver) -> None:
        with pytest.raises(Gone, match=r"\w"):
            driver.image(self.unknown_image)
        with pytest.raises(CloudmeshError, match=r"\w"):
            driver.image("../no such image")

    def test_a_snapshot_of_nothing_is_gone(self, driver: CloudDriver) -> None:
        if not driver.abilities["snapshots"]:
            pytest.skip(driver.abilities.reason("snapshots"))
        with pytest.raises(Gone, match=r"\w"):
            driver.snapshot_server(self.unknown_id, unique("contract-image"), token=unique("wish"))
