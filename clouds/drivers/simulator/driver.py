"""The simulated cloud as a cloud driver: translation only; the cloud itself is beside it."""

import contextlib
import datetime
import functools
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import ClassVar

from cloudmesh.errors import Busy, DriverError, Full, Gone, Refused, Rejected, Unreachable
from cloudmesh.types import (
    Console,
    Field,
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
from clouds.drivers import Abilities, Site
from clouds.drivers.simulator import console, images, keys, network, servers, shape, volumes
from clouds.drivers.simulator.faults import Fault
from clouds.drivers.simulator.gate import Gate
from clouds.drivers.simulator.storage import Storage
from clouds.drivers.simulator.world import USERNAME, CloudError, Desk, Row, World

NO_SCREEN = "A simulated server has no screen; its console log can be read."
ERRORS: Mapping[int, type[DriverError]] = {
    0: Unreachable,
    400: Rejected,
    401: Refused,
    403: Rejected,
    404: Gone,
    409: Rejected,
    413: Full,
    429: Busy,
    500: Busy,
    502: Busy,
    504: Busy,
}
STATES = {
    "BUILD": ServerState.BUILDING,
    "ACTIVE": ServerState.ACTIVE,
    "VERIFY_RESIZE": ServerState.ACTIVE,
    "SHUTOFF": ServerState.STOPPED,
    "PAUSED": ServerState.PAUSED,
    "SUSPENDED": ServerState.SUSPENDED,
    "SHELVED": ServerState.SHELVED,
    "ERROR": ServerState.ERROR,
    "DELETED": ServerState.DELETED,
}
TASKS = {
    "spawning": ServerState.BUILDING,
    "rebooting": ServerState.REBOOTING,
    "resizing": ServerState.RESIZING,
    "deleting": ServerState.DELETING,
    "powering-on": ServerState.CHANGING,
    "powering-off": ServerState.CHANGING,
    "suspending": ServerState.CHANGING,
    "resuming": ServerState.CHANGING,
    "pausing": ServerState.CHANGING,
    "unpausing": ServerState.CHANGING,
    "shelving": ServerState.CHANGING,
    "unshelving": ServerState.CHANGING,
}
IMAGE_STATES = {
    "active": ImageState.ACTIVE,
    "queued": ImageState.PENDING,
    "deprecated": ImageState.DEPRECATED,
    "deleted": ImageState.DELETED,
}


class Simulator(Storage):
    """See clouds.drivers."""

    label: ClassVar[str] = "Simulated cloud"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            name="world",
            label="World",
            default="india",
            help="The simulated cloud, made when first named: india, alamo, sierra or any other short name.",
        ),
        Field(name="username", label="User name", default=USERNAME, help="A new world has the one account 'demo'."),
        Field(
            name="password",
            label="Password",
            type="password",
            secret=True,
            help="That of the account 'demo' is 'demo'.",
        ),
    )
    abilities: ClassVar[Abilities] = Abilities(missing={"console": NO_SCREEN})

    def __init__(self, credential: Mapping[str, str], site: Site) -> None:
        super().__init__(credential, site)
        self._gate: Gate | None = None

    @contextlib.contextmanager
    def _request(self, kind: str, *, server: str = "", token: str = "") -> Iterator[tuple[Desk, Fault]]:
        """One request; what goes wrong in the world becomes one of `cloudmesh.errors`."""
        try:
            self._gate = self._gate or self._connect()
            with self._gate.request(kind, server=server, token=token) as (desk, fault):
                yield desk, fault
        except CloudError as error:
            raise ERRORS.get(error.status, Rejected)(error.words, **error.facts) from error
        except UnicodeError as error:
            raise Rejected("Some of this is no text that can be written down.") from error
        except (sqlite3.Error, OSError) as error:
            raise Busy(f"The simulated cloud {self.credential['world']} cannot use its file: {error}.") from error

    def _connect(self) -> Gate:
        world = World(self.site.state_dir, self.credential["world"], timeout=self.site.timeout)
        return Gate(world, self.credential["username"], self.credential["password"], timeout=self.site.timeout)

    # -- reading -------------------------------------------------------------------------------------------

    def check(self) -> str:
        with self._request("check") as (desk, _):
            return f"{self.credential['username']} in project {desk.project} of {desk.world}"

    def servers(self, since: datetime.datetime | None = None) -> Iterator[Server]:
        with self._request("servers") as (desk, _):
            rows = servers.listing(desk, since.timestamp() if since else None)
        return map(functools.partial(_to_server, desk.world), rows)

    def images(self) -> Iterator[Image]:
        with self._request("images") as (desk, _):
            found = list(images.listing(desk))
        return map(_to_image, found)

    def flavors(self) -> Iterator[Flavor]:
        return map(_to_flavor, self._items("flavors", "flavor"))

    def networks(self) -> Iterator[Network]:
        return map(_to_network, self._items("networks", "network"))

    def _items(self, kind: str, item: str) -> list[Json]:
        with self._request(kind) as (desk, _):
            return network.items(desk, item)

    def limits(self) -> Iterator[Limit]:
        with self._request("limits") as (desk, _):
            used = (
                servers.usage(desk)
                | volumes.usage(desk)
                | {
                    "floating_ips": len(network.addresses(desk)),
                    "keys": len(keys.listing(desk)),
                }
            )
            caps = network.quota(desk)
        return (Limit(resource=name, limit=cap, used=used.get(name, 0)) for name, cap in caps.items())

    def server(self, server_id: str) -> Server:
        with self._request("server", server=server_id) as (desk, _):
            return _to_server(desk.world, servers.get(desk, server_id))

    def find(self, token: str) -> Server | None:
        with self._request("find", token=token) as (desk, _):
            row = servers.find(desk, token)
            return _to_server(desk.world, row) if row else None

    # -- changing ------------------------------------------------------------------------------------------

    def create_server(self, spec: ServerSpec, *, token: str) -> Server:
        with self._request("create_server", token=token) as (desk, fault):
            row = servers.create(desk, spec, token=token, build_error=fault.build_error)
        return _to_server(desk.world, row)

    def act(self, server_id: str, action: str, *, value: str = "") -> None:
        with self._request(action, server=server_id) as (desk, _):
            if action == "rename":
                servers.rename(desk, server_id, value)
            else:
                servers.act(desk, server_id, action)

    def delete_server(self, server_id: str) -> None:
        with contextlib.suppress(Gone), self._request("delete_server", server=server_id) as (desk, _):
            servers.delete(desk, server_id)

    def label_server(self, server_id: str, labels: Mapping[str, str], *, remove: Iterable[str] = ()) -> None:
        with self._request("label_server", server=server_id) as (desk, _):
            shape.label(desk, server_id, labels, remove)

    def resize_server(self, server_id: str, flavor: str) -> None:
        with self._request("resize", server=server_id) as (desk, _):
            shape.resize(desk, server_id, flavor)

    def keep_size(self, server_id: str) -> bool:
        with self._request("keep_size", server=server_id) as (desk, _):
            return shape.keep_size(desk, server_id)

    def snapshot_server(self, server_id: str, name: str, *, token: str) -> Image:
        with self._request("snapshot", server=server_id, token=token) as (desk, _):
            return _to_image(shape.snapshot(desk, server_id, name, token))

    def image(self, image_id: str) -> Image:
        with self._request("image") as (desk, _):
            return _to_image(images.get(desk, image_id))

    def delete_image(self, image_id: str) -> None:
        with contextlib.suppress(Gone), self._request("delete_image") as (desk, _):
            images.delete(desk, image_id)

    # -- beside the server ---------------------------------------------------------------------------------

    def keys(self) -> Iterator[KeyPair]:
        with self._request("keys") as (desk, _):
            rows = keys.listing(desk)
        return map(_to_key, rows)

    def ensure_key(self, name: str, public_key: str) -> KeyPair:
        with self._request("ensure_key") as (desk, _):
            return _to_key(keys.put(desk, name, public_key))

    def delete_key(self, name: str) -> None:
        with self._request("delete_key") as (desk, _):
            keys.delete(desk, name)

    def security_groups(self) -> Iterator[SecurityGroup]:
        with self._request("security_groups") as (desk, _):
            found = network.groups(desk)
        return map(_to_group, found)

    def ensure_security_group(self, name: str, rules: Iterable[Rule]) -> SecurityGroup:
        with self._request("ensure_security_group") as (desk, _):
            return _to_group(network.put_group(desk, name, rules))

    def change_security_group(
        self, group_id: str, *, add: Iterable[Rule] = (), remove: Iterable[Rule] = ()
    ) -> SecurityGroup:
        with self._request("change_security_group") as (desk, _):
            return _to_group(network.change_group(desk, group_id, add, remove))

    def delete_security_group(self, group_id: str) -> None:
        with contextlib.suppress(Gone), self._request("delete_security_group") as (desk, _):
            network.delete_group(desk, group_id)

    def floating_ips(self) -> Iterator[FloatingIp]:
        with self._request("floating_ips") as (desk, _):
            rows = network.addresses(desk)
        return map(_to_address, rows)

    def reserve_floating_ip(self, *, token: str) -> FloatingIp:
        with self._request("reserve_floating_ip", token=token) as (desk, _):
            return _to_address(network.reserve(desk, token))

    def drop_floating_ip(self, floating_ip_id: str, *, is_used: bool = False) -> None:
        with contextlib.suppress(Gone), self._request("drop_floating_ip") as (desk, _):
            servers.drop_address(desk, floating_ip_id, is_used=is_used)

    def assign_floating_ip(self, server_id: str, *, address: str = "", but: Collection[str] = ()) -> FloatingIp:
        with self._request("assign_floating_ip", server=server_id) as (desk, _):
            return _to_address(servers.publish(desk, server_id, address, but))

    def unassign_floating_ip(self, server_id: str) -> None:
        with self._request("unassign_floating_ip", server=server_id) as (desk, _):
            servers.unpublish(desk, server_id, keep=True)

    def release_floating_ip(self, server_id: str) -> None:
        with self._request("release_floating_ip", server=server_id) as (desk, _):
            servers.unpublish(desk, server_id)

    def console(self, server_id: str) -> Console:
        raise Rejected(NO_SCREEN)

    def console_log(self, server_id: str, lines: int = 100) -> str:
        with self._request("console_log", server=server_id) as (desk, _):
            row = servers.get(desk, server_id)
        address = next(iter(_to_server(desk.world, row).addresses), "")
        return console.log(row, desk.now, lines, address=address)


# -- translation ---------------------------------------------------------------------------------------------


def _to_server(world: str, row: Row) -> Server:
    native = servers.document(row, world)
    public = (native["public_address"],) if native["public_address"] else ()
    fixed = tuple(address for port in native["ports"] for address in port["addresses"])
    status, task = native["status"], native["task"]
    return Server(
        id=native["id"],
        name=native["name"],
        state=TASKS.get(task, ServerState.UNKNOWN) if task else STATES.get(status, ServerState.UNKNOWN),
        addresses=fixed + public,
        public_addresses=public,
        image=native["image"]["id"],
        flavor=native["flavor"]["id"],
        key=native["key_name"],
        security_groups=tuple(native["security_groups"]),
        labels=native["metadata"],
        fault=native["fault"]["message"] if native["fault"] else "",
        token=native["token"],
        created=datetime.datetime.fromisoformat(native["created"]),
        native=native,
    )


def _to_image(native: Json) -> Image:
    return Image(
        id=native["id"],
        name=native["name"],
        state=IMAGE_STATES.get(native["status"], ImageState.UNKNOWN),
        min_disk=native["min_disk_gb"],
        min_ram=native["min_ram_mb"],
        size=native["size_bytes"],
        login=native["login"],
        own="owner" in native,
        created=datetime.datetime.fromisoformat(native["created"]),
        native=native,
    )


def _to_flavor(native: Json) -> Flavor:
    return Flavor(
        id=native["id"],
        name=native["name"],
        cores=native["vcpus"],
        ram=native["ram_mb"],
        disk=native["disk_gb"],
        native=native,
    )


def _to_network(native: Json) -> Network:
    return Network(
        id=native["id"],
        name=native["name"],
        external=native["external"],
        shared=native["shared"],
        usable=native["attachable"],
        subnets=tuple(filter(None, (native["cidr"], native["cidr6"]))),
        native=native,
    )


def _to_key(row: Row) -> KeyPair:
    return KeyPair(name=row["name"], fingerprint=row["fingerprint"], native=row)


def _to_group(native: Json) -> SecurityGroup:
    return SecurityGroup(
        id=native["id"], name=native["name"], rules=tuple(Rule(**rule) for rule in native["ingress"]), native=native
    )


def _to_address(row: Row) -> FloatingIp:
    return FloatingIp(id=row["id"], address=row["ip"], server=row["server"] or "", token=row["token"], native=row)
