"""Security groups and public addresses over REST."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from clouds import services
from clouds.models import CloudAccount, FloatingIp, SecurityGroup, Server
from tests import factories
from tests.rest import Answer, Api

Login = Callable[..., Api]
Work = Callable[[], None]


def told(answer: Answer, status: int) -> Answer:
    assert answer.status == status, answer.body
    return answer


def test_a_group_lives_over_rest(api: Login, account: CloudAccount, member: User, work: Work) -> None:
    asking = api(member)
    wish = told(asking.post("security-groups/", {"name": "web", "rules": ["ssh", "tcp:80-90:10.0.0.0/8"]}), 202)
    assert wish["operation"]["kind"] == "secgroup.create"
    assert wish["operation"]["target"]["name"] == "web"
    work()
    [group] = asking.get("security-groups/", {"name": "web"}).results
    assert (group["id"], group["cloud"], group["owner"]) == (wish["operation"]["target"]["id"], "india", "gregor")
    assert [(rule["name"], rule["ports"], rule["cidr"]) for rule in group["rules"]] == [
        ("ssh", "22", "0.0.0.0/0"),
        ("", "80-90", "10.0.0.0/8"),
    ]
    path = f"security-groups/{group['id']}/"
    told(asking.change(path, {"add": ["icmp"], "remove": [group["rules"][0]["rule"]]}), 202)
    work()
    whole = asking.get(path)
    assert [rule["protocol"] for rule in whole["rules"]] == ["icmp", "tcp"]
    assert whole["native"]["ingress"]
    told(asking.delete(path), 202)
    work()
    assert asking.get("security-groups/", {"name": "web"}).results == []


def test_several_groups_are_deleted_at_once(api: Login, account: CloudAccount, member: User, work: Work) -> None:
    asking = api(member)
    for name in ("web1", "web2", "db"):
        told(asking.post("security-groups/", {"name": name}), 202)
    work()
    wish = told(asking.post("security-groups/delete/", {"groups": ["web[1-2]"], "cloud": "india"}), 202)
    assert wish["operation"]["target"]["name"] == "2 security groups"
    work()
    left = {group["name"] for group in asking.get("security-groups/").results}
    assert left >= {"db", "default"}
    assert not left & {"web1", "web2"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "name"),
        ({"name": "web", "rules": ["tpc:22"]}, "Did you mean tcp"),
        ({"name": "web", "rules": "ssh"}, "rules must be a list"),
        ({"name": "web", "cloud": "atlantis"}, "atlantis"),
        ({"name": "we b"}, "cannot be a security group's name"),
        ({"name": "web", "rulez": []}, "rulez"),
    ],
)
def test_what_makes_no_group_is_told(
    api: Login, account: CloudAccount, member: User, body: dict[str, object], words: str
) -> None:
    problem = api(member).post("security-groups/", body)
    assert 400 <= problem.status < 500
    assert words in str(problem.body)
    assert not SecurityGroup.objects.filter(name="web").exists()


def test_the_default_group_and_network_are_marked(api: Login, account: CloudAccount, member: User) -> None:
    services.set_default(actor=member, project=account.project, key="security_group", value="default")
    services.set_default(actor=member, project=account.project, key="network", value="india-storage", cloud="india")
    asking = api(member)
    for noun, name in {"security-groups": "default", "networks": "india-storage"}.items():
        assert [each["name"] for each in asking.get(f"{noun}/").results if each["is_default"]] == [name]


def test_networks_tell_their_ranges(api: Login, account: CloudAccount, member: User) -> None:
    [network] = api(member).get("networks/", {"name": "india-storage"}).results
    assert network["subnets"] == ["172.16.0.0/12"]


def test_addresses_live_over_rest(api: Login, account: CloudAccount, member: User, work: Work) -> None:
    server, asking = factories.boot(account, member), api(member)
    told(asking.post("addresses/", {"count": 2}), 202)
    work()
    first, second = asking.get("addresses/").results
    assert (first["owner"], first["is_used"], first["server"]) == ("gregor", False, None)
    told(asking.post(f"servers/{server.name}/ip-assign/", {"address": first["address"]}), 202)
    work()
    [used] = asking.get("addresses/", {"used": "true"}).results
    assert (used["address"], used["server"]) == (first["address"], server.name)
    problem = told(asking.delete(f"addresses/{used['id']}/"), 409)
    assert f"is used by {server.name}" in problem.detail
    told(asking.post(f"servers/{server.name}/ip-unassign/"), 202)
    work()
    freed = asking.get(f"addresses/{first['id']}/")
    assert (freed["is_used"], freed["native"]["ip"]) == (False, first["address"])
    told(asking.post("addresses/release/", {"addresses": [first["id"], second["address"]]}), 202)
    work()
    assert asking.get("addresses/").results == []


def test_used_addresses_go_only_where_that_is_said(api: Login, account: CloudAccount, member: User, work: Work) -> None:
    server, asking = factories.boot(account, member), api(member)
    told(asking.post(f"servers/{server.name}/ip-assign/"), 202)
    work()
    [address] = asking.get("addresses/").results
    told(asking.post("addresses/release/", {"addresses": [address["address"]]}), 409)
    told(asking.post("addresses/release/", {"addresses": [address["address"]], "is_used": True}), 202)
    work()
    assert asking.get("addresses/").results == []


@pytest.mark.parametrize("noun", ["security-groups", "addresses"])
def test_strangers_see_nothing(api: Login, account: CloudAccount, member: User, stranger: User, noun: str) -> None:
    held = FloatingIp.objects.create(account=account, provider_id="ip-1", name="198.51.100.1")
    group = SecurityGroup.objects.filter(account=account).first() or held
    asking = api(stranger)
    assert asking.get(f"{noun}/").results == []
    told(asking.get(f"{noun}/{group.pk if noun == 'security-groups' else held.pk}/"), 404)


@pytest.mark.parametrize("noun", ["security-groups", "addresses"])
def test_many_need_as_many_questions_as_one(api: Login, account: CloudAccount, member: User, noun: str) -> None:
    servers = factories.make_servers(account, member, 200)
    SecurityGroup.objects.bulk_create(
        SecurityGroup(account=account, provider_id=f"group-{number}", name=f"group-{number}", owner=member)
        for number in range(200)
    )
    FloatingIp.objects.bulk_create(
        FloatingIp(
            account=account,
            provider_id=f"ip-{number}",
            name=f"198.51.100.{number}",
            owner=member,
            server_provider_id=server.provider_id,
        )
        for number, server in enumerate(servers)
    )
    asking = api(member)
    asking.get(f"{noun}/")

    def questions(size: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert len(asking.get(f"{noun}/", {"page_size": size, "owner": "me"}).results) == size
        return len(asked)

    assert Server.objects.count() == 200
    assert questions(1) == questions(200) <= 12
