"""Cloudmesh: one set of words for many clouds, queues and machines.

    import cloudmesh

    mesh = cloudmesh.mesh()
    image = mesh.image("india", "futuregrid/ubuntu-14.04")
    cloudmesh.default(flavor="m1.tiny")
    server = cloudmesh.vm.start("india")
    print(cloudmesh.vm.wait(server)["addresses"])
    print(cloudmesh.shell("vm list"))

They talk to the portal of `cm`: the one that was signed in to with `cm login`, or that `make run` started in this
clone. `Client` and `AsyncClient` have a method for each thing that a portal does. What goes wrong is one of
`cloudmesh.errors`. See docs/howto/python.md.
"""

from cloudmesh.version import __version__

TYPE_CHECKING = False  # typing itself would be half the time of `cm --version`
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from cloudmesh.client import Client as Client
    from cloudmesh.client.asynchronous import AsyncClient as AsyncClient
    from cloudmesh.client.batch import Cluster
    from cloudmesh.client.flat import Machines
    from cloudmesh.client.mesh import Mesh
    from cloudmesh.client.pbs import PBS as Queues
    from cloudmesh.client.person import Person

    vm: Machines

    def shell(line: str) -> str:
        """What `cm` prints when it is given this line; see `cloudmesh.shell`."""


__all__ = ["PBS", "AsyncClient", "Client", "__version__", "default", "hpc", "load", "mesh", "refresh", "shell", "vm"]
_PLACES = {
    "AsyncClient": "cloudmesh.client.asynchronous",
    "Client": "cloudmesh.client",
    "vm": "cloudmesh.client.flat",
}


def mesh(kind: str = "", *, url: str = "", token: str = "", profile: str = "", timeout: float = 30.0) -> "Mesh":
    """All clouds of a portal: that of `url` and `token`, of a profile of `cm login`, or the one that `cm` talks to.

    `kind` is what the first Cloudmesh wanted to know ("mongo", "yaml"); a portal needs none. `timeout` is how many
    seconds an answer may take. Nothing is read or sent before the first question, which raises Unreachable where no
    portal runs.
    """
    from cloudmesh.client import flat

    return flat.mesh(kind, url=url, token=token, profile=profile, timeout=timeout)


def load(kind: str = "user") -> "Person":
    """Who you are: `cloudmesh.load().username()`."""
    from cloudmesh.client import flat

    return flat.load(kind)


def refresh(clouds: "str | Iterable[str]" = ()) -> "dict[str, dict[str, Any]]":
    """Have these clouds, or all that are on, read anew; answers them by name, without waiting for the reading."""
    from cloudmesh.client import flat

    return flat.refresh(clouds)


def hpc(cluster: str = "") -> "Cluster":
    """The jobs, queues and nodes of an HPC cluster, or of all: `cloudmesh.hpc("india").submit("hostname")`."""
    from cloudmesh.client import flat

    return flat.hpc(cluster)


def PBS(user: str = "", host: str = "") -> "Queues":
    """A cluster in the words of PBS: `cloudmesh.PBS("", "india").qstat()`; also `qinfo()` and `pbsnodes()`.

    `host` is a cluster of the portal, all if empty; `user` narrows the jobs to those of a login there.
    """
    from cloudmesh.client import flat

    return flat.pbs(user, host)


def default(values: "dict[str, Any] | None" = None, **more: str) -> dict[str, str]:
    """Change what the next boot takes, and answer it: `default(flavor="m1.tiny")`, or only `default()`.

    By cloud as a dict: `default({"cloud": {"india": {"image": "ubuntu-24.04"}}})`. Raises NotFound for what there is
    not.
    """
    from cloudmesh.client import flat

    return flat.default(values, **more)


def __getattr__(name: str) -> object:
    """What costs time is imported when it is used: `import cloudmesh` stays cheap."""
    from importlib import import_module

    if name == "shell":
        return import_module("cloudmesh.shell")
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
