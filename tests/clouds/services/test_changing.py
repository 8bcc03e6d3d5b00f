"""Another name for a cloud: who may give it, what follows, and what stands in its way."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.models import User
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, Invalid, NotAllowed
from clouds import services
from clouds.models import Cloud, CloudAccount, Default
from projects.models import Effect, Policy, PolicyState, Project
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared(account: CloudAccount) -> CloudAccount:
    """The same cloud, for the whole portal."""
    Cloud.objects.filter(pk=account.cloud_id).update(owner_project=None)
    return CloudAccount.objects.get(pk=account.pk)


def cloud_of(user: User, project: Project) -> str:
    return next(row.value for row in services.defaults_in_force(actor=user, project=project) if row.key == "cloud")


def forbid(service: str) -> None:
    policy = Policy(name="closed", service=service, effect=Effect.DENY, state=PolicyState.APPROVED)
    lifecycle.begin([policy])


def test_a_renamed_cloud_is_known_by_its_new_name_only(account: CloudAccount, member: User, project: Project) -> None:
    services.rename_account(actor=member, account=account, name="bloomington")
    assert str(CloudAccount.objects.get()) == "bloomington"
    assert CloudAccount.objects.get().cloud.label == "bloomington"
    assert services.next_boot(actor=member, project=project, wanted={}).choice.account == account


def test_a_description_of_its_own_stays(account: CloudAccount, member: User) -> None:
    services.update_account(actor=member, account=account, label="In the cellar", name="bloomington")
    services.rename_account(actor=member, account=account, name="cellar")
    assert Cloud.objects.get().label == "In the cellar"


def test_defaults_follow_whoever_set_them_and_others_stay(
    account: CloudAccount, member: User, lead: User, project: Project, stranger: User
) -> None:
    elsewhere = factories.make_project(lead=stranger)
    factories.make_account(elsewhere, stranger)
    for user, where in ((member, project), (lead, project), (stranger, elsewhere)):
        services.set_default(actor=user, project=where, key="cloud", value="india")
    services.set_default(actor=member, project=project, key="image", value="debian-12", cloud="india")
    services.rename_account(actor=member, account=account, name="bloomington")
    assert [cloud_of(member, project), cloud_of(lead, project)] == ["bloomington", "bloomington"]
    assert cloud_of(stranger, elsewhere) == "india"
    boot = services.next_boot(actor=member, project=project, wanted={})
    assert (boot.choice.image.name, boot.choice.sources["cloud"], boot.choice.sources["image"]) == (
        "debian-12", "own", "own",
    )  # fmt: skip


def test_open_pages_hear_of_the_cloud_its_servers_and_the_defaults(account: CloudAccount, member: User) -> None:
    before = account.version
    services.rename_account(actor=member, account=account, name="bloomington")
    told = Event.objects.order_by("-pk").values_list("kind", "verb", "topic", "actor_name")[:3]
    topic = f"project:{account.project_id}"
    assert set(told) == {
        ("cloud", "renamed", topic, "gregor"),
        ("server", "synced", topic, "gregor"),
        ("default", "set", topic, "gregor"),
    }
    assert account.version == before + 1


@pytest.mark.parametrize("name", ["", "Bloomington", "a b", "x" * 41, "münchen", "-x", "a\n"])
def test_impossible_names_are_refused(account: CloudAccount, member: User, name: str) -> None:
    with pytest.raises(Invalid, match="cannot be a cloud's name"):
        services.rename_account(actor=member, account=account, name=name)


def test_a_project_has_each_name_once(account: CloudAccount, member: User, project: Project) -> None:
    factories.make_account(project, member, "sierra", world="india")
    with pytest.raises(Conflict, match="fg101 has a cloud named sierra already"):
        services.rename_account(actor=member, account=account, name="sierra")
    assert str(account) == "india"


def test_its_own_name_is_no_change(account: CloudAccount, member: User) -> None:
    before = Event.objects.count()
    services.rename_account(actor=member, account=account, name="india")
    assert Event.objects.count() == before


def test_who_may_not_manage_it_may_not_rename_it(world: object, project: Project, lead: User, member: User) -> None:
    account = factories.make_account(project, lead)
    with pytest.raises(NotAllowed):
        services.rename_account(actor=member, account=account, name="mine")


def test_what_all_share_is_named_by_administrators(shared: CloudAccount, member: User, admin: User) -> None:
    Default.objects.create(key="cloud", value="india")
    with pytest.raises(NotAllowed, match="administrators"):
        services.rename_account(actor=member, account=shared, name="bloomington")
    services.rename_account(actor=admin, account=shared, name="bloomington")
    assert Default.objects.get().value == "bloomington"


@pytest.mark.parametrize("service", ["cloud:india", "cloud:sierra,blooming*"])
def test_no_name_slips_out_of_a_policy_or_into_one(account: CloudAccount, member: User, service: str) -> None:
    forbid(service)
    with pytest.raises(Conflict, match="policy closed is about"):
        services.rename_account(actor=member, account=account, name="bloomington")


@pytest.mark.parametrize("service", ["cloud:*", "cloud:india,bloomington", "cloud:sierra"])
def test_a_policy_about_both_names_or_none_is_in_no_way(account: CloudAccount, member: User, service: str) -> None:
    forbid(service)
    services.rename_account(actor=member, account=account, name="bloomington")
    assert str(account) == "bloomington"


@pytest.mark.django_db(transaction=True)
def test_of_two_renames_at_once_defaults_follow_the_last(account: CloudAccount, member: User, project: Project) -> None:
    services.set_default(actor=member, project=project, key="cloud", value="india")

    def rename(name: str) -> None:
        try:
            services.rename_account(actor=member, account=CloudAccount.objects.get(pk=account.pk), name=name)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(rename, ["one", "two"]))
    assert cloud_of(member, project) == Cloud.objects.get().name
