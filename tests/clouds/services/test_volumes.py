"""What may be asked of volumes, by whom, and what is refused before a cloud is asked."""

import pytest

from accounts.models import User
from cloudmesh.errors import Ambiguous, Conflict, Invalid, NotAllowed, NotFound, PolicyDenied, QuotaExceeded
from cloudmesh.types import VolumeState
from clouds import services
from clouds.models import CloudAccount, Volume
from projects.models import Policy, Project, Quota
from tests import factories

pytestmark = pytest.mark.django_db


def create(actor: User, project: Project, **wanted: object) -> list[str]:
    wish = {"name": "data", "size": 10, **wanted}
    services.create_volumes(actor=actor, project=project, **wish)  # type: ignore[arg-type]
    return sorted(Volume.objects.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        ({}, ["data"]),
        ({"name": "data[1-3]"}, ["data1", "data2", "data3"]),
        ({"count": 2}, ["data_1", "data_2"]),
        ({"name": "a,b", "count": 2}, ["a", "b"]),
    ],
)
def test_names_are_hostlists_or_counted(
    account: CloudAccount, member: User, project: Project, wanted: dict[str, object], made: list[str]
) -> None:
    assert create(member, project, **wanted) == made


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"size": 0}, "1 to 1,000,000 GiB, not 0"),
        ({"size": 2_000_000}, "not 2000000"),
        ({"name": ""}, "Give the volume a name"),
        ({"name": "no good!"}, "cannot be a volume's name"),
        ({"name": "a,b", "count": 3}, "stands for 2 names, but count is 3"),
        ({"count": 0}, "count must be between"),
    ],
)
def test_what_makes_no_sense_is_refused(
    account: CloudAccount, member: User, project: Project, wanted: dict[str, object], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        create(member, project, **wanted)
    assert not Volume.objects.exists()


def test_a_name_is_taken_once(account: CloudAccount, member: User, project: Project) -> None:
    create(member, project)
    with pytest.raises(Conflict, match="There is a volume named data already"):
        create(member, project)


def test_strangers_make_none(account: CloudAccount, stranger: User, project: Project) -> None:
    with pytest.raises(NotAllowed):
        create(stranger, project)


def test_quotas_count_volumes_and_their_size(account: CloudAccount, member: User, project: Project) -> None:
    Quota.objects.create(project=project, resource="disk", limit=25, source=Quota.Source.PORTAL)
    create(member, project, count=2)
    with pytest.raises(QuotaExceeded, match="20 of 25 GiB are used, 10 more are wanted"):
        create(member, project)


def test_policies_are_asked(account: CloudAccount, member: User, project: Project) -> None:
    Policy.objects.create(name="no-india", service="cloud:india", state="approved", effect="deny")
    with pytest.raises(PolicyDenied, match="no-india"):
        create(member, project)


def test_a_cloud_without_volumes_says_why(account: CloudAccount, member: User, project: Project) -> None:
    CloudAccount.objects.filter(pk=account.pk).update(lacks={"volumes": "This cloud has no block storage."})
    with pytest.raises(Conflict, match="no block storage"):
        create(member, project)


def test_a_volume_reaches_only_servers_of_its_own_cloud(account: CloudAccount, member: User, project: Project) -> None:
    sierra = factories.make_account(project, member, "sierra")
    server, volume = factories.make_server(sierra, member, "far"), factories.make_volume(account, member, "data")
    with pytest.raises(Conflict, match="data is on india and far on sierra"):
        services.attach_volume(actor=member, volume=volume, server=server)
    with pytest.raises(Conflict, match="far is on sierra, not on india"):
        create(member, project, name="other", cloud="india", server=server)


def test_what_is_attached_is_not_deleted_and_what_is_free_not_detached(account: CloudAccount, member: User) -> None:
    server = factories.boot(account, member)
    held = factories.make_volume(account, member, "held", server=server)
    free = factories.make_volume(account, member, "free")
    with pytest.raises(Conflict, match="held is attached to a server; detach it first"):
        services.delete_volumes(actor=member, volumes=[held])
    with pytest.raises(Conflict, match="free is available; detach needs it to be in-use"):
        services.detach_volumes(actor=member, volumes=[free, held])
    with pytest.raises(Invalid, match="such as /dev/vdb"):
        services.attach_volume(actor=member, volume=free, server=server, device="x" * 40)


def test_members_change_their_own_and_leaders_all(
    account: CloudAccount, member: User, lead: User, project: Project
) -> None:
    other = factories.make_user("ada")
    factories.projects.add_member(actor=lead, project=project, user=other, role="member")
    volume = factories.make_volume(account, member, "data")
    with pytest.raises(NotAllowed):
        services.delete_volumes(actor=User.objects.get(pk=other.pk), volumes=[volume])
    services.delete_volumes(actor=lead, volumes=[volume])
    volume.refresh_from_db()
    assert volume.state == VolumeState.DELETING
    assert {deed["name"]: deed["able"] for deed in services.volume_deeds(volume)} == {
        "attach": False,
        "detach": False,
        "delete": False,
    }


def test_volumes_are_found_by_hostlist_and_glob(
    account: CloudAccount, member: User, stranger: User, project: Project
) -> None:
    create(member, project, name="data[1-3],log")

    def found(*names: str, actor: User = member) -> list[str]:
        return [v.name for v in services.find_volumes(actor=actor, names=names, permission="volume.change")]

    assert sorted(found("data[1-2]", "l*")) == ["data1", "data2", "log"]
    assert found(str(Volume.objects.get(name="log").pk)) == ["log"]
    with pytest.raises(NotFound, match="no volume named 'data9'"):
        found("data9")
    with pytest.raises(NotFound):
        found("log", actor=stranger)
    Volume.objects.filter(name="data3").update(name="log")
    with pytest.raises(Ambiguous):
        found("log")


def test_limits_add_up_over_clouds(account: CloudAccount, member: User, project: Project) -> None:
    factories.make_account(project, member, "sierra")
    facts = services.limit_facts(
        list(account.told_limits.model.objects.select_related("account__cloud", "account__project"))
    )
    totals = {total.resource: (total.cloud, total.limit) for total in services.limit_totals(facts)}
    assert totals["instances"] == ("total", 150)
    assert totals["keys"] == ("total", None)
    assert all(each.seen_at for each in facts)
