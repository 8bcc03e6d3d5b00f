"""A simulated cloud of its own for each test."""

from pathlib import Path

import pytest

from cloudmesh.types import ServerSpec
from clouds.drivers import Site
from clouds.drivers.simulator import Simulator, control

DEMO = {"world": "india", "username": "demo", "password": "demo"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(state_dir=tmp_path, guard=lambda address: None, timeout=5.0)


@pytest.fixture
def world(site: Site) -> control.World:
    """India, where all is done at once."""
    india = control.World(site.state_dir, "india")
    control.set_latency(india, 0)
    return india


@pytest.fixture
def driver(site: Site, world: control.World) -> Simulator:
    return Simulator(DEMO, site)


@pytest.fixture
def spec(driver: Simulator) -> ServerSpec:
    image = next(image.id for image in driver.images() if image.name == "ubuntu-24.04")
    flavor = next(flavor.id for flavor in driver.flavors() if flavor.name == "m1.small")
    return ServerSpec(name="web", image=image, flavor=flavor)
