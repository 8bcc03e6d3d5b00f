"""The floating addresses of Neutron: reserved, given to servers, taken off and given back."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from cloudmesh.errors import Busy, Gone, Rejected
from cloudmesh.types import FloatingIp, Json, Server
from clouds.drivers.openstack import records
from clouds.drivers.openstack.failures import understood
from clouds.drivers.openstack.network import networks

if TYPE_CHECKING:
    from clouds.drivers.openstack.connection import Cloud

LOST_RACE = ("RevisionNumberConstraintFailed", 412)


def listing(cloud: "Cloud") -> Iterator[FloatingIp]:
    known = list(_floating(cloud))
    untold = any(native.get("port_id") and not native.get("port_details") for native in known)  # an older Neutron
    ports = _ports(cloud, ("project_id", cloud.project)) if untold else ()
    holders = {port["id"]: port.get("device_id") or "" for port in ports}
    for native in known:
        yield records.floating_ip(native, holders)


def reserve(cloud: "Cloud", token: str) -> FloatingIp:
    """An address more; its description says which wish wanted it, so that a second attempt finds it."""
    mark = f"{records.MARK}{token}"
    known = next(_floating(cloud, ("description", mark)), None)
    if known is None:
        routers = cloud.pages("network", "routers", key="routers", translate=_gateway, query=_own(cloud))
        outside = next(filter(None, routers), "") or _first_outside(cloud)
        known = _new(cloud, {"floating_network_id": outside, "description": mark})
    return records.floating_ip(known, {})


def drop(cloud: "Cloud", floating_ip_id: str, *, is_used: bool) -> None:
    """If-Match keeps it for a server that is given it between the look and the end."""
    with contextlib.suppress(Gone):
        native = cloud.read("network", "floatingips", floating_ip_id, key="floatingip", translate=dict)
        if native.get("port_id") and not is_used:
            raise Rejected(f"A server has {native['floating_ip_address']}: take it off that first.")
        cloud.ask("DELETE", "network", "floatingips", floating_ip_id, headers=None if is_used else _unchanged(native))


def assign(cloud: "Cloud", server: Server, address: str, but: Collection[str]) -> FloatingIp:
    ports = list(_ports(cloud, ("device_id", server.id)))
    if not ports:
        late = Rejected if server.state.is_settled else Busy
        raise late(f"{server.name} has no network port that could have a public address.")
    holders = {port["id"]: server.id for port in ports}
    known = list(_floating(cloud))
    given = next((each for each in known if each.get("port_id") in holders and _is(each, address)), None)
    if given is None:
        port, outside = _way_out(cloud, ports)
        if address:
            given = _given(cloud, known, address, port)
        else:
            given = _reused(cloud, outside, port, but) if _unused(known, outside, but) else None
            given = given or _new(cloud, {"floating_network_id": outside, "port_id": port})
    return records.floating_ip(given, holders)


def _is(native: Json, address: str) -> bool:
    return address in ("", native["floating_ip_address"])


def _given(cloud: "Cloud", known: Iterable[Json], address: str, port: str) -> Json:
    """This very address, which must be the account's and unused."""
    native = next((each for each in known if _is(each, address)), None)
    if native is None:
        raise Gone(f"This account has no address {address}.")
    taken = None if native.get("port_id") else _take(cloud, native, port)
    if taken is None:
        raise Rejected(f"Another server has {address}: take it off that first.")
    return taken


def _unused(known: Iterable[Json], outside: str, but: Collection[str]) -> list[Json]:
    free = [each for each in known if not each.get("port_id") and each["floating_network_id"] == outside]
    return [each for each in free if each["floating_ip_address"] not in but]


def _reused(cloud: "Cloud", outside: str, port: str, but: Collection[str]) -> Json | None:
    """An unused address, taken by one at a time: of two at the same instant Neutron tells both that they have it,
    since it forgets If-Match when its database makes it try again."""
    with cloud.alone():
        for native in _unused(_floating(cloud), outside, but):
            if taken := _take(cloud, native, port):
                return taken
    return None


def unassign(cloud: "Cloud", server_id: str) -> None:
    for native in _of(cloud, server_id):
        with contextlib.suppress(Gone):
            cloud.ask("PUT", "network", "floatingips", native["id"], body={"floatingip": {"port_id": None}})


def release(cloud: "Cloud", server_id: str) -> None:
    for native in _of(cloud, server_id):
        with contextlib.suppress(Gone):
            cloud.ask("DELETE", "network", "floatingips", native["id"])


def _of(cloud: "Cloud", server_id: str) -> list[Json]:
    ports = {port["id"] for port in _ports(cloud, ("device_id", server_id))}
    return [native for native in _floating(cloud) if native.get("port_id") in ports] if ports else []


def _way_out(cloud: "Cloud", ports: list[Json]) -> tuple[str, str]:
    """The port to have the address, and the external network behind the router of its network."""
    for port in ports:
        for neighbour in _ports(cloud, ("network_id", port["network_id"])):
            if "router" in neighbour.get("device_owner", "") and (outside := _outside(cloud, neighbour["device_id"])):
                return port["id"], outside
    return ports[0]["id"], _first_outside(cloud)


def _first_outside(cloud: "Cloud") -> str:
    found = next((network.id for network in networks(cloud) if network.external), "")
    if not found:
        raise Rejected("This cloud has no external network, so it has no public addresses to give.")
    return found


def _gateway(router: Json) -> str:
    return (router.get("external_gateway_info") or {}).get("network_id") or ""


def _outside(cloud: "Cloud", router: str) -> str:
    try:
        return cloud.read("network", "routers", router, key="router", translate=_gateway)
    except Gone:  # it belongs to someone else
        return ""


def _take(cloud: "Cloud", native: Json, port: str) -> Json | None:
    """This address for the port, unless somebody was quicker."""
    wish = {"floatingip": {"port_id": port}}
    try:
        answer = cloud.ask("PUT", "network", "floatingips", native["id"], body=wish, headers=_unchanged(native))
    except Gone:
        return None
    except (Busy, Rejected) as reason:
        if reason.facts.get("code") not in LOST_RACE:
            raise
        return None
    with understood("network"):
        taken: Json = answer["floatingip"]
    return taken


def _unchanged(native: Json) -> Mapping[str, str] | None:
    """The header for a change of what is as it was seen."""
    return {"If-Match": f"revision_number={native['revision_number']}"} if "revision_number" in native else None


def _new(cloud: "Cloud", wish: Json) -> Json:
    answer = cloud.ask("POST", "network", "floatingips", body={"floatingip": wish})
    with understood("network"):
        made: Json = answer["floatingip"]
    return made


def _floating(cloud: "Cloud", *query: tuple[str, str]) -> Iterator[Json]:
    asked = (*_own(cloud), *query)
    return cloud.pages("network", "floatingips", key="floatingips", translate=lambda native: native, query=asked)


def _own(cloud: "Cloud") -> tuple[tuple[str, str], ...]:
    return (("project_id", cloud.project),)


def _ports(cloud: "Cloud", *query: tuple[str, str]) -> Iterator[Json]:
    return cloud.pages("network", "ports", key="ports", translate=lambda native: native, query=query)
