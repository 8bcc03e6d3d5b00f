"""EC2's documents as the records of `cloudmesh.types`; everything that names its fields is here."""

import datetime
from collections.abc import Iterator

from cloudmesh.types import (
    Flavor,
    FloatingIp,
    Image,
    ImageState,
    Json,
    KeyPair,
    Network,
    Rule,
    SecurityGroup,
    Server,
    ServerState,
)

TOKEN = "cloudmesh:token"  # noqa: S105
NAME = "Name"  # where EC2 keeps it
STATES = {
    "pending": ServerState.BUILDING,
    "running": ServerState.ACTIVE,
    "stopping": ServerState.CHANGING,
    "stopped": ServerState.STOPPED,
    "shutting-down": ServerState.DELETING,
    "terminated": ServerState.DELETED,
}
IMAGE_STATES = {
    "available": ImageState.ACTIVE,
    "pending": ImageState.PENDING,
    "transient": ImageState.PENDING,
    "disabled": ImageState.DEPRECATED,
    "deregistered": ImageState.DELETED,
    "invalid": ImageState.ERROR,
    "failed": ImageState.ERROR,
    "error": ImageState.ERROR,
}
LOGINS = {"ubuntu": "ubuntu", "debian": "admin", "al20": "ec2-user", "amzn": "ec2-user"}  # by how image names begin
OWN_WISH = ("Client.User", "Client.InstanceInitiatedShutdown", "pending")  # state reasons that are no fault
EVERY_PORT = (0, 65535)
PROTOCOLS = {"-1": "any", "58": "icmp", "icmpv6": "icmp"}


def servers(reservation: Json) -> list[Server]:
    """The servers of one reservation; each keeps what that says about it."""
    shared = {name: reservation[name] for name in ("ReservationId", "OwnerId") if name in reservation}
    return [server(instance | shared) for instance in reservation["Instances"]]


def server(native: Json) -> Server:
    tags = _tags(native)
    public = tuple(filter(None, [native.get("PublicIpAddress")]))
    private = tuple(filter(None, [native.get("PrivateIpAddress")]))
    return Server(
        id=native["InstanceId"],
        name=tags.get(NAME) or native["InstanceId"],
        state=STATES.get(native["State"]["Name"], ServerState.UNKNOWN),
        addresses=private + public + _ipv6(native),
        public_addresses=public,
        image=native.get("ImageId", ""),
        flavor=native.get("InstanceType", ""),
        key=native.get("KeyName", ""),
        security_groups=tuple(group["GroupName"] for group in native.get("SecurityGroups", ())),
        fault=_fault(native),
        labels={key: value for key, value in tags.items() if key not in (TOKEN, NAME)},
        token=tags.get(TOKEN, ""),
        created=_created(native),
        native=native,
    )


def image(native: Json, *, own: bool) -> Image:
    """An image brings its own volume, so it asks for no disk of the flavor."""
    name = native.get("Name") or native["ImageId"]
    family = name.rpartition("/")[2].lower()
    return Image(
        id=native["ImageId"],
        name=name,
        state=_image_state(native),
        login=next((login for start, login in LOGINS.items() if family.startswith(start)), ""),
        own=own,
        created=_time(native.get("CreationDate")),
        native=native,
    )


def flavor(native: Json) -> Flavor:
    return Flavor(
        id=native["InstanceType"],
        name=native["InstanceType"],
        cores=native["VCpuInfo"]["DefaultVCpus"],
        ram=native["MemoryInfo"]["SizeInMiB"],
        disk=native.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0),
        native=native,
    )


def network(native: Json) -> Network:
    """A subnet, which is what a server is attached to in EC2."""
    place = f"{native.get('AvailabilityZone', '')} {native['CidrBlock']}".strip()
    return Network(
        id=native["SubnetId"],
        name=_tags(native).get("Name") or place,
        usable=native.get("State", "available") == "available",
        subnets=(
            native["CidrBlock"],
            *(each["Ipv6CidrBlock"] for each in native.get("Ipv6CidrBlockAssociationSet", ())),
        ),
        native=native,
    )


def key(native: Json) -> KeyPair:
    return KeyPair(name=native["KeyName"], fingerprint=native.get("KeyFingerprint", ""), native=native)


def security_group(native: Json) -> SecurityGroup:
    return SecurityGroup(
        id=native["GroupId"],
        name=native["GroupName"],
        rules=tuple(rule for rule, _ in openings(native)),
        network=native.get("VpcId", ""),
        native=native,
    )


def permission(rule: Rule) -> Json:
    """A rule as EC2 is asked for it; it writes every kind of ICMP as ports −1 to −1, and every protocol as −1."""
    v6 = ":" in rule.cidr
    first, last = rule.first_port, rule.last_port
    if not first and not last:
        first, last = EVERY_PORT if rule.protocol in ("tcp", "udp") else (-1, -1)
    return {
        "IpProtocol": {"icmp": "icmpv6" if v6 else "icmp", "any": "-1"}.get(rule.protocol, rule.protocol),
        "FromPort": first,
        "ToPort": last,
        "Ipv6Ranges" if v6 else "IpRanges": [{"CidrIpv6" if v6 else "CidrIp": rule.cidr}],
    }


def openings(native: Json) -> Iterator[tuple[Rule, Json]]:
    """Each rule of a group that opens a network, with the piece of a permission that it is in EC2.

    Those that open another group have no words here.
    """
    for permission in native.get("IpPermissions", ()):
        ports = {end: permission[end] for end in ("FromPort", "ToPort") if end in permission}
        first, last = (max(ports.get(end, 0), 0) for end in ("FromPort", "ToPort"))
        if (first, last) == EVERY_PORT:
            first, last = 0, 0
        name = str(permission["IpProtocol"])
        for ranges, cidr in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
            for each in permission.get(ranges, ()):
                rule = Rule(
                    protocol=PROTOCOLS.get(name, name),
                    first_port=first,
                    last_port=last,
                    cidr=each[cidr],
                )
                yield rule, {"IpProtocol": name, **ports, ranges: [{cidr: each[cidr]}]}


def floating_ip(native: Json) -> FloatingIp:
    return FloatingIp(
        id=native.get("AllocationId") or native["PublicIp"],
        address=native["PublicIp"],
        server=native.get("InstanceId", ""),
        token=_tags(native).get(TOKEN, ""),
        native=native,
    )


def tags(wanted: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in wanted.items()]


def _tags(native: Json) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in native.get("Tags", ())}


def _ipv6(native: Json) -> tuple[str, ...]:
    return tuple(
        address["Ipv6Address"]
        for interface in native.get("NetworkInterfaces", ())
        for address in interface.get("Ipv6Addresses", ())
    )


def _fault(native: Json) -> str:
    reason = native.get("StateReason") or {}
    mine = str(reason.get("Code", "")).startswith(OWN_WISH)
    return "" if mine or native["State"]["Name"] in ("pending", "running") else reason.get("Message", "")


def _created(native: Json) -> datetime.datetime | None:
    """When it was made: its launch time moves with every start, that of its first interface does not."""
    attached = [interface.get("Attachment", {}).get("AttachTime") for interface in native.get("NetworkInterfaces", ())]
    return _time(min(filter(None, [native.get("LaunchTime"), *attached[:1]]), default=None))


def _image_state(native: Json) -> ImageState:
    deprecated = _time(native.get("DeprecationTime"))
    if deprecated and deprecated < datetime.datetime.now(datetime.UTC):
        return ImageState.DEPRECATED
    return IMAGE_STATES.get(native.get("State", ""), ImageState.UNKNOWN)


def _time(text: str | None) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(text) if text else None
