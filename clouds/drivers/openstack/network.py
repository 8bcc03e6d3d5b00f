"""The networks of Neutron: those a project has, and the one that a server gets."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cloudmesh.types import Json, Limit, Network
from clouds.drivers.openstack import records

if TYPE_CHECKING:
    from clouds.drivers.openstack.connection import Cloud

NONE_TOLD: Mapping[str, str] = {}
NETWORKS_TO_BE_NAMED = (2, 37)  # from this microversion on a wish without networks is none


def told(cloud: "Cloud") -> Iterator[Network]:
    """The networks with their address ranges."""
    subnets = cloud.pages("network", "subnets", key="subnets", translate=lambda native: (native["id"], native["cidr"]))
    return networks(cloud, dict(subnets))


def networks(cloud: "Cloud", ranges: Mapping[str, str] = NONE_TOLD) -> Iterator[Network]:
    """Those of the project, shared ones and those to the outside; an administrator is shown many more."""
    project = cloud.project

    def network(native: Json) -> Network:
        return records.network(native, project, ranges)

    for seen in cloud.pages("network", "networks", key="networks", translate=network):
        if seen.external or seen.shared or seen.native.get("project_id") == project:
            yield seen


def attachment(cloud: "Cloud", wanted: tuple[str, ...]) -> Json:
    """The part of a server's wish that names its networks, well chosen where none is wanted."""
    if not wanted and cloud.offers("network"):
        wanted = tuple(network.id for network in _chosen(cloud))
    if wanted:
        return {"networks": [{"uuid": network} for network in wanted]}
    return {"networks": "auto"} if cloud.microversion >= NETWORKS_TO_BE_NAMED else {}


def _chosen(cloud: "Cloud") -> list[Network]:
    """The best usable network: the project's own before shared ones, and of several the one named like the project."""
    usable = [network for network in networks(cloud) if network.usable]
    _, project = cloud.whoami()

    def rank(network: Network) -> tuple[bool, bool, bool, str, str]:
        name = network.name.lower()
        foreign = network.native.get("project_id") != cloud.project
        return foreign, name != project.lower(), project.lower() not in name, name, network.id

    return sorted(usable, key=rank)[:1]


def limits(cloud: "Cloud") -> list[Limit]:
    return cloud.read("network", "quotas", cloud.project, "details.json", key="quota", translate=records.network_limits)
