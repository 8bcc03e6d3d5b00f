"""OpenStack's documents as the records of `cloudmesh.types`."""

import base64
import datetime
import ipaddress
from collections.abc import Mapping
from typing import Any

from cloudmesh.errors import Rejected
from cloudmesh.types import (
    Flavor,
    FloatingIp,
    Image,
    ImageState,
    Json,
    KeyPair,
    Limit,
    Network,
    Rule,
    SecurityGroup,
    Server,
    ServerSpec,
    ServerState,
)

TOKEN = "cloudmesh_token"  # noqa: S105 - the name of a server's metadata, where the wish is kept

STATES: Mapping[str, ServerState] = {
    "ACTIVE": ServerState.ACTIVE,
    "BUILD": ServerState.BUILDING,
    "DELETED": ServerState.DELETED,
    "ERROR": ServerState.ERROR,
    "HARD_REBOOT": ServerState.REBOOTING,
    "MIGRATING": ServerState.CHANGING,
    "PASSWORD": ServerState.CHANGING,
    "PAUSED": ServerState.PAUSED,
    "REBOOT": ServerState.REBOOTING,
    "REBUILD": ServerState.BUILDING,
    "RESCUE": ServerState.RESCUED,
    "RESIZE": ServerState.RESIZING,
    "REVERT_RESIZE": ServerState.RESIZING,
    "SHELVED": ServerState.SHELVED,
    "SHELVED_OFFLOADED": ServerState.SHELVED,
    "SHUTOFF": ServerState.STOPPED,
    "SOFT_DELETED": ServerState.DELETED,
    "SUSPENDED": ServerState.SUSPENDED,
    "UNKNOWN": ServerState.UNKNOWN,
    "VERIFY_RESIZE": ServerState.ACTIVE,  # it runs, and waits for a person to confirm
}
TASKS: Mapping[str, ServerState] = {"deleting": ServerState.DELETING, "soft-deleting": ServerState.DELETING}
BYSTANDERS = frozenset(
    {  # tasks that leave the server as it is
        "image_backup",
        "image_pending_upload",
        "image_snapshot",
        "image_snapshot_pending",
        "image_uploading",
    }
)
IMAGE_STATES: Mapping[str, ImageState] = {
    "active": ImageState.ACTIVE,
    "deactivated": ImageState.DEPRECATED,
    "deleted": ImageState.DELETED,
    "importing": ImageState.PENDING,
    "killed": ImageState.ERROR,
    "pending_delete": ImageState.DELETED,
    "queued": ImageState.PENDING,
    "saving": ImageState.PENDING,
    "uploading": ImageState.PENDING,
}
LOGINS: Mapping[str, str] = {  # in the distribution's or the image's name
    "almalinux": "almalinux",
    "arch": "arch",
    "centos": "cloud-user",
    "cirros": "cirros",
    "debian": "debian",
    "fedora": "fedora",
    "freebsd": "freebsd",
    "opensuse": "opensuse",
    "rhel": "cloud-user",
    "rocky": "rocky",
    "sles": "sles",
    "ubuntu": "ubuntu",
}
LIMITS: Mapping[str, tuple[str, str]] = {
    "instances": ("maxTotalInstances", "totalInstancesUsed"),
    "cores": ("maxTotalCores", "totalCoresUsed"),
    "ram": ("maxTotalRAMSize", "totalRAMUsed"),
    "server_groups": ("maxServerGroups", "totalServerGroupsUsed"),
    "keys": ("maxTotalKeypairs", ""),
}
NETWORK_LIMITS = {
    "floating_ips": "floatingip",
    "networks": "network",
    "ports": "port",
    "security_groups": "security_group",
}
MARK = "cloudmesh:"  # how a description begins that carries a token
PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmp", "icmpv6": "icmp", "ipv6-icmp": "icmp", None: "any"}
EVERY_PORT = (1, 65535)  # as some people write it; as others, none
NOTHING: Json = {}
INSIDE = ("10.", "192.168.")  # most fixed addresses, told without parsing


def server(native: Json) -> Server:
    addresses = [address for network in (native.get("addresses") or {}).values() for address in network]
    groups = [group["name"] for group in native.get("security_groups") or ()]
    metadata = native.get("metadata") or NOTHING
    return Server(
        id=native["id"],
        name=native.get("name") or "",  # a cell that is down tells no names
        state=_state(native),
        addresses=tuple([address["addr"] for address in addresses]),
        public_addresses=tuple([address["addr"] for address in addresses if _is_public(address)]),
        image=(native.get("image") or NOTHING).get("id", ""),  # "" where it boots from a volume
        flavor=_flavor_of(native.get("flavor") or NOTHING),
        key=native.get("key_name") or "",
        security_groups=tuple(dict.fromkeys(groups)),
        fault=(native.get("fault") or NOTHING).get("message", ""),
        labels={key: value for key, value in metadata.items() if key != TOKEN},
        token=metadata.get(TOKEN, ""),
        created=moment(native.get("created")),
        native=native,
    )


def _state(native: Json) -> ServerState:
    state = STATES.get(native.get("status", ""), ServerState.UNKNOWN)
    task = native.get("OS-EXT-STS:task_state")
    if not task or task in BYSTANDERS or state.is_gone:
        return state
    return TASKS.get(task) or (ServerState.CHANGING if state.is_settled else state)


def _flavor_of(native: Json) -> str:
    """Its name from microversion 2.47 on, its id before."""
    name: str = native.get("original_name") or native.get("id", "")
    return name


def _is_public(address: Json) -> bool:
    if address.get("OS-EXT-IPS:type") == "floating":
        return True
    return not address["addr"].startswith(INSIDE) and ipaddress.ip_address(address["addr"]).is_global


def moment(text: str | None) -> datetime.datetime | None:
    if not text:
        return None
    time = datetime.datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)


def asked(spec: ServerSpec, token: str) -> Json:
    """A wish as Nova is asked for it, but for the networks."""
    wish: Json = {
        "name": spec.name,
        "imageRef": spec.image,
        "flavorRef": spec.flavor,
        "metadata": {**spec.labels, TOKEN: token},
    }
    if spec.key:
        wish["key_name"] = spec.key
    if spec.security_groups:
        wish["security_groups"] = [{"name": group} for group in spec.security_groups]
    if spec.user_data:
        wish["user_data"] = base64.b64encode(spec.user_data.encode()).decode()
    return wish


def tag(token: str) -> str:
    """The tag that a server has from its birth, by which Nova finds it at once."""
    return f"cloudmesh:{token}"


def promised(spec: ServerSpec, token: str, native: Json) -> Server:
    """A server that Nova just accepted, of which it tells no more than the id."""
    return Server(
        id=native["id"],
        name=spec.name,
        state=ServerState.BUILDING,
        image=spec.image,
        flavor=spec.flavor,
        key=spec.key,
        security_groups=spec.security_groups,
        labels=spec.labels,
        token=token,
        native={name: value for name, value in native.items() if name != "adminPass"},
    )


def image(native: Json, project: str) -> Image:
    """`project` is the account's own."""
    likeness = f"{native.get('os_distro') or ''} {native.get('name') or ''}".lower()
    guess = next((login for word, login in LOGINS.items() if word in likeness), "")
    return Image(
        id=native["id"],
        name=native.get("name") or native["id"],
        state=IMAGE_STATES.get(native.get("status", ""), ImageState.UNKNOWN),
        min_disk=native.get("min_disk") or 0,
        min_ram=native.get("min_ram") or 0,
        size=native.get("size") or 0,
        login=native.get("os_admin_user") or guess,
        own=native.get("owner") == project,
        created=moment(native.get("created_at")),
        native=native,
    )


def flavor(native: Json) -> Flavor:
    return Flavor(
        id=native["id"],
        name=native["name"],
        cores=native["vcpus"],
        ram=native["ram"],
        disk=native["disk"],
        native=native,
    )


def network(native: Json, project: str, ranges: Mapping[str, str]) -> Network:
    """`ranges` are the address ranges of subnets by their ids, as far as they are told."""
    external, shared = bool(native.get("router:external")), bool(native.get("shared"))
    reachable = shared or (native.get("project_id") == project and not external)
    return Network(
        id=native["id"],
        name=native.get("name") or native["id"],
        external=external,
        shared=shared,
        usable=reachable and bool(native.get("subnets")) and native.get("admin_state_up") is not False,
        subnets=tuple(ranges[each] for each in native.get("subnets") or () if each in ranges),
        native=native,
    )


def limits(native: Json, known: Mapping[str, tuple[str, str]] = LIMITS) -> list[Limit]:
    absolute = native["absolute"]
    return [
        _limit(resource, absolute[most], absolute.get(used, 0))
        for resource, (most, used) in known.items()
        if most in absolute
    ]


def network_limits(quota: Json) -> list[Limit]:
    return [
        _limit(resource, quota[name]["limit"], quota[name]["used"])
        for resource, name in NETWORK_LIMITS.items()
        if name in quota
    ]


def _limit(resource: str, limit: int, used: int) -> Limit:
    return Limit(resource=resource, limit=limit if limit >= 0 else None, used=used)


def key(native: Json) -> KeyPair:
    return KeyPair(name=native["name"], fingerprint=native.get("fingerprint") or "", native=native)


def listed_key(native: Json) -> KeyPair:
    return key(native["keypair"])


def same_key(known: KeyPair, public_key: str) -> KeyPair:
    """The key that the cloud has, if it is this one whatever its comment; raises Rejected."""
    if str(known.native.get("public_key")).split()[:2] != public_key.split()[:2]:
        raise Rejected(
            f"The cloud has a different key named {known.name} ({known.fingerprint}): give yours another name, or "
            "delete that one.",
            field="name",
        )
    return known


def security_group(native: Json) -> SecurityGroup:
    rules = (rule(each) for each in native.get("security_group_rules") or () if lets_a_network_in(each))
    return SecurityGroup(id=native["id"], name=native["name"], rules=tuple(rules), native=native)


def lets_a_network_in(native: Json) -> bool:
    return native["direction"] == "ingress" and not native.get("remote_group_id")


def rule(native: Json) -> Rule:
    everyone = "::/0" if native.get("ethertype") == "IPv6" else "0.0.0.0/0"
    protocol: Any = native.get("protocol")
    first, last = native.get("port_range_min") or 0, native.get("port_range_max") or 0
    return Rule(
        protocol=PROTOCOLS.get(protocol, protocol),
        first_port=0 if (first, last) == EVERY_PORT else first,
        last_port=0 if (first, last) == EVERY_PORT else last,
        cidr=native.get("remote_ip_prefix") or everyone,
    )


def asked_rule(rule: Rule, group: str) -> Json:
    """A rule as Neutron is asked for it; ports 0 to 0 are all of them."""
    ethertype = "IPv6" if ":" in rule.cidr else "IPv4"
    known = {("icmp", "IPv6"): "ipv6-icmp", ("any", ethertype): None}
    wish: Json = {
        "security_group_id": group,
        "direction": "ingress",
        "ethertype": ethertype,
        "protocol": known.get((rule.protocol, ethertype), rule.protocol),
        "remote_ip_prefix": rule.cidr,
    }
    if rule.last_port:
        wish |= {"port_range_min": rule.first_port, "port_range_max": rule.last_port}
    return wish


def floating_ip(native: Json, holders: Mapping[str, str]) -> FloatingIp:
    """`holders` are the ids of servers by those of their ports, for where Neutron does not tell."""
    told = (native.get("port_details") or {}).get("device_id") or ""
    said = str(native.get("description") or "")
    return FloatingIp(
        id=native["id"],
        address=native["floating_ip_address"],
        server=told or holders.get(native.get("port_id") or "", ""),
        token=said.removeprefix(MARK) if said.startswith(MARK) else "",
        native=native,
    )
