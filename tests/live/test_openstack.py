"""The contract on a real OpenStack, and what only a real one can show.

See docs/howto/clouds/openstack.md: `tests/live/openstack/up.sh` brings one up, or CLOUDMESH_LIVE_OPENSTACK names
one as PATH_OF_CLOUDS_YAML:CLOUD.
"""

import socket
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from clouds.drivers import CloudDriver, Site
from clouds.drivers.openstack import OpenStack
from tests.clouds.drivers.contract import CloudContract
from tests.live.clouds import Clouds

pytestmark = pytest.mark.live


class TestOpenStack(CloudContract):
    driver_class = OpenStack
    flavor_name: ClassVar[str] = "m1.nano"
    pause = 0.3

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls, openstack: Clouds) -> Mapping[str, str]:
        return openstack.credential()

    @pytest.fixture(scope="class")
    @classmethod
    def wrong_credential(cls, credential: Mapping[str, str]) -> Mapping[str, str]:
        return {**credential, "password": "not-the-password"}

    @pytest.fixture(scope="class")
    @classmethod
    def unreachable(cls, credential: Mapping[str, str], site: Site) -> Iterator[CloudDriver]:
        with socket.socket() as silent:  # bound, not listening
            silent.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/v3"
            yield OpenStack({**credential, "auth_url": url}, site)
