"""OpenStack as a cloud driver."""

import contextlib
import datetime
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from cloudmesh.errors import Busy, Gone, Rejected
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
    ServerState,
)
from clouds.drivers import Abilities, Labelling
from clouds.drivers.openstack import addresses, groups, network, records, shape, volumes
from clouds.drivers.openstack.failures import understood
from clouds.drivers.openstack.volumes import Volumes

if TYPE_CHECKING:
    from clouds.drivers.openstack.connection import Cloud

CONFLICT = 409
TAGGED_AT_BIRTH = (2, 52)  # from this microversion on a server is made with its tags
CONSOLES_OF_THEIR_OWN = (2, 6)  # before, they were actions
ACTIONS: Mapping[str, Json] = {
    "start": {"os-start": None},
    "stop": {"os-stop": None},
    "reboot": {"reboot": {"type": "SOFT"}},
    "suspend": {"suspend": None},
    "resume": {"resume": None},
    "pause": {"pause": None},
    "unpause": {"unpause": None},
    "shelve": {"shelve": None},
    "unshelve": {"unshelve": None},
}
GOALS: Mapping[str, ServerState] = {
    "start": ServerState.ACTIVE,
    "stop": ServerState.STOPPED,
    "suspend": ServerState.SUSPENDED,
    "resume": ServerState.ACTIVE,
    "pause": ServerState.PAUSED,
    "unpause": ServerState.ACTIVE,
    "shelve": ServerState.SHELVED,
    "unshelve": ServerState.ACTIVE,
}
CONSOLES = (
    ("vnc", "novnc", "os-getVNCConsole"),
    ("spice", "spice-html5", "os-getSPICEConsole"),
    ("serial", "serial", "os-getSerialConsole"),
)
ENDED = (ServerState.DELETING, ServerState.DELETED)
NOT_BOOTABLE = ("aki", "ari")  # kernels and initial disks beside an image


class OpenStack(Volumes):
    """See clouds.drivers."""

    label: ClassVar[str] = "OpenStack"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            name="auth_url",
            label="Identity URL",
            type="url",
            help="Of Keystone, such as https://cloud.example.org:5000/v3.",
        ),
        Field(name="username", label="User name", required=False, help="Or an application credential below."),
        Field(name="password", label="Password", type="password", required=False, secret=True),
        Field(name="user_domain_name", label="User's domain", required=False, default="Default"),
        Field(name="project_name", label="Project", required=False),
        Field(name="project_domain_name", label="Project's domain", required=False, default="Default"),
        Field(
            name="application_credential_id",
            label="Application credential ID",
            required=False,
            help="Instead of user, password and project; made in Horizon under Identity.",
        ),
        Field(
            name="application_credential_secret",
            label="Application credential secret",
            type="password",
            required=False,
            secret=True,
        ),
        Field(name="region_name", label="Region", required=False, help="Where the cloud has several."),
        Field(
            name="interface",
            label="Interface",
            type="choice",
            required=False,
            default="public",
            choices=("public", "internal", "admin"),
            help="Which endpoints of the catalog to use.",
        ),
        Field(
            name="cacert",
            label="CA certificate",
            type="file",
            required=False,
            help="PEM, if an authority of its own signs the cloud's certificates.",
        ),
        Field(
            name="verify",
            label="Verify certificates",
            type="boolean",
            required=False,
            default="true",
            help="Switch off only for a trial: anyone on the way could read the password.",
        ),
        Field(name="project_id", label="Project ID", required=False, help="Instead of the project's name."),
        Field(name="user_domain_id", label="User's domain ID", required=False, help="Instead of its name."),
        Field(name="project_domain_id", label="Project's domain ID", required=False, help="Instead of its name."),
    )
    abilities: ClassVar[Abilities] = Abilities(missing={})
    labelling: ClassVar[Labelling] = Labelling(signs="-_:. ")

    @functools.cached_property
    def _cloud(self) -> "Cloud":
        from clouds.drivers.openstack.connection import Cloud  # brings keystoneauth, 0.2 s

        return Cloud(self.credential, self.site)

    # -- reading -------------------------------------------------------------------------------------------

    def check(self) -> str:
        user, project = self._cloud.whoami()
        if self._cloud.project and not self._cloud.offers("compute"):
            raise Rejected(
                f"Keystone accepts {user}, but its catalog has no compute service for this region and interface.",
                field="region_name",
            )
        return f"{user} in project {project}"

    def servers(self, since: datetime.datetime | None = None) -> Iterator[Server]:
        if since is None:
            return self._servers()
        return self._servers(("changes-since", since.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))

    def _servers(self, *query: tuple[str, str]) -> Iterator[Server]:
        return self._cloud.pages("compute", "servers", "detail", key="servers", translate=records.server, query=query)

    def images(self) -> Iterator[Image]:
        for image in shape.images(self._cloud):
            foreign = image.native.get("visibility") == "private" and not image.own
            if not foreign and image.native.get("container_format") not in NOT_BOOTABLE:
                yield image

    def flavors(self) -> Iterator[Flavor]:
        return self._cloud.pages("compute", "flavors", "detail", key="flavors", translate=records.flavor)

    def networks(self) -> Iterator[Network]:
        return network.told(self._cloud)

    def limits(self) -> Iterator[Limit]:
        yield from self._cloud.read("compute", "limits", key="limits", translate=records.limits)
        with contextlib.suppress(Gone, Rejected):  # an older Neutron tells only administrators
            yield from network.limits(self._cloud)
        with contextlib.suppress(Gone, Rejected):
            yield from volumes.limits(self._cloud)

    def server(self, server_id: str) -> Server:
        return self._cloud.read("compute", "servers", server_id, key="server", translate=records.server)

    def find(self, token: str) -> Server | None:
        """See clouds.drivers. A create that Nova has not yet written down, its answer lost, may be missed."""
        tagged = self._cloud.microversion >= TAGGED_AT_BIRTH
        seen = self._servers(("tags", records.tag(token))) if tagged else self._servers()
        alive = (server for server in seen if server.token == token and server.state not in ENDED)
        return min(alive, key=lambda server: (str(server.created), server.id), default=None)

    # -- changing ------------------------------------------------------------------------------------------

    def create_server(self, spec: ServerSpec, *, token: str) -> Server:
        wish = records.asked(spec, token)
        if self._cloud.microversion >= TAGGED_AT_BIRTH:
            wish["tags"] = [records.tag(token)]
        wish |= network.attachment(self._cloud, spec.networks)
        accepted = self._cloud.ask("POST", "compute", "servers", body={"server": wish})
        with understood("compute"):
            return records.promised(spec, token, accepted["server"])

    def act(self, server_id: str, action: str, *, value: str = "") -> None:
        if action == "rename":
            self._cloud.ask("PUT", "compute", "servers", server_id, body={"server": {"name": value}}, plain=True)
            return
        try:
            self._do(server_id, ACTIONS[action])
        except (Busy, Rejected) as reason:
            if reason.facts.get("code") != CONFLICT:
                raise
            self._settle(server_id, action, reason)

    def _settle(self, server_id: str, action: str, reason: Busy | Rejected) -> None:
        """What a conflict means: done by an earlier attempt of ours, to be asked again, or never possible."""
        state = self.server(server_id).state
        if state is not GOALS.get(action):
            raise (Rejected if state.is_settled else Busy)(reason.message, **reason.facts) from reason

    def _do(self, server_id: str, action: Json) -> Json:
        return self._cloud.ask("POST", "compute", "servers", server_id, "action", body=action, plain=True)

    def delete_server(self, server_id: str) -> None:
        with contextlib.suppress(Gone):
            self._cloud.ask("DELETE", "compute", "servers", server_id, plain=True)

    def label_server(self, server_id: str, labels: Mapping[str, str], *, remove: Iterable[str] = ()) -> None:
        shape.label(self._cloud, server_id, labels, remove)

    def resize_server(self, server_id: str, flavor: str) -> None:
        shape.resize(self._cloud, server_id, flavor)

    def keep_size(self, server_id: str) -> bool:
        return shape.keep_size(self._cloud, server_id)

    def snapshot_server(self, server_id: str, name: str, *, token: str) -> Image:
        return shape.snapshot(self._cloud, server_id, name, token)

    def image(self, image_id: str) -> Image:
        return shape.image(self._cloud, image_id)

    def delete_image(self, image_id: str) -> None:
        shape.delete_image(self._cloud, image_id)

    # -- beside the server -----------------------------------------------------------------------------------

    def keys(self) -> Iterator[KeyPair]:
        return self._cloud.pages("compute", "os-keypairs", key="keypairs", translate=records.listed_key)

    def ensure_key(self, name: str, public_key: str) -> KeyPair:
        with contextlib.suppress(Gone):
            return records.same_key(self._key(name), public_key)
        wish = {"keypair": {"name": name, "public_key": public_key}}
        try:
            made = self._cloud.ask("POST", "compute", "os-keypairs", body=wish, plain=True)
        except Rejected as reason:
            if reason.facts.get("code") != CONFLICT:
                raise
            return records.same_key(self._key(name), public_key)  # someone was quicker
        with understood("compute"):
            return records.key(made["keypair"])

    def _key(self, name: str) -> KeyPair:
        return self._cloud.read("compute", "os-keypairs", name, key="keypair", translate=records.key)

    def delete_key(self, name: str) -> None:
        with contextlib.suppress(Gone):
            self._cloud.ask("DELETE", "compute", "os-keypairs", name, plain=True)

    def security_groups(self) -> Iterator[SecurityGroup]:
        return groups.listing(self._cloud)

    def ensure_security_group(self, name: str, rules: Iterable[Rule]) -> SecurityGroup:
        return groups.ensure(self._cloud, name, rules)

    def change_security_group(
        self, group_id: str, *, add: Iterable[Rule] = (), remove: Iterable[Rule] = ()
    ) -> SecurityGroup:
        return groups.change(self._cloud, group_id, add, remove)

    def delete_security_group(self, group_id: str) -> None:
        groups.delete(self._cloud, group_id)

    def floating_ips(self) -> Iterator[FloatingIp]:
        return addresses.listing(self._cloud)

    def reserve_floating_ip(self, *, token: str) -> FloatingIp:
        return addresses.reserve(self._cloud, token)

    def drop_floating_ip(self, floating_ip_id: str, *, is_used: bool = False) -> None:
        addresses.drop(self._cloud, floating_ip_id, is_used=is_used)

    def assign_floating_ip(self, server_id: str, *, address: str = "", but: Collection[str] = ()) -> FloatingIp:
        return addresses.assign(self._cloud, self.server(server_id), address, but)

    def unassign_floating_ip(self, server_id: str) -> None:
        addresses.unassign(self._cloud, server_id)

    def release_floating_ip(self, server_id: str) -> None:
        addresses.release(self._cloud, server_id)

    def console(self, server_id: str) -> Console:
        modern = self._cloud.microversion >= CONSOLES_OF_THEIR_OWN
        refusals = []
        for protocol, kind, older in CONSOLES:
            try:
                answer = (
                    self._open_console(server_id, protocol, kind)
                    if modern
                    else self._do(server_id, {older: {"type": kind}})
                )
            except Rejected as reason:  # this cloud has another kind of screen
                refusals.append(reason)
                continue
            with understood("compute"):
                return Console(url=answer["remote_console" if modern else "console"]["url"], kind=kind)
        raise refusals[0]

    def _open_console(self, server_id: str, protocol: str, kind: str) -> Json:
        wish = {"remote_console": {"protocol": protocol, "type": kind}}
        return self._cloud.ask("POST", "compute", "servers", server_id, "remote-consoles", body=wish)

    def console_log(self, server_id: str, lines: int = 100) -> str:
        return str(self._do(server_id, {"os-getConsoleOutput": {"length": lines}}).get("output") or "")
