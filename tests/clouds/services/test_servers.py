"""Boots and changes as they are promised: names, quotas, roles, and sentences for what cannot be."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from cloudmesh.errors import Ambiguous, CloudmeshError, Conflict, Invalid, NotAllowed, NotFound, QuotaExceeded
from cloudmesh.types import ServerState
from clouds import services
from clouds.models import CloudAccount, Image, NameCounter, Server
from operations.models import Operation
from projects.models import Project, Quota
from tests import factories

pytestmark = pytest.mark.django_db


def names() -> list[str]:
    return list(Server.objects.order_by("created_at", "pk").values_list("name", flat=True))


def test_without_a_word_the_next_name_is_taken(account: CloudAccount, member: User, project: Project) -> None:
    shown = services.next_boot(actor=member, project=project, wanted={}).name
    services.boot_servers(actor=member, project=project)
    services.boot_servers(actor=member, project=project, count=2)
    assert names() == [shown, "gregor_2", "gregor_3"]


def test_names_in_use_are_passed_over(account: CloudAccount, member: User, project: Project) -> None:
    factories.make_server(account, member, "gregor_1")
    assert services.next_boot(actor=member, project=project, wanted={}).name == "gregor_2"


def test_a_hostlist_names_many(account: CloudAccount, member: User, project: Project) -> None:
    operation = services.boot_servers(actor=member, project=project, name="web[1-2],db")
    assert names() == ["web1", "web2", "db"]
    assert operation.is_batch
    assert operation.children.count() == 3


def test_one_name_for_many_is_numbered(account: CloudAccount, member: User, project: Project) -> None:
    services.boot_servers(actor=member, project=project, name="web", count=3)
    assert names() == ["web_1", "web_2", "web_3"]


@pytest.mark.parametrize("count", [0, -1, 1_000_000])
def test_impossible_counts_are_refused(account: CloudAccount, member: User, project: Project, count: int) -> None:
    with pytest.raises(Invalid, match="count must be between 1 and 1000"):
        services.boot_servers(actor=member, project=project, count=count)


@pytest.mark.parametrize("name", ["my server", "x" * 300, "größe", "-web", "a/b", "web;rm -rf", "\n"])
def test_impossible_names_are_refused(account: CloudAccount, member: User, project: Project, name: str) -> None:
    with pytest.raises(Invalid):
        services.boot_servers(actor=member, project=project, name=name)
    assert not Server.objects.exists()


def test_a_taken_name_is_refused(account: CloudAccount, member: User, project: Project) -> None:
    services.boot_servers(actor=member, project=project, name="web")
    with pytest.raises(Conflict, match="web"):
        services.boot_servers(actor=member, project=project, name="web")


@pytest.mark.parametrize(
    ("wanted", "near"), [({"image": "ubunut-24.04"}, "ubuntu-24.04"), ({"flavor": "m1.smal"}, "m1.small")]
)
def test_an_unknown_image_or_flavor_names_those_near(
    account: CloudAccount, member: User, project: Project, wanted: dict[str, str], near: str
) -> None:
    with pytest.raises(NotFound, match="Did you mean") as caught:
        services.boot_servers(actor=member, project=project, **wanted)
    assert near in caught.value.facts["near"]


def test_an_ambiguous_image_asks_for_the_id(account: CloudAccount, member: User, project: Project) -> None:
    Image.objects.create(account=account, provider_id="twin", name="ubuntu-24.04")
    with pytest.raises(Ambiguous, match="give the id"):
        services.boot_servers(actor=member, project=project, image="ubuntu-24.04")
    services.boot_servers(actor=member, project=project, image="twin")
    assert Server.objects.get().image == "twin"


def test_a_passed_quota_says_which_how_much_and_of_what(account: CloudAccount, member: User, project: Project) -> None:
    Quota.objects.filter(resource="instances").update(limit=2)
    services.boot_servers(actor=member, project=project)
    with pytest.raises(QuotaExceeded) as caught:
        services.boot_servers(actor=member, project=project, count=2)
    numbers = {"resource": "instances", "used": 1, "limit": 2, "wanted": 2, "left": 1}
    assert caught.value.facts == {**numbers, "where": "india", "whose": ""}
    assert Server.objects.count() == 1
    assert NameCounter.objects.get().next == 2


def test_a_stranger_boots_nothing_here(account: CloudAccount, stranger: User, project: Project) -> None:
    with pytest.raises(NotAllowed):
        services.boot_servers(actor=stranger, project=project)


def test_members_change_their_own_servers_and_leads_all(account: CloudAccount, member: User, lead: User) -> None:
    server = factories.make_server(account, lead)
    with pytest.raises(NotAllowed, match="somebody else's"):
        services.change_servers(actor=member, servers=[server], action="stop")
    own = factories.make_server(account, member)
    services.change_servers(actor=member, servers=[own], action="stop")
    assert services.change_servers(actor=lead, servers=[own], action="stop").owner == lead


def test_an_action_that_makes_no_sense_is_refused_with_the_reason(account: CloudAccount, member: User) -> None:
    server = factories.make_server(account, member, "web", state=ServerState.STOPPED)
    with pytest.raises(Conflict, match="web is stopped; stop needs it to be active"):
        services.change_servers(actor=member, servers=[server], action="stop")


def test_what_is_deleted_cannot_be_deleted_again(account: CloudAccount, member: User) -> None:
    server = factories.make_server(account, member, state=ServerState.DELETED)
    with pytest.raises(NotFound, match="deleted already"):
        services.delete_servers(actor=member, servers=[server])


def test_servers_are_found_by_name_id_hostlist_and_glob(account: CloudAccount, member: User) -> None:
    one, two, other = (factories.make_server(account, member, name) for name in ("web1", "web2", "db"))

    def found(*names: str) -> set[str]:
        return {s.name for s in services.find_servers(actor=member, names=names, permission="server.view")}

    assert found("web[1-2]") == found("web*") == {one.name, two.name}
    assert found(str(other.pk), "web1") == {"db", "web1"}
    with pytest.raises(NotFound, match="web1"):
        found("web3")


def test_nobody_finds_another_projects_server(account: CloudAccount, member: User, stranger: User) -> None:
    server = factories.make_server(account, member, "secret")
    for text in ("secret", "s*", str(server.pk)):
        with pytest.raises(NotFound):
            services.find_servers(actor=stranger, names=[text], permission="server.view")


@pytest.mark.django_db(transaction=True)
def test_boots_at_the_same_instant_get_different_names(account: CloudAccount, member: User, project: Project) -> None:
    _together(20, lambda: services.boot_servers(actor=member, project=project))
    assert sorted(names(), key=lambda name: int(name.partition("_")[2])) == [f"gregor_{n}" for n in range(1, 21)]


@pytest.mark.django_db(transaction=True)
def test_parallel_boots_never_pass_a_quota(account: CloudAccount, member: User, project: Project) -> None:
    Quota.objects.filter(resource="instances").update(limit=10)
    outcomes = _together(30, lambda: services.boot_servers(actor=member, project=project))
    refused = [outcome for outcome in outcomes if isinstance(outcome, QuotaExceeded)]
    assert (Server.objects.count(), len(refused)) == (10, 20)


@pytest.mark.django_db(transaction=True)
def test_wishes_reach_the_broker_only_after_their_commit(account: CloudAccount, member: User, project: Project) -> None:
    Quota.objects.filter(resource="instances").update(limit=0)
    with pytest.raises(QuotaExceeded):
        services.boot_servers(actor=member, project=project)
    assert not Operation.objects.filter(kind="server.create").exists()


def _together(times: int, wish: Any) -> list[Any]:
    def attempt(_: int) -> Any:
        try:
            return wish()
        except CloudmeshError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(attempt, range(times)))
