"""What only a real OpenStack can show, in a new project of the one that `tests/live/openstack/up.sh` brings up.

Somebody outside the portal is played by openstacksdk.
"""

import concurrent.futures
import contextlib
import datetime
import pathlib
from collections.abc import Iterator
from typing import Any

import openstack as sdk
import pytest

from cloudmesh.errors import Busy, Full, Refused, Rejected
from cloudmesh.types import Json, Rule, Server, ServerState
from clouds.drivers.openstack import OpenStack
from clouds.drivers.openstack.connection import Cloud
from tests.live.clouds import Clouds, Person, unique, until

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")]  # of the SDK
Sdk = sdk.connection.Connection
SSH = Rule(protocol="tcp", first_port=22, last_port=22)


@pytest.fixture(scope="module")
def clouds(openstack: Clouds) -> Clouds:
    if not openstack.ours:
        pytest.skip("needs an administrator and flavors of its own: run tests/live/openstack/up.sh")
    return openstack


@pytest.fixture(scope="module")
def admin(clouds: Clouds) -> Sdk:
    return sdk.connect(load_yaml_config=False, load_envvars=False, **clouds.entries["admin"])


@contextlib.contextmanager
def newcomer(clouds: Clouds, admin: Sdk, folder: pathlib.Path) -> Iterator[Person]:
    """Somebody in a new project, with Nova's own quota of ten servers and no network."""
    name, password = unique("live"), unique("password")
    project = admin.identity.create_project(name=name, domain_id="default")
    user = admin.identity.create_user(name=name, domain_id="default", password=password)
    admin.identity.assign_project_role_to_user(project, user, admin.identity.find_role("member"))
    admin.set_compute_quotas(project.id, ram=-1)  # so that m1.impossible gets as far as to a host
    auth = {**clouds.entries["india"]["auth"], "username": name, "password": password, "project_name": name}
    person = Person({**clouds.entries["india"], "auth": auth}, folder)
    yield person
    person.clear()
    admin.identity.delete_user(user)
    admin.identity.delete_project(project)


@pytest.fixture(scope="module")
def member(clouds: Clouds, admin: Sdk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A newcomer with a network and a router to the outside."""
    public = admin.network.find_network("public")
    with newcomer(clouds, admin, tmp_path_factory.mktemp("state")) as person:
        neutron = person.outside.network
        first = network(person.outside, "first", "10.1.0.0/24")
        router = neutron.create_router(name="out", external_gateway_info={"network_id": public.id})
        neutron.add_interface_to_router(router, subnet_id=first.subnet_ids[0])
        yield person
        person.clear()
        for address in list(neutron.ips(project_id=first.project_id)):
            neutron.delete_ip(address)
        neutron.remove_interface_from_router(router, subnet_id=first.subnet_ids[0])
        neutron.delete_router(router)
        neutron.delete_network(first)


@pytest.fixture
def person(member: Person) -> Iterator[Person]:
    yield member
    member.clear()


def network(outside: Sdk, name: str, cidr: str) -> Any:
    made = outside.network.create_network(name=name)
    outside.network.create_subnet(name=name, network_id=made.id, ip_version=4, cidr=cidr)
    return outside.network.get_network(made.id)


def pages(person: Person, *query: tuple[str, str]) -> list[Json]:
    """All servers in pages of one."""
    return list(
        Cloud(person.credential, person.site).pages(
            "compute", "servers", "detail", key="servers", translate=lambda each: each, query=(("limit", "1"), *query)
        )
    )


# -- reading -------------------------------------------------------------------------------------------------------


def test_every_page_is_followed(person: Person) -> None:
    made = {person.boot().id for _ in range(3)}
    assert {native["id"] for native in pages(person)} == made
    assert {server.id for server in person.driver.servers()} == made
    assert {server.id for server in person.outside.compute.servers()} == made


def test_changes_tell_of_the_end_and_pages_go_on_over_it(person: Person) -> None:
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=2)
    made = [person.settled(person.boot()).id for _ in range(3)]
    for server_id in made[:2]:
        person.outside.compute.delete_server(server_id)
    until(lambda: len(list(person.driver.servers())) == 1)
    seen = {server.id: server.state for server in person.driver.servers(since=before)}
    assert [seen[server_id] for server_id in made] == [ServerState.DELETED, ServerState.DELETED, ServerState.ACTIVE]
    one_by_one = pages(person, ("changes-since", before.strftime("%Y-%m-%dT%H:%M:%SZ")))
    assert {native["id"] for native in one_by_one} >= set(made)


def test_a_change_made_outside_is_among_the_changes(person: Person) -> None:
    server = person.settled(person.boot())
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    person.outside.compute.update_server(server.id, name="renamed-outside")
    assert "renamed-outside" in {each.name for each in person.driver.servers(since=since)}


# -- the token -----------------------------------------------------------------------------------------------------


def test_another_process_adopts_what_was_made_when_the_answer_was_lost(person: Person) -> None:
    token = unique("wish")
    made = person.boot(token=token)  # and nobody heard of it
    found = OpenStack(person.credential, person.site).find(token)
    assert found is not None
    assert found.id == made.id


def test_a_server_that_was_deleted_outside_is_not_adopted(person: Person) -> None:
    token = unique("wish")
    server = person.settled(person.boot(token=token))
    person.outside.compute.delete_server(server.id)
    until(lambda: server.id not in {each.id for each in person.outside.compute.servers()})
    assert person.driver.find(token) is None


@pytest.mark.parametrize(
    ("flavor", "fault"), [("m1.impossible", "No valid host was found"), ("m1.broken", "m1.broken never boots")]
)
def test_a_failed_build_is_adopted_with_its_reason(person: Person, flavor: str, fault: str) -> None:
    token = unique("wish")
    server = person.settled(person.boot(flavor, token=token))
    assert server.state is ServerState.ERROR
    assert fault in server.fault
    found = person.driver.find(token)
    assert found is not None
    assert (found.id, found.state) == (server.id, ServerState.ERROR)


# -- refusals ------------------------------------------------------------------------------------------------------


def test_the_eleventh_server_is_one_too_many(person: Person) -> None:
    for _ in range(10):
        person.boot()
    with pytest.raises(Full, match="Quota exceeded for instances: Requested 1, but already used 10 of 10") as reason:
        person.boot()
    assert reason.value.facts.items() >= {"resource": "instances", "used": 10, "limit": 10}.items()
    limits = {limit.resource: limit for limit in person.driver.limits()}
    assert (limits["instances"].used, limits["instances"].limit) == (10, 10)


def test_a_reader_may_look_but_not_boot(clouds: Clouds, tmp_path: pathlib.Path) -> None:
    reader = Person(clouds.entries["india-reader"], tmp_path)
    assert list(reader.driver.flavors())
    with pytest.raises(Rejected, match="Policy doesn't allow os_compute_api:servers:create"):
        reader.boot()


def test_starting_what_runs_is_done_and_stopping_what_failed_is_refused(person: Person) -> None:
    running, failed = person.boot(), person.boot("m1.impossible")
    person.settled(running)
    person.settled(failed)
    person.driver.act(running.id, "start")
    with pytest.raises(Rejected, match="is not ready"):
        person.driver.act(failed.id, "stop")


def test_a_locked_server_says_so(person: Person) -> None:
    server = person.settled(person.boot())
    person.outside.compute.lock_server(server.id)
    with pytest.raises(Rejected, match="is locked"):
        person.driver.delete_server(server.id)
    person.outside.compute.unlock_server(server.id)


# -- login ---------------------------------------------------------------------------------------------------------


def test_an_application_credential_until_it_is_revoked(person: Person) -> None:
    user = person.outside.current_user_id
    made = person.outside.identity.create_application_credential(user, name=unique("portal"))
    credential = {
        "auth_url": person.credential["auth_url"],
        "application_credential_id": made.id,
        "application_credential_secret": made.secret,
    }
    driver = OpenStack(credential, person.site)
    assert person.credential["project_name"] in driver.check()
    assert list(driver.servers()) == []
    person.outside.identity.delete_application_credential(user, made)
    with pytest.raises(Refused):
        OpenStack(credential, person.site).check()


def test_a_token_that_was_revoked_is_renewed(person: Person) -> None:
    cloud = Cloud(person.credential, person.site)
    token = cloud._headers(None)["X-Auth-Token"]  # that Neutron never saw: it remembers for minutes that one was good
    person.outside.session.delete(f"{person.credential['auth_url']}/auth/tokens", headers={"X-Subject-Token": token})
    assert cloud.ask("GET", "network", "networks")
    assert cloud._headers(None)["X-Auth-Token"] != token


# -- networks ------------------------------------------------------------------------------------------------------


def test_two_servers_that_want_the_one_unused_address_get_two(person: Person) -> None:
    servers = [person.settled(person.boot()) for _ in range(2)]
    outside = person.outside.network.find_network("public")
    unused = person.outside.network.create_ip(floating_network_id=outside.id).floating_ip_address

    def assign(server: Server) -> str:
        driver = OpenStack(person.credential, person.site)

        def attempt() -> str | None:
            with contextlib.suppress(Busy):  # the other one is at it
                return driver.assign_floating_ip(server.id).address
            return None

        return until(attempt)

    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        given = list(threads.map(assign, servers))
    holders = {each.address: each.server for each in person.driver.floating_ips()}
    assert holders == {given[0]: servers[0].id, given[1]: servers[1].id}
    assert unused in holders


def test_several_networks_are_no_obstacle(person: Person) -> None:
    second = network(person.outside, "second", "10.2.0.0/24")
    server = person.settled(person.boot())
    assert server.addresses[0].startswith("10.1.")
    named = person.settled(person.boot(networks=(second.id,)))
    assert named.addresses[0].startswith("10.2.")
    person.clear()
    person.outside.network.delete_network(second)


def test_a_project_without_a_network_is_told_in_words(clouds: Clouds, admin: Sdk, tmp_path: pathlib.Path) -> None:
    refused = pytest.raises(Rejected, match="Unable to automatically allocate a network")
    with newcomer(clouds, admin, tmp_path) as lonely, refused:
        lonely.boot()


def test_a_group_that_four_workers_want_at_once_is_made_once(person: Person) -> None:
    name = unique("group")
    drivers = [OpenStack(person.credential, person.site) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda driver: driver.ensure_security_group(name, [SSH]), drivers))
    known = [group for group in person.driver.security_groups() if group.name == name]
    assert len(known) == 1
    assert {group.id for group in made} == {known[0].id}
    assert known[0].rules == (SSH,)
    person.outside.network.delete_security_group(known[0].id)
