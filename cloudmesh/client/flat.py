"""The words of `import cloudmesh` that need no object: one mesh for the whole program, made when it is first used."""

import functools
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cloudmesh.client import Client
from cloudmesh.client.batch import Cluster
from cloudmesh.client.mesh import Mesh
from cloudmesh.client.person import Person
from cloudmesh.errors import Invalid, near

if TYPE_CHECKING:
    from cloudmesh.client.mesh import Thing
    from cloudmesh.client.pbs import PBS
    from cloudmesh.types import Json

    Found = list[Json]

KINDS = ("", "mongo", "yaml", "portal")  # where the first Cloudmesh looked; a portal knows all of it
LOADS = ("user", "server")


def mesh(kind: str = "", *, url: str = "", token: str = "", profile: str = "", timeout: float = 30.0) -> Mesh:
    """A mesh of its own; see `cloudmesh.mesh`."""
    if kind not in KINDS:
        raise Invalid(f"There is no mesh {kind!r}.{near(kind, KINDS)} Leave it out.", field="kind")
    env = os.environ.get
    url, token = url or env("CLOUDMESH_URL", ""), token or env("CLOUDMESH_TOKEN", "")
    return Mesh(Client(url, token, profile=profile or env("CLOUDMESH_PROFILE", ""), timeout=timeout))


@functools.cache
def shared() -> Mesh:
    """The mesh of this program."""
    return mesh()


def load(kind: str = "user") -> Person:
    """Who one is; see `cloudmesh.load`."""
    if kind not in LOADS:
        raise Invalid(f"There is nothing to load as {kind!r}.{near(kind, LOADS)} Say: load()", field="kind")
    return Person(shared())


def refresh(clouds: str | Iterable[str] = ()) -> "dict[str, Json]":
    return shared().refresh(names=[clouds] if isinstance(clouds, str) else clouds)


def default(values: "Json | None" = None, **more: str) -> dict[str, str]:
    """Change defaults and answer those in force; see `cloudmesh.default`."""
    wanted = {**(values or {}), **more}
    chosen = wanted.pop("cloud", {})
    by_cloud = chosen if isinstance(chosen, dict) else {}
    if isinstance(chosen, str):
        shared().default(kind="cloud", value=chosen)
    for cloud, values_there in {**by_cloud, "": wanted}.items():
        for kind, value in values_there.items():
            shared().default(cloud, kind, value)
    known: dict[str, str] = shared().default()
    return known


def hpc(cluster: str = "") -> Cluster:
    return Cluster(shared().client, cluster)


def pbs(user: str = "", host: str = "") -> "PBS":
    """See `cloudmesh.PBS`."""
    from cloudmesh.client.pbs import PBS

    return PBS(hpc(host), user)


class Machines:
    """Servers in plain words: `cloudmesh.vm`. Each takes a name, hostlist or globs, an id or a server's dict."""

    def boot(self, cloud: str | None = None, count: int = 1, **wanted: Any) -> "Found":
        """Wish for servers; what is not said comes from the defaults. See `Mesh.boot`."""
        return shared().boot(cloud, count, **wanted)

    def start(self, cloud: str | None = None, **wanted: Any) -> "Json":
        """Wish for one server."""
        return shared().start(cloud, **wanted)

    def list(self, **filters: Any) -> "Found":
        """Servers by any of name, cloud, state, project, owner, group, search."""
        return [*shared().client.servers(**filters)]

    def info(self, server: "Thing") -> "Json":
        """A server with all that is known of it."""
        return shared().server(server)

    def wait(self, server: "Thing", timeout: float | None = None) -> "Json":
        """The server when what is being done with it is done."""
        return shared().wait(server, timeout)

    def stop(self, server: "Thing") -> "Found":
        return shared().stop(server)

    def delete(self, server: "Thing") -> "Found":
        return shared().delete(server)

    def rename(self, server: "Thing", name: str) -> "Json":
        return shared().rename(server, name)

    def ipaddress(self, server: "Thing") -> str:
        """Its public address; without one it is given one."""
        addresses: list[str] = shared().server(server)["public_addresses"]
        return addresses[0] if addresses else shared().assign_public_ip(server)

    def run(self, server: "Thing", command: str, username: str = "") -> str:
        """What a command prints on a server, over ssh."""
        return shared().ssh_execute(server, command, username)


vm = Machines()
