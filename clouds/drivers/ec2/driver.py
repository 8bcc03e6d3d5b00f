"""EC2 as a cloud driver."""

import contextlib
import datetime
import functools
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from cloudmesh.errors import Gone, Rejected
from cloudmesh.types import (
    Console,
    Field,
    Flavor,
    FloatingIp,
    Image,
    Json,
    KeyPair,
    Limit,
    Network,
    Rule,
    SecurityGroup,
    Server,
    ServerSpec,
)
from clouds.drivers import Abilities, Labelling
from clouds.drivers.ec2 import addresses, images, keys, placement, records, shape
from clouds.drivers.ec2.connection import connect
from clouds.drivers.ec2.failures import tolerated, translated
from clouds.drivers.ec2.volumes import Volumes

T = TypeVar("T")
LIVING = {"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopping", "stopped"]}
RUNNING = {"Name": "instance-state-name", "Values": ["pending", "running"]}
PAGE = {"describe_instance_types": 100}  # what EC2 allows where it is not 1000
LONGEST_CLIENT_TOKEN = 64  # of ASCII, just as long as a SHA-256
LONGEST_TAG_VALUE = 256
NO_HIBERNATION = "EC2 hibernates only servers that were made for it."
NO_PAUSE = "EC2 cannot pause a server; stop it."
NO_SHELF = "EC2 cannot shelve a server; stop it."


class Ec2(Volumes):
    """See clouds.drivers."""

    label: ClassVar[str] = "Amazon EC2 and compatible"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="access_key_id", label="Access key ID", help="Of an IAM user made for the portal, AKIA…"),
        Field(name="secret_access_key", label="Secret access key", type="password", secret=True),
        Field(name="region", label="Region", default="us-east-1", help="Such as eu-central-1."),
        Field(
            name="endpoint_url",
            label="Endpoint URL",
            type="url",
            required=False,
            help="Only for clouds other than Amazon's, such as https://compute.cloud.example.org:8773/.",
        ),
        Field(
            name="ca_bundle",
            label="CA bundle",
            type="file",
            required=False,
            help="PEM, if an authority of its own signs the endpoint's certificate.",
        ),
        Field(
            name="image_owners",
            label="Image owners",
            required=False,
            help="Account ids whose public images are offered beside your own, with commas between them. "
            "Empty: current Amazon Linux, Debian and Ubuntu.",
        ),
    )
    abilities: ClassVar[Abilities] = Abilities(
        missing={
            "suspend": NO_HIBERNATION,
            "resume": NO_HIBERNATION,
            "pause": NO_PAUSE,
            "unpause": NO_PAUSE,
            "shelve": NO_SHELF,
            "unshelve": NO_SHELF,
            "console": "EC2 has no screen behind a URL; its console log can be read.",
            "changes": "EC2 cannot say what changed since a time.",
        }
    )

    labelling: ClassVar[Labelling] = Labelling(most=45, key=128, value=256, reserved=("aws:",))
    resizes_stopped: ClassVar[bool] = True

    @functools.cached_property
    def _ec2(self) -> Any:
        return connect(self.credential, self.site)

    # -- reading -------------------------------------------------------------------------------------------

    def check(self) -> str:
        with translated():
            groups = self._ec2.describe_security_groups(MaxResults=5)["SecurityGroups"]
            account = f"account {groups[0]['OwnerId']}" if groups else "an account without security groups"
        return f"{self.credential['access_key_id']} of {account} in {self._ec2.meta.region_name}"

    def servers(self, since: datetime.datetime | None = None) -> Iterator[Server]:
        found = self._each("describe_instances", "Reservations", records.servers, Filters=[LIVING])
        return itertools.chain.from_iterable(found)

    def images(self) -> Iterator[Image]:
        with translated():
            yield from images.offered(self._ec2, self.credential.get("image_owners", ""))

    def flavors(self) -> Iterator[Flavor]:
        return self._each("describe_instance_types", "InstanceTypes", records.flavor)

    def networks(self) -> Iterator[Network]:
        return self._each("describe_subnets", "Subnets", records.network)

    def limits(self) -> Iterator[Limit]:
        """How much runs. Cores and RAM have no limit that EC2 tells: its quotas are vCPUs by family, elsewhere."""
        caps = self._account_attributes()
        servers = self._each("describe_instances", "Reservations", records.servers, Filters=[RUNNING])
        running = Counter(server.flavor for server in itertools.chain.from_iterable(servers))
        sizes = [(flavor, running[flavor.id]) for flavor in self._flavors(running)]
        yield Limit(resource="instances", limit=caps.get("max-instances"), used=running.total())
        yield Limit(resource="cores", limit=None, used=sum(flavor.cores * count for flavor, count in sizes))
        yield Limit(resource="ram", limit=None, used=sum(flavor.ram * count for flavor, count in sizes))
        cap = caps.get("vpc-max-elastic-ips", caps.get("max-elastic-ips"))
        yield Limit(resource="floating_ips", limit=cap, used=len(addresses.of_account(self._ec2)))
        held = [volume.size for volume in self.volumes()]
        yield Limit(resource="volumes", limit=None, used=len(held))
        yield Limit(resource="disk", limit=None, used=sum(held))

    def server(self, server_id: str) -> Server:
        for server in self._some(InstanceIds=[server_id]):
            if server.state.is_gone:
                raise Gone(f"The server {server_id} was terminated. {server.fault}".strip())
            return server
        raise Gone(f"There is no server {server_id}.")

    def find(self, token: str) -> Server | None:
        wish = {"Name": f"tag:{records.TOKEN}", "Values": [_tag_value(token)]}
        found = self._some(Filters=[wish, LIVING])
        return next((server for server in found if server.token == _tag_value(token)), None)

    # -- changing ------------------------------------------------------------------------------------------

    def create_server(self, spec: ServerSpec, *, token: str) -> Server:
        tags = records.tags({**spec.labels, "Name": spec.name, records.TOKEN: _tag_value(token)})
        wish = {
            "ImageId": spec.image,
            "InstanceType": spec.flavor,
            "KeyName": spec.key,
            "UserData": spec.user_data,
            "ClientToken": _client_token(token),
            "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}],
        }
        wish = {name: value for name, value in wish.items() if value} | placement.attachment(self._ec2, spec)
        with translated():
            (server,) = records.servers(self._ec2.run_instances(MinCount=1, MaxCount=1, **wish))
        return server if server.token else self._tagged(server, tags)

    def act(self, server_id: str, action: str, *, value: str = "") -> None:
        if reason := self.abilities.reason(action):
            raise Rejected(reason)
        with translated():
            match action:
                case "start":
                    self._ec2.start_instances(InstanceIds=[server_id])
                case "stop":
                    self._ec2.stop_instances(InstanceIds=[server_id])
                case "reboot":
                    self._ec2.reboot_instances(InstanceIds=[server_id])
                case "rename":
                    self._ec2.create_tags(Resources=[server_id], Tags=records.tags({"Name": value}))
                case _:
                    raise Rejected(f"EC2 has no action {action}.")

    def delete_server(self, server_id: str) -> None:
        with contextlib.suppress(Gone), translated():
            self._ec2.terminate_instances(InstanceIds=[server_id])

    def label_server(self, server_id: str, labels: Mapping[str, str], *, remove: Iterable[str] = ()) -> None:
        self.server(server_id)  # some clouds tag what is not there
        shape.label(self._ec2, server_id, labels, remove)

    def resize_server(self, server_id: str, flavor: str) -> None:
        shape.resize(self._ec2, server_id, flavor)

    def keep_size(self, server_id: str) -> bool:
        return True  # EC2 asks nobody

    def snapshot_server(self, server_id: str, name: str, *, token: str) -> Image:
        return shape.snapshot(self._ec2, server_id, name, _tag_value(token))

    def image(self, image_id: str) -> Image:
        return images.one(self._ec2, image_id)

    def delete_image(self, image_id: str) -> None:
        images.delete(self._ec2, image_id)

    # -- beside the server -----------------------------------------------------------------------------------

    def keys(self) -> Iterator[KeyPair]:
        with translated():
            return iter([records.key(native) for native in self._ec2.describe_key_pairs()["KeyPairs"]])

    def ensure_key(self, name: str, public_key: str) -> KeyPair:
        return records.key(keys.ensure(self._ec2, name, public_key))

    def delete_key(self, name: str) -> None:
        with tolerated("InvalidKeyPair.NotFound"):
            self._ec2.delete_key_pair(KeyName=name)

    def security_groups(self) -> Iterator[SecurityGroup]:
        return self._each("describe_security_groups", "SecurityGroups", records.security_group)

    def ensure_security_group(self, name: str, rules: Iterable[Rule]) -> SecurityGroup:
        return records.security_group(placement.ensure_group(self._ec2, name, rules))

    def change_security_group(
        self, group_id: str, *, add: Iterable[Rule] = (), remove: Iterable[Rule] = ()
    ) -> SecurityGroup:
        return records.security_group(placement.change_group(self._ec2, group_id, add, remove))

    def delete_security_group(self, group_id: str) -> None:
        placement.delete_group(self._ec2, group_id)

    def floating_ips(self) -> Iterator[FloatingIp]:
        return map(records.floating_ip, addresses.of_account(self._ec2))

    def reserve_floating_ip(self, *, token: str) -> FloatingIp:
        return records.floating_ip(addresses.reserve(self._ec2, _tag_value(token)))

    def drop_floating_ip(self, floating_ip_id: str, *, is_used: bool = False) -> None:
        addresses.drop(self._ec2, floating_ip_id, is_used=is_used)

    def assign_floating_ip(self, server_id: str, *, address: str = "", but: Collection[str] = ()) -> FloatingIp:
        return records.floating_ip(addresses.assign(self._ec2, server_id, address, but))

    def unassign_floating_ip(self, server_id: str) -> None:
        addresses.unassign(self._ec2, server_id)

    def release_floating_ip(self, server_id: str) -> None:
        addresses.release(self._ec2, server_id)

    def console(self, server_id: str) -> Console:
        raise Rejected(self.abilities.reason("console"))

    def console_log(self, server_id: str, lines: int = 100) -> str:
        with translated():
            text = self._ec2.get_console_output(InstanceId=server_id).get("Output", "")
        return "\n".join(text.splitlines()[-lines:])

    # -- asking ----------------------------------------------------------------------------------------------

    def _each(self, operation: str, kind: str, read: Callable[[Json], T], **wanted: Any) -> Iterator[T]:
        """What all pages of an answer hold, read."""
        pages = self._ec2.get_paginator(operation)
        with translated():
            for page in pages.paginate(PaginationConfig={"PageSize": PAGE.get(operation, 1000)}, **wanted):
                yield from map(read, page[kind])

    def _some(self, **wanted: Any) -> list[Server]:
        with translated():
            found = self._ec2.describe_instances(**wanted)["Reservations"]
            return [server for reservation in found for server in records.servers(reservation)]

    def _flavors(self, names: Iterable[str]) -> Iterator[Flavor]:
        """Those of these names; EC2 takes 200 of them at once, and more are hardly in use."""
        wanted = {"Name": "instance-type", "Values": sorted(names)[:200]}
        if not wanted["Values"]:
            return iter(())
        found = self._each("describe_instance_types", "InstanceTypes", records.flavor, Filters=[wanted])
        return (flavor for flavor in found if flavor.id in names)

    def _account_attributes(self) -> dict[str, int]:
        """The caps that hold. Amazon still tells a `max-instances`, and says that it means nothing any more."""
        with translated():
            attributes = self._ec2.describe_account_attributes()["AccountAttributes"]
            told = {each["AttributeName"]: each["AttributeValues"][0]["AttributeValue"] for each in attributes}
        if not self.credential.get("endpoint_url"):
            told.pop("max-instances", None)
        return {name: int(value) for name, value in told.items() if value.isdigit()}

    def _tagged(self, server: Server, tags: list[dict[str, str]]) -> Server:
        """For clouds that make a server without the tags it was asked with."""
        with translated():
            self._ec2.create_tags(Resources=[server.id], Tags=tags)
        return self.server(server.id)


def _client_token(token: str) -> str:
    fits = token.isascii() and len(token) <= LONGEST_CLIENT_TOKEN
    return token if fits else _digest(token)


def _tag_value(token: str) -> str:
    return token if len(token) <= LONGEST_TAG_VALUE else _digest(token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
