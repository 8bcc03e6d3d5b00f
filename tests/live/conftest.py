"""What live tests run against."""

import os
import pathlib
import socket
import urllib.parse

import pytest

from tests.live.clouds import OURS, Clouds

HOW = "no OpenStack: run tests/live/openstack/up.sh, or set CLOUDMESH_LIVE_OPENSTACK=PATH_OF_CLOUDS_YAML:CLOUD"


@pytest.fixture(scope="session")
def openstack() -> Clouds:
    if named := os.environ.get("CLOUDMESH_LIVE_OPENSTACK"):
        path, _, cloud = named.rpartition(":")
        return Clouds(pathlib.Path(path).expanduser(), cloud)
    if not OURS.exists():
        pytest.skip(HOW)
    clouds = Clouds(OURS, "india")
    keystone = urllib.parse.urlsplit(clouds.credential()["auth_url"])
    try:
        socket.create_connection((keystone.hostname or "", keystone.port or 443), timeout=5).close()
    except OSError:
        pytest.skip(HOW)
    return clouds
