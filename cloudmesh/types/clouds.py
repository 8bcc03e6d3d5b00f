"""What clouds have: servers and what belongs to them."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Any


class ServerState(enum.StrEnum):
    """What a server is doing, whatever its cloud calls it."""

    REQUESTED = "requested"
    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    SHELVED = "shelved"
    REBOOTING = "rebooting"
    RESIZING = "resizing"
    CHANGING = "changing"
    RESCUED = "rescued"
    DELETING = "deleting"
    DELETED = "deleted"
    MISSING = "missing"
    ERROR = "error"
    UNKNOWN = "unknown"

    @property
    def is_settled(self) -> bool:
        """Whether nothing further is expected to happen by itself."""
        return self not in UNSETTLED

    @property
    def is_gone(self) -> bool:
        return self is ServerState.DELETED

    @property
    def label(self) -> str:
        return self.value


UNSETTLED = frozenset(
    {
        ServerState.REQUESTED,
        ServerState.BUILDING,
        ServerState.REBOOTING,
        ServerState.RESIZING,
        ServerState.CHANGING,
        ServerState.DELETING,
    }
)


class VolumeState(enum.StrEnum):
    """What a volume is doing, whatever its cloud calls it."""

    REQUESTED = "requested"
    CREATING = "creating"
    AVAILABLE = "available"
    ATTACHING = "attaching"
    IN_USE = "in-use"
    DETACHING = "detaching"
    CHANGING = "changing"
    DELETING = "deleting"
    DELETED = "deleted"
    MISSING = "missing"
    ERROR = "error"
    UNKNOWN = "unknown"

    @property
    def is_settled(self) -> bool:
        """Whether nothing further is expected to happen by itself."""
        return self not in RESTLESS

    @property
    def is_gone(self) -> bool:
        return self is VolumeState.DELETED

    @property
    def label(self) -> str:
        return self.value


RESTLESS = frozenset(
    {
        VolumeState.REQUESTED,
        VolumeState.CREATING,
        VolumeState.ATTACHING,
        VolumeState.DETACHING,
        VolumeState.CHANGING,
        VolumeState.DELETING,
    }
)


class ImageState(enum.StrEnum):
    ACTIVE = "active"
    PENDING = "pending"
    DEPRECATED = "deprecated"
    DELETED = "deleted"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A virtual machine as its cloud reports it."""

    id: str  # the provider's own id
    name: str
    state: ServerState
    addresses: tuple[str, ...] = ()
    public_addresses: tuple[str, ...] = ()  # those of `addresses` that are reachable from outside
    image: str = ""  # the provider's id
    flavor: str = ""  # the provider's id or name, as its servers name it
    key: str = ""
    security_groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)  # but for the token and the name
    fault: str = ""  # the provider's own words when in error
    token: str = ""  # the wish that made it, if the cloud kept it
    created: datetime.datetime | None = None
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # the provider's whole answer


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """What a server is made from."""

    id: str
    name: str
    state: ImageState = ImageState.ACTIVE
    min_disk: int = 0  # GiB
    min_ram: int = 0  # MiB
    size: int = 0  # bytes
    login: str = ""  # the user name to log in with, where it is known
    own: bool = False  # the account's, which may delete it
    created: datetime.datetime | None = None
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Flavor:
    """A size a server can have."""

    id: str
    name: str
    cores: int
    ram: int  # MiB
    disk: int  # GiB
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A network a server can be attached to."""

    id: str
    name: str
    external: bool = False
    shared: bool = False
    usable: bool = True  # an ordinary server may be attached to it
    subnets: tuple[str, ...] = ()  # its address ranges, where the provider tells them
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class KeyPair:
    """A public key as a cloud keeps it."""

    name: str
    fingerprint: str = ""
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One ingress rule: a protocol and ports open to a network."""

    protocol: str  # tcp, udp or icmp; any is all of them, and clouds know rarer ones
    first_port: int = 0  # 0 to 0 are all; of icmp they are a type and a code
    last_port: int = 0
    cidr: str = "0.0.0.0/0"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SecurityGroup:
    """A named set of ingress rules."""

    id: str
    name: str
    rules: tuple[Rule, ...] = ()
    network: str = ""  # the only place where it can be used, such as a VPC; empty: in the whole account
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FloatingIp:
    """A public address that can be moved between servers."""

    id: str
    address: str
    server: str = ""  # the provider's id of the server that has it
    token: str = ""  # the wish that reserved it, if the cloud kept it
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """A disk of its own, which servers come and go from."""

    id: str
    name: str
    state: VolumeState
    size: int  # GiB
    server: str = ""  # the provider's id of the server that has it
    device: str = ""  # what it is called there, such as /dev/vdb
    is_bound: bool = False  # it ends with the server that has it
    fault: str = ""  # the provider's own words when in error
    token: str = ""  # the wish that made it, if the cloud kept it
    created: datetime.datetime | None = None
    native: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How much of one resource a cloud allows and how much is taken."""

    resource: str  # instances, cores, ram, floating_ips, …
    limit: int | None  # None: unlimited
    used: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ServerSpec:
    """What a new server shall be: everything by the provider's own ids."""

    name: str
    image: str
    flavor: str
    key: str = ""
    networks: tuple[str, ...] = ()  # empty: the driver chooses sensibly
    security_groups: tuple[str, ...] = ()
    user_data: str = ""
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    floating_ip: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class VolumeSpec:
    """What a new volume shall be."""

    name: str
    size: int  # GiB
    server: str = ""  # the provider's id of a server that must be able to have it; empty: of any
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Console:
    """Where a server's screen can be seen, and until when."""

    url: str
    kind: str
