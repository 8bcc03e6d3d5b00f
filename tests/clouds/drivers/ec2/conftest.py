"""An endpoint of its own for each test, and the driver that talks to it."""

import pathlib
from collections.abc import Iterator

import pytest

from clouds.drivers import Site
from clouds.drivers.ec2 import Ec2
from tests.clouds.drivers.ec2.endpoint import Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint().serving() as served:
        yield served


@pytest.fixture
def credential(endpoint: Endpoint) -> dict[str, str]:
    return {
        "access_key_id": "AKIAEXAMPLE",
        "secret_access_key": "very/secret",
        "region": "eu-central-1",
        "endpoint_url": endpoint.url,
    }


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Site:
    return Site(state_dir=tmp_path, guard=lambda address: None, timeout=5)


@pytest.fixture
def driver(credential: dict[str, str], site: Site) -> Ec2:
    return Ec2(credential, site)
