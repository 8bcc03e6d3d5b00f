"""Limits of projects and of their members, also when many ask at the same instant."""

import uuid
from typing import Any

import pytest

from accounts.models import User
from activity.models import Event
from cloudmesh.errors import CloudmeshError, Conflict, Invalid, NotAllowed, NotFound, QuotaExceeded
from clouds import services as clouds
from clouds.models import CloudAccount, Server
from projects import quota, services
from projects.models import Project, Quota
from tests.factories import at_once, make_account, make_servers, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(account: CloudAccount) -> CloudAccount:
    """Without the cloud's own limits."""
    Quota.objects.all().delete()
    return account


def limit(
    project: Project, most: int, *, scope: str = "", user: User | None = None, resource: str = "instances"
) -> None:
    Quota.objects.create(project=project, scope=scope, user=user, resource=resource, limit=most)


def boot(actor: User, account: CloudAccount, **wanted: Any) -> Any:
    return clouds.boot_servers(actor=actor, project=account.project, cloud=account.cloud.name, **wanted)


def test_a_members_share_stops_that_member_alone(account: CloudAccount, member: User, lead: User) -> None:
    limit(account.project, 3, user=member)
    boot(lead, account, count=5)
    boot(member, account, count=2)
    with pytest.raises(QuotaExceeded, match="share of instances that gregor has of fg101 would be passed: 2 of 3"):
        boot(member, account, count=2)
    boot(lead, account)


def test_a_quota_of_the_whole_project_counts_all_its_clouds(account: CloudAccount, member: User) -> None:
    sierra = make_account(account.project, member, "sierra")
    Quota.objects.all().delete()
    limit(account.project, 4)
    make_servers(account, member, 2)
    make_servers(sierra, member, 2)
    with pytest.raises(QuotaExceeded) as caught:
        boot(member, account)
    assert caught.value.facts == {
        "resource": "instances",
        "used": 4,
        "limit": 4,
        "wanted": 1,
        "left": 0,
        "where": "",
        "whose": "",
    }
    assert "of the project fg101 would be passed" in caught.value.message


def test_a_quota_of_one_cloud_is_not_another_clouds(account: CloudAccount, member: User) -> None:
    make_account(account.project, member, "sierra")
    Quota.objects.all().delete()
    limit(account.project, 1, scope=account.lane)
    boot(member, account)
    with pytest.raises(QuotaExceeded, match="quota of instances on india would be passed"):
        boot(member, account)
    clouds.boot_servers(actor=member, project=account.project, cloud="sierra", count=3)


def test_what_was_somebodys_who_is_gone_counts_for_the_project(account: CloudAccount, member: User) -> None:
    make_servers(account, member, 2)
    Server.objects.update(owner=None)
    limit(account.project, 2)
    with pytest.raises(QuotaExceeded, match="2 of 2 are used"):
        boot(member, account)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("most", "is_share"), [(10, False), (3, True)])
def test_fifty_boots_at_the_same_instant_never_pass_a_limit(
    account: CloudAccount, member: User, most: int, is_share: bool
) -> None:
    limit(account.project, most, user=member if is_share else None)

    def attempt() -> str:
        try:
            boot(User.objects.get(pk=member.pk), account)
        except QuotaExceeded:
            return "refused"
        return "granted"

    outcomes = at_once(50, attempt)
    assert (outcomes.count("granted"), outcomes.count("refused")) == (most, 50 - most)
    assert Server.objects.count() == most


# -- setting them ----------------------------------------------------------------------------------------------


def test_leads_set_shares_and_staff_the_projects_limits(
    account: CloudAccount, member: User, lead: User, admin: User
) -> None:
    project = account.project
    services.set_share(actor=lead, project=project, user=member, resource="cores", limit=8, scope="india")
    services.set_quota(actor=admin, project=project, resource="ram", limit=4096)
    found = [(room.where, room.whose, room.resource, room.limit) for room in overview(project)]
    assert found == [("", "", "ram", 4096), ("india", "gregor", "cores", 8)]
    told = Event.objects.filter(kind="quota").order_by("pk").values_list("data", flat=True)
    assert list(told) == [
        {"user": "gregor", "where": "india", "resource": "cores", "limit": 8},
        {"user": "", "where": "", "resource": "ram", "limit": 4096},
    ]
    services.set_quota(actor=admin, project=project, resource="ram", limit=None)
    assert [room.resource for room in overview(project)] == ["cores"]


def overview(project: Project) -> list[quota.Room]:
    return quota.overview(project, quota.measure(project))


def test_nobody_else_sets_limits(account: CloudAccount, member: User, lead: User, stranger: User) -> None:
    project = account.project
    for actor in (lead, member, stranger):
        with pytest.raises(NotAllowed):
            services.set_quota(actor=actor, project=project, resource="ram", limit=1)
    for actor in (member, stranger):
        with pytest.raises(NotAllowed):
            services.set_share(actor=actor, project=project, user=member, resource="ram", limit=1)
    assert not Quota.objects.exists()


@pytest.mark.parametrize(
    ("wish", "error", "said"),
    [
        ({"resource": "core"}, Invalid, "Did you mean cores"),
        ({"limit": -1}, Invalid, "from 0"),
        ({"scope": "indai"}, NotFound, "Did you mean india"),
        ({"scope": f"cloud:{uuid.uuid4()}"}, NotFound, "that a quota could be of"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(
    account: CloudAccount, admin: User, wish: dict[str, Any], error: type[CloudmeshError], said: str
) -> None:
    with pytest.raises(error, match=said):
        services.set_quota(actor=admin, project=account.project, **{"resource": "cores", "limit": 1} | wish)


def test_a_share_is_a_members(account: CloudAccount, lead: User) -> None:
    with pytest.raises(Conflict, match="no member"):
        services.set_share(actor=lead, project=account.project, user=make_user("badi"), resource="ram", limit=1)


def test_what_is_taken_is_told_per_limit(account: CloudAccount, member: User, lead: User) -> None:
    limit(account.project, 10)
    limit(account.project, 5, user=member)
    make_servers(account, member, 2)
    make_servers(account, lead, 3)
    assert [(room.whose, room.used, room.left) for room in overview(account.project)] == [
        ("gregor", 2, 3),
        ("", 5, 5),
    ]
