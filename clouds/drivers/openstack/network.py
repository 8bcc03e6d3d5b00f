"""What Neutron adds to a server: a network, security groups and a public address."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cloudmesh.errors import Busy, Gone, Rejected
from cloudmesh.types import FloatingIp, Json, Limit, Network, Rule, SecurityGroup, Server
from clouds.drivers.openstack import records
from clouds.drivers.openstack.failures import understood

if TYPE_CHECKING:
    from clouds.drivers.openstack.connection import Cloud

NETWORKS_TO_BE_NAMED = (2, 37)  # from this microversion on a wish without networks is none
LOST_RACE = ("RevisionNumberConstraintFailed", 412)


def networks(cloud: "Cloud") -> Iterator[Network]:
    """Those of the project, shared ones and those to the outside; an administrator is shown many more."""
    project = cloud.project

    def network(native: Json) -> Network:
        return records.network(native, project)

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


# -- security groups ---------------------------------------------------------------------------------------------


def security_groups(cloud: "Cloud", *query: tuple[str, str]) -> Iterator[SecurityGroup]:
    own = ("project_id", cloud.project)
    return cloud.pages(
        "network", "security-groups", key="security_groups", translate=records.security_group, query=(own, *query)
    )


def ensure_security_group(cloud: "Cloud", name: str, rules: Iterable[Rule]) -> SecurityGroup:
    """By one at a time: Neutron lets two make the same group or rule at the same instant."""
    wanted = tuple(dict.fromkeys(rules))
    group = _group(cloud, name)
    if group and not _missing(group, wanted):
        return group
    with cloud.alone(is_patient=True):
        group = _group(cloud, name) or _made_group(cloud, name)
        missing = _missing(group, wanted)
        for rule in missing:
            _add_rule(cloud, group, rule)
        return (_group(cloud, name) or group) if missing else group


def _missing(group: SecurityGroup, wanted: Iterable[Rule]) -> list[Rule]:
    return [rule for rule in wanted if rule not in group.rules]


def _group(cloud: "Cloud", name: str) -> SecurityGroup | None:
    """The first group of that name; Neutron allows several."""
    return min(security_groups(cloud, ("name", name)), key=_age, default=None)


def _age(group: SecurityGroup) -> tuple[str, str]:
    return str(group.native.get("created_at")), group.id


def _made_group(cloud: "Cloud", name: str) -> SecurityGroup:
    wish = {"security_group": {"name": name, "description": "Made by Cloudmesh"}}
    answer = cloud.ask("POST", "network", "security-groups", body=wish)
    with understood("network"):
        made = records.security_group(answer["security_group"])
    first = _group(cloud, name) or made
    if first.id != made.id:  # made at once by somebody on another machine
        cloud.ask("DELETE", "network", "security-groups", made.id)
    return first


def _add_rule(cloud: "Cloud", group: SecurityGroup, rule: Rule) -> None:
    wish = {"security_group_rule": records.asked_rule(rule, group.id)}
    try:
        cloud.ask("POST", "network", "security-group-rules", body=wish)
    except Rejected as reason:
        if reason.facts.get("code") != "SecurityGroupRuleExists":
            raise


# -- floating addresses ------------------------------------------------------------------------------------------


def floating_ips(cloud: "Cloud") -> Iterator[FloatingIp]:
    known = list(_floating(cloud))
    untold = any(native.get("port_id") and not native.get("port_details") for native in known)  # an older Neutron
    ports = _ports(cloud, ("project_id", cloud.project)) if untold else ()
    holders = {port["id"]: port.get("device_id") or "" for port in ports}
    for native in known:
        yield records.floating_ip(native, holders)


def assign_floating_ip(cloud: "Cloud", server: Server) -> FloatingIp:
    ports = list(_ports(cloud, ("device_id", server.id)))
    if not ports:
        late = Rejected if server.state.is_settled else Busy
        raise late(f"{server.name} has no network port that could have a public address.")
    holders = {port["id"]: server.id for port in ports}
    known = list(_floating(cloud))
    given = next((native for native in known if native.get("port_id") in holders), None)
    if given is None:
        port, outside = _way_out(cloud, ports)
        given = _reused(cloud, outside, port) if _unused(known, outside) else None
        given = given or _new(cloud, outside, port)
    return records.floating_ip(given, holders)


def _unused(known: Iterable[Json], outside: str) -> list[Json]:
    return [each for each in known if not each.get("port_id") and each["floating_network_id"] == outside]


def _reused(cloud: "Cloud", outside: str, port: str) -> Json | None:
    """An unused address, taken by one at a time: of two at the same instant Neutron tells both that they have it,
    since it forgets If-Match when its database makes it try again."""
    with cloud.alone():
        for native in _unused(_floating(cloud), outside):
            if taken := _take(cloud, native, port):
                return taken
    return None


def release_floating_ips(cloud: "Cloud", server_id: str) -> None:
    ports = {port["id"] for port in _ports(cloud, ("device_id", server_id))}
    for native in list(_floating(cloud)) if ports else ():
        if native.get("port_id") in ports:
            _drop(cloud, native["id"])


def _drop(cloud: "Cloud", floating_ip_id: str) -> None:
    try:
        cloud.ask("DELETE", "network", "floatingips", floating_ip_id)
    except Gone:
        return


def _way_out(cloud: "Cloud", ports: list[Json]) -> tuple[str, str]:
    """The port to have the address, and the external network behind the router of its network."""
    for port in ports:
        for neighbour in _ports(cloud, ("network_id", port["network_id"])):
            if "router" in neighbour.get("device_owner", "") and (outside := _outside(cloud, neighbour["device_id"])):
                return port["id"], outside
    found = [network.id for network in networks(cloud) if network.external]
    if not found:
        raise Rejected("This cloud has no external network, so it has no public addresses to give.")
    return ports[0]["id"], found[0]


def _outside(cloud: "Cloud", router: str) -> str:
    def gateway(native: Json) -> str:
        return (native.get("external_gateway_info") or {}).get("network_id") or ""

    try:
        return cloud.read("network", "routers", router, key="router", translate=gateway)
    except Gone:  # it belongs to someone else
        return ""


def _take(cloud: "Cloud", native: Json, port: str) -> Json | None:
    """This address for the port, unless somebody was quicker."""
    unchanged = {"If-Match": f"revision_number={native['revision_number']}"} if "revision_number" in native else None
    wish = {"floatingip": {"port_id": port}}
    try:
        answer = cloud.ask("PUT", "network", "floatingips", native["id"], body=wish, headers=unchanged)
    except Gone:
        return None
    except (Busy, Rejected) as reason:
        if reason.facts.get("code") not in LOST_RACE:
            raise
        return None
    with understood("network"):
        taken: Json = answer["floatingip"]
    return taken


def _new(cloud: "Cloud", outside: str, port: str) -> Json:
    wish = {"floatingip": {"floating_network_id": outside, "port_id": port}}
    answer = cloud.ask("POST", "network", "floatingips", body=wish)
    with understood("network"):
        made: Json = answer["floatingip"]
    return made


def _floating(cloud: "Cloud") -> Iterator[Json]:
    own = ("project_id", cloud.project)
    return cloud.pages("network", "floatingips", key="floatingips", translate=lambda native: native, query=(own,))


def _ports(cloud: "Cloud", *query: tuple[str, str]) -> Iterator[Json]:
    return cloud.pages("network", "ports", key="ports", translate=lambda native: native, query=query)
