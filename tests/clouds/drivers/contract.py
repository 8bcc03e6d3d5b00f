"""What every cloud driver must do, whoever wrote it.

Subclass `CloudContract`, name the driver, and give it credentials of a cloud: the simulator in `make test`, real
clouds in `tests/live`. It needs room for five of the smallest servers and removes what it makes, but for one
security group (`cloudmesh-contract`), since drivers delete none.
"""

import base64
import concurrent.futures
import contextlib
import dataclasses
import datetime
import functools
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from cloudmesh.errors import CloudmeshError, Gone, Refused, Rejected, Unreachable
from cloudmesh.types import Flavor, Image, ImageState, Rule, Server, ServerSpec, ServerState
from clouds.drivers import ACTIONS, CloudDriver, Site
from tests.clouds.drivers.shape_contract import ShapeContract
from tests.clouds.drivers.volume_contract import VolumeContract, unique

GROUP = "cloudmesh-contract"
SSH = Rule(protocol="tcp", first_port=22, last_port=22)
PORTS = range(20_000, 20_040)  # few, since the group stays, and clouds limit its rules
THERE_AND_BACK = [
    ("stop", ServerState.STOPPED, "start"),
    ("pause", ServerState.PAUSED, "unpause"),
    ("suspend", ServerState.SUSPENDED, "resume"),
    ("shelve", ServerState.SHELVED, "unshelve"),
]
Connect = Callable[[], CloudDriver]
Specify = Callable[..., ServerSpec]
Boot = Callable[..., Server]


def public_key() -> str:
    """A key that nobody has the private half of."""
    kind = b"ssh-ed25519"
    blob = len(kind).to_bytes(4, "big") + kind + (32).to_bytes(4, "big") + secrets.token_bytes(32)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} contract@cloudmesh"


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def forbid(address: str) -> None:
    raise Rejected(f"{address} is out of bounds.")


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(Rejected) as caught:
        call()
    return caught.value.message


class CloudContract(VolumeContract, ShapeContract):
    """See the module; override what the cloud in question needs."""

    driver_class: ClassVar[type[CloudDriver]]
    image_name: ClassVar[str] = ""  # empty: the first that fits the smallest flavor
    flavor_name: ClassVar[str] = ""
    networks: ClassVar[tuple[str, ...]] = ()  # by name, where the driver's own choice would not do
    unknown_image: ClassVar[str] = VolumeContract.unknown_id
    unknown_flavor: ClassVar[str] = VolumeContract.unknown_id

    # -- what a subclass gives -----------------------------------------------------------------------------

    @pytest.fixture(scope="class")
    @classmethod
    def credential(cls) -> Mapping[str, str]:
        raise LookupError("A contract needs the fixture `credential`: one that the cloud accepts.")

    @pytest.fixture(scope="class")
    @classmethod
    def wrong_credential(cls) -> Mapping[str, str]:
        raise LookupError("A contract needs the fixture `wrong_credential`: one that the cloud refuses.")

    @pytest.fixture(scope="class")
    @classmethod
    def unreachable(cls) -> CloudDriver:
        raise LookupError("A contract needs the fixture `unreachable`: a driver whose cloud is not there.")

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, tmp_path_factory: pytest.TempPathFactory) -> Site:
        return Site(state_dir=tmp_path_factory.mktemp("state"), guard=lambda address: None)

    # -- what the tests use --------------------------------------------------------------------------------

    @pytest.fixture(scope="class")
    @classmethod
    def connect(cls, credential: Mapping[str, str], site: Site) -> Connect:
        return lambda: cls.driver_class(credential, site)

    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls, connect: Connect) -> CloudDriver:
        return connect()

    @pytest.fixture(scope="class")
    @classmethod
    def flavor(cls, driver: CloudDriver) -> Flavor:
        flavors = [flavor for flavor in driver.flavors() if cls.flavor_name in ("", flavor.name)]
        return min(flavors, key=lambda flavor: (flavor.ram, flavor.disk, flavor.cores))

    @pytest.fixture(scope="class")
    @classmethod
    def image(cls, driver: CloudDriver, flavor: Flavor) -> Image:
        return next(
            image
            for image in driver.images()
            if cls.image_name in ("", image.name)
            and image.state is ImageState.ACTIVE
            and (image.min_ram <= flavor.ram and image.min_disk <= flavor.disk)
        )

    @pytest.fixture(scope="class")
    @classmethod
    def key(cls, driver: CloudDriver) -> Iterator[str]:
        name = unique("contract-key") if driver.abilities["keys"] else ""
        if name:
            driver.ensure_key(name, public_key())
        yield name
        if name:
            driver.delete_key(name)

    @pytest.fixture(scope="class")
    @classmethod
    def group(cls, driver: CloudDriver) -> str:
        able = driver.abilities["security_groups"]
        return driver.ensure_security_group(GROUP, [SSH]).name if able else ""

    @pytest.fixture(scope="class")
    @classmethod
    def spec(cls, driver: CloudDriver, image: Image, flavor: Flavor, key: str, group: str) -> Specify:
        wanted = tuple(network.id for network in driver.networks() if network.name in cls.networks)
        likeness = ServerSpec(
            name="",
            image=image.id,
            flavor=flavor.id,
            key=key,
            networks=wanted,
            security_groups=(group,) if group else (),
            user_data="#cloud-config\n",
            labels={"made-by": "contract"},
        )
        return lambda **changes: dataclasses.replace(likeness, **{"name": unique(), **changes})

    @pytest.fixture(scope="class")
    @classmethod
    def boot(cls, connect: Connect, spec: Specify) -> Iterator[Boot]:
        """Boot servers that are deleted in the end, whatever happens to them."""
        driver, made = connect(), []

        def boot(*, token: str = "", **changes: Any) -> Server:
            made.append(driver.create_server(spec(**changes), token=token or unique("wish")))
            return made[-1]

        yield boot
        for server in made:
            with contextlib.suppress(Rejected, Gone):  # no address to release
                driver.release_floating_ip(server.id)
            driver.delete_server(server.id)
        for server in made:
            cls.gone(driver, server.id)

    @pytest.fixture(scope="class")
    @classmethod
    def token(cls) -> str:
        return unique("wish")

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, driver: CloudDriver, boot: Boot, token: str) -> Server:
        """One server that all tests share; each leaves it ACTIVE and with its name."""
        return cls.settled(driver, boot(token=token).id, ServerState.ACTIVE)

    @classmethod
    def settled(cls, driver: CloudDriver, server_id: str, state: ServerState) -> Server:
        def look() -> Server | None:
            server = driver.server(server_id)
            assert server.state is not ServerState.ERROR, server.fault
            return server if server.state is state else None

        found: Server = cls.until(look, f"{server_id} {state}")
        return found

    @classmethod
    def gone(cls, driver: CloudDriver, server_id: str) -> None:
        def look() -> bool:
            try:
                return driver.server(server_id).state.is_gone
            except Gone:
                return True

        cls.until(look, f"the end of {server_id}")

    # -- login ---------------------------------------------------------------------------------------------

    def test_a_good_credential_says_as_whom(self, driver: CloudDriver, credential: Mapping[str, str]) -> None:
        said = driver.check()
        assert said.strip()
        assert not [name for name in self.secrets(credential) if name in said]

    def test_a_wrong_credential_is_refused_without_its_secret(
        self, wrong_credential: Mapping[str, str], site: Site
    ) -> None:
        with pytest.raises(Refused) as refusal:
            self.driver_class(wrong_credential, site).check()
        assert refusal.value.message.strip()
        assert not [secret for secret in self.secrets(wrong_credential) if secret in refusal.value.message]

    def test_a_cloud_that_is_not_there_is_unreachable(self, unreachable: CloudDriver) -> None:
        with pytest.raises(Unreachable, match=r"\w"):
            unreachable.check()

    def test_the_guard_is_asked_before_a_connection(self, credential: Mapping[str, str], site: Site) -> None:
        if not any(field.type == "url" for field in self.driver_class.fields):
            pytest.skip("This driver connects to nothing.")
        with pytest.raises(Rejected, match="out of bounds"):
            self.driver_class(credential, dataclasses.replace(site, guard=forbid)).check()

    @classmethod
    def secrets(cls, credential: Mapping[str, str]) -> list[str]:
        """The secret values long enough to be recognised in a text."""
        named = [field.name for field in cls.driver_class.fields if field.secret]
        return [credential[name] for name in named if len(credential.get(name, "")) > 5]

    # -- inventory -----------------------------------------------------------------------------------------

    def test_images_are_well_formed(self, driver: CloudDriver) -> None:
        images = list(driver.images())
        assert images
        assert len({image.id for image in images}) == len(images)
        assert all(image.id and image.native and json.dumps(dict(image.native)) for image in images)
        assert all(image.min_disk >= 0 and image.min_ram >= 0 and image.size >= 0 for image in images)
        assert all(image.created is None or image.created.tzinfo for image in images)

    def test_flavors_are_well_formed(self, driver: CloudDriver) -> None:
        flavors = list(driver.flavors())
        assert flavors
        assert len({flavor.id for flavor in flavors}) == len(flavors)
        assert all(flavor.id and flavor.name and json.dumps(dict(flavor.native)) for flavor in flavors)
        assert all(flavor.cores > 0 and flavor.ram > 0 and flavor.disk >= 0 for flavor in flavors)

    def test_networks_are_well_formed(self, driver: CloudDriver) -> None:
        networks = list(driver.networks())
        assert bool(networks) or not driver.abilities["networks"]
        assert len({network.id for network in networks}) == len(networks)
        assert all(network.id and json.dumps(dict(network.native)) for network in networks)

    def test_limits_tell_instances_cores_and_ram(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["limits"]:
            pytest.skip(driver.abilities.reason("limits"))
        limits = {limit.resource: limit for limit in driver.limits()}
        assert limits.keys() >= {"instances", "cores", "ram"}
        assert min(limits[name].used for name in ("instances", "cores", "ram")) >= 1, server.name
        assert all(limit.limit is None or limit.limit >= 0 for limit in limits.values())

    # -- servers -------------------------------------------------------------------------------------------

    def test_a_server_becomes_what_was_asked(
        self, driver: CloudDriver, server: Server, image: Image, flavor: Flavor, key: str, token: str
    ) -> None:
        seen = self.until(lambda: (found := driver.server(server.id)).addresses and found, "an address")
        assert seen.state is ServerState.ACTIVE
        assert seen.name == server.name
        assert (seen.image, seen.key, seen.token) == (image.id, key, token)
        assert seen.flavor in (flavor.id, flavor.name)
        assert seen.created is not None
        assert abs(now() - seen.created) < datetime.timedelta(hours=1)

    def test_a_server_has_its_security_groups(self, driver: CloudDriver, server: Server, group: str) -> None:
        assert not group or group in driver.server(server.id).security_groups

    def test_the_list_shows_it_as_the_single_look_does(self, driver: CloudDriver, server: Server) -> None:
        listed = next(seen for seen in driver.servers() if seen.id == server.id)
        assert (listed.name, listed.state, listed.token) == (server.name, ServerState.ACTIVE, server.token)
        assert listed.addresses == driver.server(server.id).addresses
        assert listed.native
        assert json.dumps(dict(listed.native))

    def test_the_native_document_stays_while_nothing_happens(self, driver: CloudDriver, server: Server) -> None:
        """Else each sync would write every row again."""
        first, second = ([seen for seen in driver.servers() if seen.id == server.id] for _ in range(2))
        assert first == second

    def test_a_second_attempt_finds_the_first_by_its_token(self, connect: Connect, server: Server, token: str) -> None:
        found = connect().find(token)
        assert found is not None
        assert found.id == server.id

    def test_a_token_is_found_at_once(self, driver: CloudDriver, boot: Boot) -> None:
        made = boot(token=(wish := unique("wish")))
        found = driver.find(wish)
        assert found is not None
        assert (found.id, found.token) == (made.id, wish)

    def test_an_unknown_token_finds_nothing(self, driver: CloudDriver, server: Server) -> None:
        assert driver.find(unique("wish")) is None, server.name

    def test_a_server_that_is_not_there_is_gone(self, driver: CloudDriver) -> None:
        with pytest.raises(Gone, match=r"\w"):
            driver.server(self.unknown_id)

    @pytest.mark.parametrize("action", ["reboot", "stop"])
    def test_an_action_on_nothing_is_gone(self, driver: CloudDriver, action: str) -> None:
        if not driver.abilities[action]:
            pytest.skip(driver.abilities.reason(action))
        with pytest.raises(Gone, match=r"\w"):
            driver.act(self.unknown_id, action)

    def test_an_unknown_image_is_refused_in_words(self, driver: CloudDriver, spec: Specify) -> None:
        with pytest.raises((Rejected, Gone), match=r"\w"):
            driver.create_server(spec(image=self.unknown_image), token=unique("wish"))

    def test_an_unknown_flavor_is_refused_in_words(self, driver: CloudDriver, spec: Specify) -> None:
        with pytest.raises((Rejected, Gone), match=r"\w"):
            driver.create_server(spec(flavor=self.unknown_flavor), token=unique("wish"))

    def test_an_unknown_key_is_refused_in_words(self, driver: CloudDriver, spec: Specify) -> None:
        if not driver.abilities["keys"]:
            pytest.skip(driver.abilities.reason("keys"))
        with pytest.raises((Rejected, Gone), match=r"\w"):
            driver.create_server(spec(key=unique("no-key")), token=unique("wish"))

    def test_a_deleted_server_is_gone_and_found_no_more(self, driver: CloudDriver, boot: Boot) -> None:
        doomed = boot(token=(wish := unique("wish")))
        self.settled(driver, doomed.id, ServerState.ACTIVE)
        driver.delete_server(doomed.id)
        self.gone(driver, doomed.id)
        assert driver.find(wish) is None
        assert not [seen for seen in driver.servers() if seen.id == doomed.id and not seen.state.is_gone]

    def test_deleting_what_is_gone_is_no_error(self, driver: CloudDriver, boot: Boot) -> None:
        doomed = boot()
        driver.delete_server(doomed.id)
        driver.delete_server(doomed.id)
        self.gone(driver, doomed.id)
        driver.delete_server(doomed.id)
        driver.delete_server(self.unknown_id)
        assert doomed.id not in {seen.id for seen in driver.servers() if not seen.state.is_gone}

    # -- changes -------------------------------------------------------------------------------------------

    def test_changes_tell_of_birth_change_and_end(self, driver: CloudDriver, boot: Boot) -> None:
        before = now() - datetime.timedelta(seconds=5)
        made = boot()

        def change(state: ServerState, name: str) -> bool:
            seen = {each.id: each for each in driver.servers(since=before)}.get(made.id)
            return seen is not None and (seen.state, seen.name) == (state, name)

        self.until(lambda: change(ServerState.ACTIVE, made.name), "the birth among the changes")
        if driver.abilities["rename"]:
            driver.act(made.id, "rename", value=f"{made.name}-new")
            self.until(lambda: change(ServerState.ACTIVE, f"{made.name}-new"), "the new name among the changes")
        name = driver.server(made.id).name
        driver.delete_server(made.id)
        self.gone(driver, made.id)
        if driver.abilities["changes"]:
            self.until(lambda: change(ServerState.DELETED, name), "the end among the changes")
        assert not change(ServerState.ACTIVE, name)

    def test_what_did_not_change_is_not_among_the_changes(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["changes"]:
            pytest.skip(driver.abilities.reason("changes"))
        self.until(lambda: server.id not in {seen.id for seen in driver.servers(since=now())}, "silence")
        assert server.id in {seen.id for seen in driver.servers()}

    # -- actions -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(("there", "state", "back"), THERE_AND_BACK)
    def test_there_and_back(
        self, driver: CloudDriver, server: Server, there: str, state: ServerState, back: str
    ) -> None:
        if not (driver.abilities[there] and driver.abilities[back]):
            pytest.skip(driver.abilities.reason(there) or driver.abilities.reason(back))
        driver.act(server.id, there)
        assert self.settled(driver, server.id, state).state is state
        driver.act(server.id, back)
        assert self.settled(driver, server.id, ServerState.ACTIVE).name == server.name

    def test_reboot_ends_active(self, driver: CloudDriver, server: Server) -> None:
        driver.act(server.id, "reboot")
        assert self.settled(driver, server.id, ServerState.ACTIVE).id == server.id

    def test_rename(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["rename"]:
            pytest.skip(driver.abilities.reason("rename"))
        driver.act(server.id, "rename", value=(name := unique()))
        assert driver.server(server.id).name == name
        driver.act(server.id, "rename", value=server.name)
        assert driver.server(server.id).name == server.name

    def test_what_is_absent_is_rejected_with_its_reason(self, driver: CloudDriver, server: Server) -> None:
        calls: dict[str, Callable[[], object]] = {
            **{action: functools.partial(driver.act, server.id, action, value="new") for action in ACTIONS},
            "delete": lambda: driver.delete_server(server.id),
            "keys": lambda: driver.ensure_key("contract", public_key()),
            "security_groups": lambda: driver.ensure_security_group(GROUP, [SSH]),
            "floating_ips": lambda: driver.assign_floating_ip(server.id),
            "console": lambda: driver.console(server.id),
            "console_log": lambda: driver.console_log(server.id),
            "volumes": lambda: driver.delete_volume(server.id),
            "labels": lambda: driver.label_server(server.id, {"stage": "trial"}),
            "resize": lambda: driver.resize_server(server.id, server.flavor),
            "snapshots": lambda: driver.snapshot_server(server.id, "contract", token="wish"),
        }
        absent = [name for name in calls if not driver.abilities[name]]
        assert {name: refusal(calls[name]) for name in absent} == {
            name: driver.abilities.reason(name) for name in absent
        }

    # -- beside the server ---------------------------------------------------------------------------------

    def test_a_key_is_ensured_once(self, driver: CloudDriver) -> None:
        if not driver.abilities["keys"]:
            pytest.skip(driver.abilities.reason("keys"))
        name, text = unique("contract-key"), public_key()
        try:
            first = driver.ensure_key(name, text)
            assert driver.ensure_key(name, text).fingerprint == first.fingerprint
            assert [key.name for key in list(driver.keys())].count(name) == 1
            with pytest.raises(Rejected, match=name):
                driver.ensure_key(name, public_key())
        finally:
            driver.delete_key(name)
        driver.delete_key(name)
        assert name not in {key.name for key in list(driver.keys())}

    def test_what_is_no_key_is_rejected(self, driver: CloudDriver) -> None:
        if not driver.abilities["keys"]:
            pytest.skip(driver.abilities.reason("keys"))
        with pytest.raises(Rejected, match=r"\w"):
            driver.ensure_key(unique("no-key"), "this is no key")

    def test_a_security_group_gets_the_rules_it_misses(self, driver: CloudDriver) -> None:
        if not driver.abilities["security_groups"]:
            pytest.skip(driver.abilities.reason("security_groups"))
        port = secrets.choice(PORTS)
        new = Rule(protocol="tcp", first_port=port, last_port=port, cidr="192.0.2.0/24")
        first = driver.ensure_security_group(GROUP, [SSH])
        second = driver.ensure_security_group(GROUP, [SSH, new])
        assert first.id == second.id == driver.ensure_security_group(GROUP, [SSH, new]).id
        assert {SSH, new} <= set(second.rules)
        groups = [group for group in driver.security_groups() if group.name == GROUP]
        assert len(groups) == 1
        assert [groups[0].rules.count(rule) for rule in (SSH, new)] == [1, 1]

    def test_a_floating_ip_comes_and_goes(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["floating_ips"]:
            pytest.skip(driver.abilities.reason("floating_ips"))
        given = driver.assign_floating_ip(server.id)
        assert driver.assign_floating_ip(server.id).address == given.address
        assert [ip.server for ip in driver.floating_ips() if ip.address == given.address] == [server.id]
        self.until(lambda: given.address in driver.server(server.id).public_addresses, "the public address")
        driver.release_floating_ip(server.id)
        driver.release_floating_ip(server.id)
        self.until(lambda: given.address not in driver.server(server.id).addresses, "the end of the public address")
        assert given.address not in {ip.address for ip in driver.floating_ips()}

    def test_a_console_has_a_url(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["console"]:
            pytest.skip(driver.abilities.reason("console"))
        console = driver.console(server.id)
        assert console.url.startswith(("https://", "http://", "wss://", "ws://"))
        assert console.kind

    def test_the_console_log_is_as_long_as_asked(self, driver: CloudDriver, server: Server) -> None:
        if not driver.abilities["console_log"]:
            pytest.skip(driver.abilities.reason("console_log"))
        assert isinstance(driver.console_log(server.id), str)
        assert len(driver.console_log(server.id, lines=2).splitlines()) <= 2

    # -- at once -------------------------------------------------------------------------------------------

    def test_two_threads_with_two_drivers_do_not_mix(self, connect: Connect, boot: Boot, spec: Specify) -> None:
        def live(wish: str) -> tuple[str, str]:
            driver = connect()
            made = driver.create_server(spec(), token=wish)
            try:
                self.settled(driver, made.id, ServerState.ACTIVE)
                found = driver.find(wish)
            finally:
                driver.delete_server(made.id)
                self.gone(driver, made.id)
            return made.id, found.id if found else ""

        wishes = [unique("wish"), unique("wish")]
        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            lives = list(threads.map(live, wishes))
        assert all(made == found for made, found in lives)
        assert lives[0] != lives[1]

    def test_every_failure_is_one_of_ours(self, driver: CloudDriver) -> None:
        """Ids that no cloud would give, as a user may type them."""
        for odd in ("no such id", "../../etc/passwd", "ü" * 300):
            with pytest.raises(CloudmeshError, match=r"\w"):
                driver.server(odd)
