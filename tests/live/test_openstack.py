"""The contract on a real OpenStack.

See docs/howto/clouds/openstack.md: `tests/live/openstack/up.sh` brings one up, or CLOUDMESH_LIVE_OPENSTACK names
one as PATH_OF_CLOUDS_YAML:CLOUD.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from cloudmesh.types import Flavor
from clouds.drivers import CloudDriver, Site
from clouds.drivers.openstack import OpenStack
from clouds.drivers.openstack.connection import NONE
from tests.clouds.drivers.contract import Connect
from tests.clouds.drivers.network_contract import NetworkContract
from tests.live.clouds import Clouds

pytestmark = pytest.mark.live


class TestOpenStack(NetworkContract):
    driver_class = OpenStack
    image_name: ClassVar[str] = os.environ.get("CLOUDMESH_LIVE_OPENSTACK_IMAGE", "")
    flavor_name: ClassVar[str] = os.environ.get("CLOUDMESH_LIVE_OPENSTACK_FLAVOR", "")
    pause = 0.5

    @pytest.fixture(scope="class")
    @classmethod
    def flavor(cls, driver: CloudDriver, openstack: Clouds) -> Flavor:
        wanted = cls.flavor_name or ("m1.nano" if openstack.ours else "")
        fit = [flavor for flavor in driver.flavors() if wanted in ("", flavor.name)]
        return min(fit, key=lambda flavor: (flavor.ram, flavor.disk, flavor.cores))

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls, openstack: Clouds) -> Mapping[str, str]:
        return openstack.credential()

    @pytest.fixture(scope="class")
    @classmethod
    def wrong_credential(cls, credential: Mapping[str, str]) -> Mapping[str, str]:
        secret = "application_credential_secret" if credential.get("application_credential_id") else "password"
        return {**credential, secret: "not-the-password"}

    @pytest.fixture(scope="class")
    @classmethod
    def unreachable(cls, credential: Mapping[str, str], site: Site) -> Iterator[CloudDriver]:
        with socket.socket() as silent:  # bound, not listening
            silent.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/v3"
            yield OpenStack({**credential, "auth_url": url}, site)


class TestOldNova(TestOpenStack):
    """The same, when only what Nova has had since 2015 is used."""

    @pytest.fixture(scope="class")
    @classmethod
    def connect(cls, credential: Mapping[str, str], site: Site) -> Connect:
        def connect() -> OpenStack:
            driver = OpenStack(credential, site)
            driver._cloud.microversion = NONE
            return driver

        return connect
