"""What every cloud driver must do with volumes; a part of `CloudContract`."""

import datetime
import json
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import Server, Volume, VolumeSpec, VolumeState
from clouds.drivers import CloudDriver

MakeVolume = Callable[..., Volume]


def unique(what: str = "contract") -> str:
    return f"{what}-{secrets.token_hex(4)}"


class VolumeContract:
    """Needs the fixtures `driver` and `server` beside its own."""

    patience: ClassVar[float] = 120.0  # seconds until a state must have come
    pause: ClassVar[float] = 1.0  # seconds between two looks
    unknown_id: ClassVar[str] = "00000000-0000-4000-8000-000000000000"  # well-formed, of nothing
    unknown_volume: ClassVar[str] = unknown_id

    @classmethod
    def until(cls, look: Callable[[], Any], what: str) -> Any:
        """What `look` finds, once it finds something."""
        end = time.monotonic() + cls.patience
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(cls.pause)
        raise AssertionError(f"{what} did not come within {cls.patience} seconds.")

    @classmethod
    def volume_until(cls, driver: CloudDriver, volume_id: str, state: VolumeState) -> Volume:
        def look() -> Volume | None:
            seen = driver.volume(volume_id)
            assert seen.state is not VolumeState.ERROR, seen.fault
            return seen if seen.state is state else None

        found: Volume = cls.until(look, f"{volume_id} {state}")
        return found

    @classmethod
    def volume_gone(cls, driver: CloudDriver, volume_id: str) -> None:
        def look() -> bool:
            try:
                return driver.volume(volume_id).state.is_gone
            except Gone:
                return True

        cls.until(look, f"the end of {volume_id}")

    @pytest.fixture(scope="class")
    @classmethod
    def make_volume(cls, driver: CloudDriver) -> Iterator[MakeVolume]:
        """Make volumes that are deleted in the end; skips where a cloud has none."""
        reason = driver.abilities.reason("volumes") or driver.lacking().get("volumes", "")
        if reason:
            pytest.skip(reason)
        made: list[Volume] = []

        def make(*, token: str = "", size: int = 1, **changes: Any) -> Volume:
            spec = VolumeSpec(name=unique("volume"), size=size, **changes)
            made.append(driver.create_volume(spec, token=token or unique("wish")))
            return cls.volume_until(driver, made[-1].id, VolumeState.AVAILABLE)

        yield make
        for volume in made:
            driver.delete_volume(volume.id)
        for volume in made:
            cls.volume_gone(driver, volume.id)

    def test_a_volume_becomes_what_was_asked(self, driver: CloudDriver, make_volume: MakeVolume) -> None:
        volume = make_volume(token=(wish := unique("wish")), size=2, labels={"made-by": "contract"})
        assert (volume.size, volume.server, volume.device, volume.token) == (2, "", "", wish)
        assert volume.name.startswith("volume-")
        assert volume.created is not None
        assert abs(datetime.datetime.now(datetime.UTC) - volume.created) < datetime.timedelta(hours=1)
        assert [seen for seen in driver.volumes() if seen.id == volume.id] == [volume]
        assert json.dumps(dict(volume.native))

    def test_a_volume_is_found_by_its_token(self, driver: CloudDriver, make_volume: MakeVolume) -> None:
        volume = make_volume(token=(wish := unique("wish")))
        found = driver.find_volume(wish)
        assert found is not None
        assert found.id == volume.id
        assert driver.find_volume(unique("wish")) is None

    def test_a_volume_comes_to_a_server_and_goes(
        self, driver: CloudDriver, server: Server, make_volume: MakeVolume
    ) -> None:
        volume = make_volume(server=server.id)
        driver.attach_volume(volume.id, server.id)
        driver.attach_volume(volume.id, server.id)
        held = self.volume_until(driver, volume.id, VolumeState.IN_USE)
        assert (held.server, held.device[:5]) == (server.id, "/dev/")
        with pytest.raises(Rejected, match=r"\w"):
            driver.delete_volume(volume.id)
        driver.detach_volume(volume.id)
        free = self.volume_until(driver, volume.id, VolumeState.AVAILABLE)
        driver.detach_volume(volume.id)
        assert (free.server, free.device) == ("", "")

    def test_a_deleted_volume_is_gone_and_found_no_more(self, driver: CloudDriver, make_volume: MakeVolume) -> None:
        doomed = make_volume(token=(wish := unique("wish")))
        driver.delete_volume(doomed.id)
        self.volume_gone(driver, doomed.id)
        driver.delete_volume(doomed.id)
        assert driver.find_volume(wish) is None
        assert doomed.id not in {seen.id for seen in driver.volumes() if not seen.state.is_gone}

    def test_what_is_not_there_neither_comes_nor_goes(
        self, driver: CloudDriver, server: Server, make_volume: MakeVolume
    ) -> None:
        volume = make_volume()
        with pytest.raises(Gone, match=r"\w"):
            driver.attach_volume(volume.id, self.unknown_id)
        with pytest.raises(Gone, match=r"\w"):
            driver.volume(self.unknown_volume)
        with pytest.raises(Gone, match=r"\w"):
            driver.attach_volume(self.unknown_volume, server.id)
        with pytest.raises(Gone, match=r"\w"):
            driver.detach_volume(self.unknown_volume)

    def test_limits_count_volumes(self, driver: CloudDriver, make_volume: MakeVolume) -> None:
        make_volume(size=3)
        used = {limit.resource: limit.used for limit in driver.limits()}
        assert used["volumes"] >= 1
        assert used["disk"] >= 3
