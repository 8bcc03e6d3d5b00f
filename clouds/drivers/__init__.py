"""What every cloud driver promises.

A driver is plain Python: no Django, no records, no settings, no other driver. It is cheap to make, keeps no
state of its own and never waits for a cloud to finish something: it asks once and says what it learned. One
instance is used by one thread at a time; its maker may keep it for later calls, so that logins are reused.

Every failure is one of `cloudmesh.errors`: Busy (ask again), Unreachable (nothing was sent), Refused, Gone,
Full, Rejected. The provider's own words are the message. Names a provider does not know map to UNKNOWN.
"""

import abc
import dataclasses
import datetime
import pathlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import ClassVar

from cloudmesh.types import (
    Console,
    Field,
    Flavor,
    FloatingIp,
    Image,
    KeyPair,
    Limit,
    Network,
    Rule,
    SecurityGroup,
    Server,
    ServerSpec,
    Volume,
    VolumeSpec,
)

ACTIONS = ("start", "stop", "reboot", "delete", "suspend", "resume", "pause", "unpause", "shelve", "unshelve", "rename")
EXTRAS = (
    "keys",
    "security_groups",
    "networks",
    "floating_ips",
    "console",
    "console_log",
    "limits",
    "changes",
    "volumes",
    "labels",
    "resize",
    "snapshots",
)
ALL = frozenset(ACTIONS + EXTRAS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """What the portal lends to every driver: where it runs and what it may reach.

    `guard` is called with each address (an IP as text) before a connection to it is made, and raises
    `Rejected` where the account may not go there.
    """

    state_dir: pathlib.Path
    guard: Callable[[str], None]
    timeout: float = 20.0  # seconds for one request


class Abilities(Mapping[str, bool]):
    """What a driver can do; each thing it cannot do has its reason.

    >>> able = Abilities(missing={"suspend": "EC2 cannot suspend."})
    >>> able["start"], able["suspend"], able.reason("suspend")
    (True, False, 'EC2 cannot suspend.')
    """

    def __init__(self, missing: Mapping[str, str]) -> None:
        unknown = set(missing) - ALL
        if unknown:
            raise ValueError(f"no such ability: {sorted(unknown)}")
        self.missing = dict(missing)

    def __getitem__(self, name: str) -> bool:
        if name not in ALL:
            raise KeyError(name)
        return name not in self.missing

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(ALL))

    def __len__(self) -> int:
        return len(ALL)

    def reason(self, name: str) -> str:
        return self.missing.get(name, "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Labelling:
    """Which labels a provider keeps; it is asked for no others."""

    most: int = 120  # on one server, room left for what the portal and the driver write themselves
    key: int = 255  # characters
    value: int = 255
    signs: str = ""  # what a key may have beside letters and digits; empty: anything
    reserved: tuple[str, ...] = ()  # how keys begin that only the provider may write


class CloudDriver(abc.ABC):
    """One cloud, seen with one credential."""

    label: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    abilities: ClassVar[Abilities]
    labelling: ClassVar[Labelling] = Labelling()
    resizes_stopped: ClassVar[bool] = False  # a server must be stopped to be resized

    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        self.credential = credential
        self.site = site

    def lacking(self) -> Mapping[str, str]:
        """What this very cloud cannot do though its kind can: abilities with their reasons."""
        return {}

    # -- reading -------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def check(self) -> str:
        """Log in and say in a few words as whom; raises Refused or Unreachable."""

    @abc.abstractmethod
    def servers(self, since: datetime.datetime | None = None) -> Iterator[Server]:
        """All servers of the account, following every page; with `since`, those changed after it.

        Where `abilities["changes"]`, the answer to `since` includes deleted servers, as DELETED.
        """

    @abc.abstractmethod
    def images(self) -> Iterator[Image]:
        """The images this account can boot from."""

    @abc.abstractmethod
    def flavors(self) -> Iterator[Flavor]:
        """The sizes this account can choose."""

    @abc.abstractmethod
    def networks(self) -> Iterator[Network]:
        """The networks this account can see."""

    @abc.abstractmethod
    def limits(self) -> Iterator[Limit]:
        """The provider's own quotas, at least instances, cores and ram (MiB)."""

    @abc.abstractmethod
    def server(self, server_id: str) -> Server:
        """One server as it is now; raises Gone."""

    @abc.abstractmethod
    def find(self, token: str) -> Server | None:
        """The server that an earlier create with this token made, if any."""

    # -- changing ------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def create_server(self, spec: ServerSpec, *, token: str) -> Server:
        """Ask for a server that carries `token`; answers at once, usually with BUILDING."""

    @abc.abstractmethod
    def act(self, server_id: str, action: str, *, value: str = "") -> None:
        """Do one of ACTIONS but delete; `value` is the new name of a rename. Raises Gone, Rejected."""

    @abc.abstractmethod
    def delete_server(self, server_id: str) -> None:
        """Ask for the end of a server; one that is already gone is no error."""

    @abc.abstractmethod
    def label_server(self, server_id: str, labels: Mapping[str, str], *, remove: Iterable[str] = ()) -> None:
        """Have these labels on a server and those keys not; others stay. Idempotent. Raises Gone, Rejected."""

    @abc.abstractmethod
    def resize_server(self, server_id: str, flavor: str) -> None:
        """Ask for another flavor, by its id; of a stopped server where `resizes_stopped`. Raises Gone, Rejected."""

    @abc.abstractmethod
    def keep_size(self, server_id: str) -> bool:
        """Have a resize that came through be for good; True once the cloud waits for nothing more. Idempotent."""

    # -- images of servers ---------------------------------------------------------------------------------

    @abc.abstractmethod
    def snapshot_server(self, server_id: str, name: str, *, token: str) -> Image:
        """Ask for an image of a server that carries `token`, or answer the one that does; usually PENDING.

        The server goes on running.
        """

    @abc.abstractmethod
    def image(self, image_id: str) -> Image:
        """One image as it is now, whatever its state; raises Gone."""

    @abc.abstractmethod
    def delete_image(self, image_id: str) -> None:
        """Delete an image of the account's own; one that is already gone is no error. Raises Rejected."""

    # -- beside the server -----------------------------------------------------------------------------------

    @abc.abstractmethod
    def keys(self) -> Iterator[KeyPair]:
        """The public keys that this account has at the cloud."""

    @abc.abstractmethod
    def ensure_key(self, name: str, public_key: str) -> KeyPair:
        """Have `public_key` at the cloud under `name`; a different key of that name raises Rejected."""

    @abc.abstractmethod
    def delete_key(self, name: str) -> None:
        """Remove a key; one that is already gone is no error."""

    @abc.abstractmethod
    def security_groups(self) -> Iterator[SecurityGroup]:
        """The security groups of the account with their ingress rules."""

    @abc.abstractmethod
    def ensure_security_group(self, name: str, rules: Iterable[Rule]) -> SecurityGroup:
        """Have a group of that name with at least these rules."""

    @abc.abstractmethod
    def change_security_group(
        self, group_id: str, *, add: Iterable[Rule] = (), remove: Iterable[Rule] = ()
    ) -> SecurityGroup:
        """Have these rules in a group and those not; answers it as it is then. Idempotent. Raises Gone."""

    @abc.abstractmethod
    def delete_security_group(self, group_id: str) -> None:
        """Remove a group that no server uses, else Rejected; one that is already gone is no error."""

    @abc.abstractmethod
    def floating_ips(self) -> Iterator[FloatingIp]:
        """The public addresses the account holds."""

    @abc.abstractmethod
    def reserve_floating_ip(self, *, token: str) -> FloatingIp:
        """Have a public address more, which carries `token`; a second time answers the first one."""

    @abc.abstractmethod
    def drop_floating_ip(self, floating_ip_id: str, *, is_used: bool = False) -> None:
        """Give an address back; while a server has it only where `is_used`, else Rejected. Idempotent."""

    @abc.abstractmethod
    def assign_floating_ip(self, server_id: str, *, address: str = "", but: Collection[str] = ()) -> FloatingIp:
        """Give the server this public address; where none is said the one it has, an unused one, or a new one.

        Unused ones among `but` are somebody's, and are left alone. Idempotent. Raises Gone, Rejected.
        """

    @abc.abstractmethod
    def unassign_floating_ip(self, server_id: str) -> None:
        """Take the server's public addresses off it; the account keeps them. Idempotent."""

    @abc.abstractmethod
    def release_floating_ip(self, server_id: str) -> None:
        """Take the server's public addresses and give them back. Idempotent."""

    @abc.abstractmethod
    def console(self, server_id: str) -> Console:
        """A URL where the screen can be seen."""

    @abc.abstractmethod
    def console_log(self, server_id: str, lines: int = 100) -> str:
        """The last lines that the server wrote to its console."""

    # -- volumes -------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def volumes(self) -> Iterator[Volume]:
        """All volumes of the account, following every page."""

    @abc.abstractmethod
    def volume(self, volume_id: str) -> Volume:
        """One volume as it is now; raises Gone."""

    @abc.abstractmethod
    def find_volume(self, token: str) -> Volume | None:
        """The volume that an earlier create with this token made, if any."""

    @abc.abstractmethod
    def create_volume(self, spec: VolumeSpec, *, token: str) -> Volume:
        """Ask for a volume that carries `token`; answers at once, usually with CREATING."""

    @abc.abstractmethod
    def attach_volume(self, volume_id: str, server_id: str, *, device: str = "") -> None:
        """Ask that the server gets the volume; no `device` leaves its name to the cloud. Idempotent."""

    @abc.abstractmethod
    def detach_volume(self, volume_id: str) -> None:
        """Ask that no server has the volume. Idempotent."""

    @abc.abstractmethod
    def delete_volume(self, volume_id: str) -> None:
        """Ask for the end of a volume that no server has; one that is already gone is no error."""
