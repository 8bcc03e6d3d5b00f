"""Servers over REST: lists that narrow and page, boots with few words, and answers to bad input."""

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cloudmesh.types import ServerState
from clouds import services
from clouds.models import CloudAccount, Image, Server
from operations.models import Operation
from projects.models import Project
from tests import factories
from tests.rest import Api

Login = Callable[..., Api]


def names(api: Api, **query: object) -> list[str]:
    return sorted(server["name"] for server in api.get("servers/", query).results)


# -- lists -----------------------------------------------------------------------------------------------------


def test_a_server_is_told_with_names_instead_of_ids(api: Login, server: Server, member: User) -> None:
    [told] = api(member).get("servers/").results
    assert told["id"] == str(server.pk)
    assert {key: told[key] for key in ("name", "state", "cloud", "image", "flavor", "project", "owner")} == {
        "name": "gregor_1",
        "state": "active",
        "cloud": "india",
        "image": "ubuntu-24.04",
        "flavor": "m1.small",
        "project": "fg101",
        "owner": "gregor",
    }
    assert told["operation"] is None
    assert told["age_seconds"] < 60


def test_a_page_of_servers_needs_as_many_questions_for_one_as_for_many(
    api: Login, account: CloudAccount, member: User
) -> None:
    factories.make_servers(account, member, 300)
    asking = api(member)
    asking.get("servers/", {"page_size": 1})  # notes the token's use and that somebody looks

    def questions(size: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert len(asking.get("servers/", {"page_size": size}).results) == size
        return len(asked)

    assert questions(1) == questions(300) <= 10


def test_pages_hold_every_server_once_though_all_are_of_one_moment(
    api: Login, account: CloudAccount, member: User
) -> None:
    factories.make_servers(account, member, 25)
    asking = api(member)
    for ordering in ("created_at", "-created_at", "state", "-state", "cloud", "name", "-name"):
        page = asking.get("servers/", {"page_size": 10, "ordering": ordering, "fields": "id"})
        seen, sizes = page.results, [len(page.results)]
        while page["next"]:
            page = asking.get(page["next"].removeprefix("http://testserver"))
            seen, sizes = seen + page.results, [*sizes, len(page.results)]
        assert sizes == [10, 10, 5]
        assert len({server["id"] for server in seen}) == 25
        back = asking.get(page["previous"].removeprefix("http://testserver"))
        assert back.results == seen[10:20]
        first = asking.get(back["previous"].removeprefix("http://testserver"))
        assert (first.results, first["previous"]) == (seen[:10], None)


def test_filters_narrow_each_other(api: Login, account: CloudAccount, member: User, lead: User) -> None:
    for number in (1, 2, 3):
        factories.make_server(account, member, f"web{number}", group="web")
    factories.make_server(account, lead, "db1", state="stopped", addresses=["10.9.9.9"])
    asking = api(member)
    assert names(asking, name="web[1-2],db1") == ["db1", "web1", "web2"]
    assert names(asking, name="w*b?") == ["web1", "web2", "web3"]
    assert names(asking, name="*e*1", owner="gregor") == ["web1"]
    assert names(asking, state="stopped,error") == ["db1"]
    assert names(asking, owner="me", group="web") == ["web1", "web2", "web3"]
    assert names(asking, search="10.9.") == ["db1"]
    assert names(asking, search="EB3") == ["web3"]
    assert names(asking, cloud="india", project="fg101") == ["db1", "web1", "web2", "web3"]
    assert names(asking, cloud=str(account.pk), owner="laszewski") == ["db1"]
    assert names(asking, name="nothing") == []


def test_deleted_servers_are_told_only_when_asked_for(api: Login, account: CloudAccount, member: User) -> None:
    gone = factories.make_server(account, member, "gone", state="deleted")
    asking = api(member)
    assert names(asking) == []
    assert names(asking, state="deleted") == ["gone"]
    assert asking.get(f"servers/{gone.pk}/")["state"] == "deleted"
    assert asking.get("servers/gone/").status == 404


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"cloud": "indai"}, "Did you mean india?"),
        ({"project": "fg110"}, "Did you mean fg101?"),
        ({"state": "activ"}, "Did you mean active"),
        ({"stat": "active"}, "Did you mean state"),
        ({"ordering": "nam"}, "Did you mean name"),
        ({"fields": "id,nam"}, "Did you mean name"),
        ({"page_size": "0"}, "page_size is a number from 1 to 1000"),
        ({"page_size": "1001"}, "page_size is a number from 1 to 1000"),
        ({"page_size": "many"}, "page_size is a number from 1 to 1000"),
        ({"cursor": "nonsense"}, "not of this list"),
        ({"cursor": "WzAsIngiLCJ5Il0"}, "not of this list"),
        ({"name": "web[1-"}, "do not match"),
        ({"name": "web[1-99999999]"}, "at most 10,000"),
        ({"search": "a\x00b"}, "cannot be"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    api: Login, server: Server, member: User, query: dict[str, str], words: str
) -> None:
    answer = api(member).get("servers/", query)
    assert answer.status in (400, 404)
    assert words in answer.detail


def test_only_the_fields_asked_for_are_told(api: Login, server: Server, member: User) -> None:
    asking = api(member)
    assert asking.get("servers/", {"fields": "name,state"}).results == [{"name": "gregor_1", "state": "active"}]
    assert asking.get("servers/gregor_1/", {"fields": "name"}).body == {"name": "gregor_1"}


def test_nothing_new_is_told_in_no_words(api: Login, server: Server, member: User) -> None:
    asking = api(member)
    first = asking.get("servers/")
    assert asking.get("servers/", If_None_Match=first.headers["ETag"]).status == 304
    factories.make_server(server.account, member)
    assert asking.get("servers/", If_None_Match=first.headers["ETag"]).status == 200


# -- one server ------------------------------------------------------------------------------------------------


def test_one_server_is_told_with_all_that_is_known(api: Login, server: Server, member: User) -> None:
    Server.objects.filter(pk=server.pk).update(native={"status": "ACTIVE"})
    services.change_servers(actor=member, servers=[server], action="stop")
    told = api(member).get("servers/gregor_1/")
    assert told["native"] == {"status": "ACTIVE"}
    assert told["operation"] == told["operations"][0]["id"]
    assert {action["name"]: action["able"] for action in told["actions"]}["start"] is False


def test_a_name_that_two_servers_have_is_ambiguous(api: Login, account: CloudAccount, member: User) -> None:
    twins = [factories.make_server(account, member, "twin") for _ in range(2)]
    answer = api(member).get("servers/twin/")
    assert (answer.status, answer["type"]) == (400, "/docs/errors/ambiguous")
    assert sorted(answer["ids"]) == sorted(str(twin.pk) for twin in twins)


@pytest.mark.parametrize("name", ["gregor_2", "a b", "ü" * 300, "%00", str(uuid.UUID(int=7))])
def test_a_server_that_is_not_there_is_not_found(api: Login, server: Server, member: User, name: str) -> None:
    answer = api(member).get(f"servers/{name}/")
    assert answer.status in (400, 404)
    assert answer.detail


# -- booting ---------------------------------------------------------------------------------------------------


def test_a_boot_needs_no_words(api: Login, account: CloudAccount, member: User) -> None:
    answer = api(member).post("servers/")
    assert answer.status == 202
    [server] = answer["servers"]
    assert (server["name"], server["state"], server["image"]) == ("gregor_1", "requested", "ubuntu-24.04")
    assert answer.headers["Location"] == f"/api/v1/operations/{answer['operation']['id']}/"
    assert api(member).get(answer.headers["Location"])["state"] == "queued"


@pytest.mark.django_db(transaction=True)
def test_a_boot_becomes_a_server(api: Login, account: CloudAccount, member: User, work: Callable[[], None]) -> None:
    asking = api(member)
    answer = asking.post("servers/", {"count": 2, "image": "debian-12", "flavor": "m1.medium", "group": "web"})
    work()
    operation = asking.get(answer.headers["Location"])
    assert (operation["state"], operation["counts"]) == ("succeeded", {"succeeded": 2})
    servers = asking.get("servers/", {"group": "web", "ordering": "name"}).results
    assert [(server["name"], server["state"], server["image"]) for server in servers] == [
        ("gregor_1", "active", "debian-12"),
        ("gregor_2", "active", "debian-12"),
    ]
    assert all(server["addresses"] for server in servers)


def test_what_a_boot_would_do_is_told_with_its_sources(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    plan = asking.get("servers/next/", {"image": "debian-12"})
    assert (plan["name"], plan["cloud"], plan["image"]) == ("gregor_1", "india", "debian-12")
    assert (plan["sources"]["image"], plan["sources"]["cloud"], plan["key"]) == ("option", "first", None)
    assert asking.get("servers/next/")["name"] == "gregor_1"
    assert "Did you mean image" in asking.get("servers/next/", {"imag": "x"}).detail


@pytest.mark.parametrize(
    ("wish", "field", "words"),
    [
        ({"count": 0}, "count", "between 1 and 1000, not 0"),
        ({"count": -1}, "count", "between 1 and 1000, not -1"),
        ({"count": 1_000_000}, "count", "between 1 and 1000, not 1000000"),
        ({"count": 10**30}, "count", "must be a whole number"),
        ({"count": "abc"}, "count", "must be a whole number, not 'abc'"),
        ({"count": "5"}, "count", "must be a whole number, not '5'"),
        ({"count": 1.5}, "count", "must be a whole number, not '1.5'"),
        ({"count": True}, "count", "must be a whole number"),
        ({"count": None}, "count", "count may not be null"),
        ({"count": [1]}, "count", "must be a whole number"),
        ({"name": "my server"}, "name", "cannot be a server's name"),
        ({"name": "x" * 300}, "name", "cannot be a server's name"),
        ({"name": "grüße"}, "name", "cannot be a server's name"),
        ({"name": "a\x00b"}, "name", "Null characters"),
        ({"name": 7}, "name", "name must be text, not a number"),
        ({"name": ["a"]}, "name", "name must be text, not a list"),
        ({"name": "web[1-3]", "count": 2}, "count", "stands for 3 names"),
        ({"name": "web[1-2000]"}, None, "2,000 names"),
        ({"image": "ubuntu-24"}, "image", "Did you mean ubuntu-24.04"),
        ({"flavor": "m1.smal"}, "flavor", "Did you mean m1.small"),
        ({"cloud": "indai"}, None, "Did you mean india"),
        ({"network": "nowhere"}, "network", "nowhere"),
        ({"key": "laptop"}, None, "no key named 'laptop'"),
        ({"project": "fg110"}, None, "Did you mean fg101"),
        ({"group": "a b"}, "group", "cannot be a group"),
        ({"if_down": "wiat"}, "if_down", "Did you mean wait"),
        ({"floating_ip": "yes"}, "floating_ip", "must be true or false"),
        ({"imagee": "ubuntu-24.04"}, "imagee", "Did you mean image"),
        ([], None, "must be a JSON object"),
        ("boot", None, "must be a JSON object"),
        (b"{", None, "not JSON"),
        (b"\xff", None, "not JSON"),
        (b"[" * 100_000, None, "not JSON"),
    ],
)
def test_a_boot_that_cannot_be_is_refused_with_a_sentence(
    api: Login, account: CloudAccount, member: User, wish: object, field: str | None, words: str
) -> None:
    answer = api(member).post("servers/", wish)
    assert answer.status in (400, 404, 409), answer.body
    assert words in answer.detail
    if field:
        assert field in answer["errors"]
    assert not Server.objects.exists()


def test_a_body_that_is_too_large_is_refused(api: Login, account: CloudAccount, member: User) -> None:
    answer = api(member).post("servers/", {"name": "x" * 4_600_000})
    assert (answer.status, answer["type"]) == (413, "/docs/errors/too-large")


def test_a_body_that_is_no_json_is_refused(api: Login, account: CloudAccount, member: User) -> None:
    answer = api(member).post("servers/", b"count=1", Content_Type="application/x-www-form-urlencoded")
    assert answer.status == 415


def test_a_full_quota_is_told_in_numbers(api: Login, account: CloudAccount, member: User) -> None:
    answer = api(member).post("servers/", {"count": 51})
    assert (answer.status, answer["type"]) == (409, "/docs/errors/quota-exceeded")
    assert (answer["resource"], answer["used"], answer["limit"], answer["wanted"]) == ("instances", 0, 50, 51)


def test_the_same_key_boots_once(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    first = asking.post("servers/", {"count": 2}, Idempotency_Key="once")
    again = asking.post("servers/", {"count": 2}, Idempotency_Key="once")
    assert (again.status, again["operation"]["id"]) == (202, first["operation"]["id"])
    assert [server["id"] for server in again["servers"]] == [server["id"] for server in first["servers"]]
    assert Server.objects.count() == 2
    other = asking.post("servers/", {"count": 3}, Idempotency_Key="once")
    assert (other.status, other["type"]) == (422, "/docs/errors/reused")


@pytest.mark.django_db(transaction=True)
def test_of_two_same_boots_at_one_instant_one_is_done(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)

    def boot() -> str:
        return str(
            Api(asking.headers["Authorization"].split()[1]).post("servers/", {}, Idempotency_Key="k")["operation"]["id"]
        )

    assert len(set(factories.at_once(4, boot))) == 1
    assert Server.objects.count() == 1


# -- changing --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_server_is_stopped_renamed_published_and_deleted(
    api: Login, account: CloudAccount, member: User, work: Callable[[], None]
) -> None:
    asking = api(member)
    asking.post("servers/", {"name": "web"})
    work()
    for path, body, check in [
        ("stop/", None, lambda told: told["state"] == "stopped"),
        ("start/", None, lambda told: told["state"] == "active"),
        ("rename/", {"name": "www"}, lambda told: told["name"] == "www"),
        ("ip-assign/", None, lambda told: len(told["public_addresses"]) == 1),
        ("ip-release/", None, lambda told: told["public_addresses"] == []),
    ]:
        name = asking.get("servers/").results[0]["name"]
        answer = asking.post(f"servers/{name}/{path}", body)
        assert answer.status == 202, answer.body
        work()
        assert check(asking.get("servers/").results[0]), path
    log = asking.post("servers/www/console-log/", {"lines": 5})
    work()
    assert asking.get(log.headers["Location"])["result"]["text"]
    assert asking.delete("servers/www/").status == 202
    work()
    assert names(asking) == []


def test_a_screen_that_a_cloud_does_not_have_is_refused_with_the_reason(
    api: Login, server: Server, member: User
) -> None:
    answer = api(member).post("servers/gregor_1/console/")
    assert (answer.status, "has no screen" in answer.detail) == (409, True)


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("start/", None, 409, "start needs it to be"),
        ("strat/", None, 404, "Did you mean start"),
        ("rename/", {}, 400, "name is required"),
        ("rename/", {"name": "a b"}, 400, "cannot be a server's name"),
        ("rename/", {"name": "gregor_1"}, 409, "already"),
        ("rename/", {"name": "a,b"}, 400, "2 names"),
        ("console-log/", {"lines": 0}, 400, "between 1 and 10000"),
        ("console-log/", {"lines": "5"}, 400, "whole number"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    api: Login, server: Server, member: User, path: str, body: object, status: int, words: str
) -> None:
    answer = api(member).post(f"servers/gregor_1/{path}", body)
    assert (answer.status, words in answer.detail) == (status, True), answer.body


def test_one_wish_for_many_servers(api: Login, account: CloudAccount, member: User) -> None:
    servers = factories.make_servers(account, member, 3, name="web")
    ids = [str(server.pk) for server in servers[:2]]
    answer = api(member).post("servers/bulk/", {"action": "stop", "servers": [*ids, "web*"]})
    assert (answer.status, len(answer["servers"]), answer["operation"]["is_batch"]) == (202, 3, True)
    assert answer["operation"]["counts"] == {"queued": 3}
    assert len(api(member).get("operations/", {"parent": answer["operation"]["id"]}).results) == 3


def test_many_ids_are_found_with_one_question(account: CloudAccount, member: User) -> None:
    ids = [str(server.pk) for server in factories.make_servers(account, member, 50)]
    with CaptureQueriesContext(connection) as asked:
        assert len(services.find_servers(actor=member, names=ids, permission="server.change")) == 50
    assert len(asked) <= 3


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"action": "stop", "servers": []}, "Name at least one"),
        ({"action": "stop", "servers": ["nothing"]}, "no server named"),
        ({"action": "stop", "servers": ["x*"]}, "No server's name matches"),
        ({"action": "stop", "servers": "gregor_1"}, "must be a list of texts"),
        ({"action": "stop", "servers": [1]}, "must be a list of texts"),
        ({"action": "stpo", "servers": ["gregor_1"]}, "Did you mean stop"),
        ({"servers": ["gregor_1"]}, "action is required"),
        ({"action": "stop", "servers": [str(uuid.uuid4())]}, "no server named"),
    ],
)
def test_a_wish_for_many_that_cannot_be_is_refused(
    api: Login, server: Server, member: User, wish: object, words: str
) -> None:
    assert words in api(member).post("servers/bulk/", wish).detail


def test_deleting_what_is_gone_says_so(api: Login, account: CloudAccount, member: User) -> None:
    gone = factories.make_server(account, member, state="deleted")
    answer = api(member).delete(f"servers/{gone.pk}/")
    assert (answer.status, "deleted already" in answer.detail) == (404, True)


def test_somebody_elses_server_is_seen_but_not_changed(
    api: Login, account: CloudAccount, member: User, lead: User
) -> None:
    factories.make_server(account, lead, "boss")
    asking = api(member)
    assert asking.get("servers/boss/").status == 200
    for answer in (asking.delete("servers/boss/"), asking.post("servers/boss/stop/")):
        assert (answer.status, "somebody else's" in answer.detail) == (403, True)
    assert api(lead).post("servers/boss/stop/").status == 202
    assert Operation.objects.filter(kind="server.act").count() == 1


def test_a_cloud_without_images_yet_says_what_to_do(api: Login, account: CloudAccount, member: User) -> None:
    Image.objects.all().delete()
    answer = api(member).post("servers/")
    assert (answer.status, "cm cloud refresh india" in answer.detail) == (404, True)


def test_states_are_all_in_the_document(account: CloudAccount, member: User, api: Login, project: Project) -> None:
    for state in ServerState:
        factories.make_server(account, member, state=state)
    told = api(member).get("servers/", {"state": ",".join(ServerState)}).results
    assert {server["state"] for server in told} == set(ServerState)
