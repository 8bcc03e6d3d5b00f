"""Cloudmesh: one set of words for many clouds, queues and machines.

import cloudmesh

mesh = cloudmesh.Client()
print([server["name"] for server in mesh.servers(state="active")])
"""

TYPE_CHECKING = False  # typing itself would be half the time of `cm --version`
if TYPE_CHECKING:
    from cloudmesh.client import Client as Client
    from cloudmesh.client.asynchronous import AsyncClient as AsyncClient

__version__ = "1.0.0.dev0"
__all__ = ["Client", "__version__"]


def __getattr__(name: str) -> object:
    """The client is imported when it is used: `import cloudmesh` stays cheap."""
    if name != "Client":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cloudmesh.client import Client

    return Client
