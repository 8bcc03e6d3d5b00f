"""Which OpenStack the live tests run against, and people who use it."""

import os
import pathlib
import secrets
import socket
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import openstack as sdk
import yaml

from cloudmesh.types import Server, ServerSpec
from clouds.drivers import Site
from clouds.drivers.openstack import OpenStack

OURS = pathlib.Path(os.environ.get("CLOUDMESH_LIVE_DIR", "/var/tmp/cloudmesh-live")) / "openstack/clouds.yaml"
Found = TypeVar("Found")


class Clouds:
    """The clouds of one clouds.yaml."""

    def __init__(self, path: pathlib.Path, default: str) -> None:
        self.ours = path == OURS
        self.default = default
        self.entries: dict[str, Any] = yaml.safe_load(path.read_text())["clouds"]

    def credential(self, name: str = "") -> Mapping[str, str]:
        return as_credential(self.entries[name or self.default])


def named() -> Clouds | None:
    """The one that the environment names, else that of tests/live/openstack/up.sh if it runs."""
    if there := os.environ.get("CLOUDMESH_LIVE_OPENSTACK"):
        path, _, cloud = there.rpartition(":")
        return Clouds(pathlib.Path(path).expanduser(), cloud)
    if not OURS.exists():
        return None
    clouds = Clouds(OURS, "india")
    keystone = urllib.parse.urlsplit(clouds.credential()["auth_url"])
    try:
        socket.create_connection((keystone.hostname, keystone.port), timeout=5).close()
    except OSError:
        return None
    return clouds


def as_credential(entry: Mapping[str, Any]) -> Mapping[str, str]:
    flat = {**entry["auth"], **{key: value for key, value in entry.items() if isinstance(value, str | bool)}}
    if pem := flat.get("cacert"):
        flat["cacert"] = pathlib.Path(pem).expanduser().read_text()
    return {key: str(value) for key, value in flat.items()}


class Person:
    """A user of a cloud: through our driver, and through openstacksdk as somebody outside the portal."""

    def __init__(self, entry: Mapping[str, Any], folder: pathlib.Path) -> None:
        self.credential = as_credential(entry)
        self.site = Site(state_dir=folder, guard=lambda address: None)
        self.driver = OpenStack(self.credential, self.site)
        self.outside = sdk.connect(load_yaml_config=False, load_envvars=False, **entry)
        self.made: list[Server] = []

    def spec(self, flavor: str = "m1.nano", **changes: Any) -> ServerSpec:
        flavors = {each.name: each.id for each in self.driver.flavors()}
        image = min(self.driver.images(), key=lambda each: each.name)
        likeness = {"name": unique("live"), "image": image.id, "flavor": flavors[flavor]}
        return ServerSpec(**{**likeness, **changes})

    def boot(self, flavor: str = "m1.nano", token: str = "", **changes: Any) -> Server:
        server = self.driver.create_server(self.spec(flavor, **changes), token=token or unique("wish"))
        self.made.append(server)
        return server

    def settled(self, server: Server) -> Server:
        def look() -> Server | None:
            seen = self.driver.server(server.id)
            return seen if seen.state.is_settled else None

        return until(look)

    def clear(self) -> None:
        """Take back what `boot` made."""
        for server in self.made:
            self.driver.release_floating_ip(server.id)
            self.outside.compute.delete_server(server.id, ignore_missing=True)
        ids = {server.id for server in self.made}
        until(lambda: ids.isdisjoint(seen.id for seen in self.driver.servers()))
        self.made.clear()


def unique(what: str) -> str:
    return f"{what}-{secrets.token_hex(4)}"


def until(look: Callable[[], Found | None], seconds: float = 120) -> Found:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.5)
    raise AssertionError(f"It did not come within {seconds} seconds.")
