"""Volumes and limits over REST."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from clouds import services
from clouds.models import CloudAccount, Volume
from projects.models import Project
from tests import factories
from tests.rest import Api

Login = Callable[..., Api]
Work = Callable[[], None]


def names(api: Api, **query: object) -> list[str]:
    return sorted(volume["name"] for volume in api.get("volumes/", query).results)


def test_the_life_of_a_volume(api: Login, account: CloudAccount, member: User, work: Work) -> None:
    asking, server = api(member), factories.boot(account, member, name="web")
    made = asking.post("volumes/", {"name": "data", "size": 5})
    assert (made.status, made["operation"]["kind"]) == (202, "volume.create")
    assert [volume["state"] for volume in made["volumes"]] == ["requested"]
    work()
    assert asking.post("volumes/data/attach/", {"server": "web"}).status == 202
    work()
    told = asking.get("volumes/data/")
    assert {key: told[key] for key in ("state", "server", "device", "size", "cloud", "project", "owner")} == {
        "state": "in-use",
        "server": server.name,
        "device": "/dev/vdb",
        "size": 5,
        "cloud": "india",
        "project": "fg101",
        "owner": "gregor",
    }
    assert {deed["name"]: deed["able"] for deed in told["actions"]} == {
        "attach": False,
        "detach": True,
        "delete": False,
    }
    refused = asking.delete("volumes/data/")
    assert (refused.status, "detach it first" in refused["detail"]) == (409, True)
    assert asking.post("volumes/data/detach/").status == 202
    work()
    assert asking.delete("volumes/data/").status == 202
    work()
    assert names(asking) == []
    assert names(asking, state="deleted") == ["data"]


def test_filters_narrow_each_other(api: Login, account: CloudAccount, member: User, project: Project) -> None:
    factories.make_account(project, member, "sierra")
    server = factories.boot(account, member, name="web")
    asking = api(member)
    for name, wanted in (("data1", {"server": server}), ("data2", {}), ("log", {"cloud": "sierra"})):
        factories.make_volume(account, member, name, **wanted)
    assert names(asking, name="data[1-3]") == ["data1", "data2"]
    assert names(asking, name="*", cloud="india", state="available") == ["data2"]
    assert names(asking, server="web") == names(asking, server=str(server.pk)) == ["data1"]
    assert names(asking, project="fg101", cloud="sierra") == ["log"]
    assert asking.get("volumes/", {"server": "nothing"}).status == 404
    assert asking.get("volumes/", {"state": "broken"}).status == 400


def test_many_are_deleted_by_hostlist_and_a_server_is_named_in_the_wish(
    api: Login, account: CloudAccount, member: User, work: Work
) -> None:
    asking = api(member)
    factories.boot(account, member, name="web")
    asking.post("volumes/", {"name": "data[1-3]", "size": 1, "server": "web"})
    work()
    assert {volume["server"] for volume in asking.get("volumes/").results} == {"web"}
    for action in ("detach", "delete"):
        asked = asking.post("volumes/bulk/", {"action": action, "volumes": ["data[1-2]", "data3"]})
        assert (asked.status, len(asked["volumes"])) == (202, 3)
        work()
    assert names(asking) == []


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"name": "data"}, 400, "size"),
        ({"name": "data", "size": "big"}, 400, "size"),
        ({"name": "data", "size": 1, "cloud": "mars"}, 404, "mars"),
        ({"name": "data", "size": 1, "server": "nobody"}, 404, "nobody"),
        ({"name": "data", "size": 1, "colour": "red"}, 400, "colour"),
    ],
)
def test_bad_wishes_are_told(
    api: Login, account: CloudAccount, member: User, body: dict[str, object], status: int, said: str
) -> None:
    answer = api(member).post("volumes/", body)
    assert answer.status == status
    assert said in str(answer)
    assert not Volume.objects.exists()


def test_strangers_see_nothing(api: Login, account: CloudAccount, member: User, stranger: User) -> None:
    volume = factories.make_volume(account, member, "data")
    assert names(api(stranger)) == []
    assert api(stranger).get(f"volumes/{volume.pk}/").status == 404
    assert api(stranger).delete("volumes/data/").status == 404
    assert api(stranger).get("limits/").results == []


def test_a_page_needs_as_many_questions_for_one_as_for_many(api: Login, account: CloudAccount, member: User) -> None:
    services.create_volumes(actor=member, project=account.project, name="data", size=1, count=20)
    asking = api(member)
    asking.get("volumes/", {"page_size": 1})

    def questions(size: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert len(asking.get("volumes/", {"page_size": size}).results) == size
        return len(asked)

    assert questions(1) == questions(20) <= 12


def test_limits_of_all_clouds_come_in_one_answer(
    api: Login, account: CloudAccount, member: User, project: Project
) -> None:
    factories.make_account(project, member, "sierra")
    factories.make_volume(account, member, "data")
    factories.read(account)
    asking = api(member)
    told = asking.get("limits/", {"resource": "volumes,disk", "page_size": 1000}).results
    assert [(row["resource"], row["cloud"], row["used"], row["limit"], row["left"]) for row in told] == [
        ("disk", "india", 10, 1000, 990),
        ("disk", "sierra", 0, 2000, 2000),
        ("volumes", "india", 1, 20, 19),
        ("volumes", "sierra", 0, None, None),
    ]
    assert {row["cloud"] for row in asking.get("limits/", {"cloud": "sierra"}).results} == {"sierra"}
    assert all(row["seen_at"] for row in told)


def test_a_cloud_that_lacks_volumes_says_so(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    assert asking.get("clouds/india/")["abilities"]["volumes"] == {"able": True, "reason": ""}
    CloudAccount.objects.filter(pk=account.pk).update(lacks={"volumes": "It has no block storage."})
    assert asking.get("clouds/india/")["abilities"]["volumes"] == {"able": False, "reason": "It has no block storage."}
    refused = asking.post("volumes/", {"name": "data", "size": 1})
    assert (refused.status, refused["detail"]) == (409, "It has no block storage.")
