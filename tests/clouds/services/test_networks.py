"""Security groups and public addresses: asked for, done at the simulated cloud, and who may."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from activity.models import Event
from cloudmesh.errors import Ambiguous, Conflict, Invalid, NotAllowed, NotFound
from cloudmesh.types import Rule
from clouds import services
from clouds.models import CloudAccount, FloatingIp, SecurityGroup, Server, Sync
from clouds.sync import catalogue, connect, schedule
from operations import services as operations
from operations.engine import pace
from operations.models import Operation
from projects import services as projects
from projects.models import Role
from tests import factories

Work = Callable[[], None]


def group_named(name: str, *, of: User, account: CloudAccount, rules: tuple[str, ...] = ()) -> SecurityGroup:
    services.create_group(actor=of, project=account.project, name=name, rules=rules)
    factories.do_all_work()
    return SecurityGroup.objects.get(account=account, name=name)


def reserve(*, of: User, account: CloudAccount, count: int = 1) -> list[FloatingIp]:
    before = set(FloatingIp.objects.values_list("pk", flat=True))
    services.reserve_addresses(actor=of, project=account.project, count=count)
    factories.do_all_work()
    return list(FloatingIp.objects.filter(account=account).exclude(pk__in=before))


def ended(operation: Operation) -> Operation:
    factories.do_all_work()
    operation.refresh_from_db()
    return operation


def at_cloud(account: CloudAccount, name: str) -> tuple[Rule, ...]:
    with connect.reaching(account) as driver:
        return next(group.rules for group in driver.security_groups() if group.name == name)


@pytest.fixture
def colleague(account: CloudAccount, lead: User) -> User:
    user = factories.make_user("ada")
    projects.add_member(actor=lead, project=account.project, user=user, role=Role.MEMBER)
    return User.objects.get(pk=user.pk)


# -- security groups -----------------------------------------------------------------------------------------------


def test_a_group_is_made_with_its_rules(account: CloudAccount, member: User) -> None:
    wish = services.create_group(actor=member, project=account.project, name="web", rules=["ssh", "tcp:80-90"])
    assert (ended(wish).state, wish.target_name, wish.target_kind) == ("succeeded", "web", "securitygroup")
    group = SecurityGroup.objects.get(name="web")
    assert (group.pk, group.owner) == (wish.target_id, member)
    assert [rule["first_port"] for rule in group.rules] == [22, 80]
    assert {rule.last_port for rule in at_cloud(account, "web")} == {22, 90}
    told = Event.objects.filter(object_id=group.pk, kind="securitygroup").get()
    assert (told.verb, told.name, told.actor_name) == ("created", "web", "gregor")


def test_a_group_that_the_cloud_has_is_adopted_and_nobodys(account: CloudAccount, member: User) -> None:
    with connect.reaching(account) as driver:
        made = driver.ensure_security_group("web", [Rule(protocol="icmp")])
    wish = ended(services.create_group(actor=member, project=account.project, name="web", rules=["ssh"]))
    group = SecurityGroup.objects.get(name="web")
    assert (group.provider_id, group.owner, len(group.rules)) == (made.id, None, 2)
    assert "had it already" in wish.step


def test_a_second_one_of_that_name_is_refused(account: CloudAccount, member: User) -> None:
    group_named("web", of=member, account=account)
    with pytest.raises(Conflict, match="There is a security group web on india already"):
        services.create_group(actor=member, project=account.project, name="web")


@pytest.mark.parametrize("name", ["", "a b", "-x", "ü", "x" * 64, "sg/1"])
def test_what_is_no_name_is_refused(account: CloudAccount, member: User, name: str) -> None:
    with pytest.raises(Invalid, match="cannot be a security group's name"):
        services.create_group(actor=member, project=account.project, name=name)


def test_rules_come_and_go(account: CloudAccount, member: User) -> None:
    group = group_named("web", of=member, account=account, rules=("ssh", "icmp"))
    wish = services.change_group(actor=member, group=group, add=["https"], remove=["tcp:22:0.0.0.0/0"])
    assert ended(wish).state == "succeeded"
    group.refresh_from_db()
    assert [(rule["protocol"], rule["first_port"]) for rule in group.rules] == [("icmp", 0), ("tcp", 443)]
    assert len(at_cloud(account, "web")) == 2


def test_a_rule_that_is_not_there_is_named(account: CloudAccount, member: User) -> None:
    group = group_named("web", of=member, account=account, rules=("ssh",))
    with pytest.raises(NotFound, match=r"web on india has no rule tcp:23:0\.0\.0\.0/0\. Did you mean tcp:22:0"):
        services.change_group(actor=member, group=group, remove=["tcp:23"])
    with pytest.raises(Invalid, match="Say which rules"):
        services.change_group(actor=member, group=group)


def test_a_deleted_group_is_gone_here_and_there(account: CloudAccount, member: User) -> None:
    group = group_named("web", of=member, account=account)
    wish = services.delete_groups(actor=member, groups=[group])
    assert ended(wish).state == "succeeded"
    assert not SecurityGroup.objects.filter(name="web").exists()
    with connect.reaching(account) as driver:
        assert "web" not in {each.name for each in driver.security_groups()}


def test_a_group_in_use_says_so_in_the_clouds_words(account: CloudAccount, member: User) -> None:
    group = group_named("web", of=member, account=account)
    factories.boot(account, member, security_group="web")
    wish = ended(services.delete_groups(actor=member, groups=[group]))
    assert (wish.state, wish.state_reason) == ("failed", "Security group web is in use by 1 instance(s).")
    assert SecurityGroup.objects.filter(name="web").exists()


def test_what_a_colleague_made_is_changed_by_leaders_only(
    account: CloudAccount, member: User, colleague: User, lead: User
) -> None:
    group = group_named("web", of=member, account=account)
    with pytest.raises(NotAllowed, match="somebody else's"):
        services.change_group(actor=colleague, group=group, add=["ssh"])
    with pytest.raises(NotAllowed, match="somebody else's"):
        services.delete_groups(actor=colleague, groups=[group])
    assert ended(services.change_group(actor=lead, group=group, add=["ssh"])).state == "succeeded"


def test_a_cloud_that_is_switched_off_changes_nothing(account: CloudAccount, member: User) -> None:
    group = group_named("web", of=member, account=account)
    CloudAccount.objects.update(is_enabled=False)
    group.account.refresh_from_db()
    with pytest.raises(Conflict, match="The cloud india is switched off"):
        services.delete_groups(actor=member, groups=[group])


def test_groups_are_read_and_go_with_their_cloud(account: CloudAccount) -> None:
    with connect.reaching(account) as driver:
        made = driver.ensure_security_group("found", [Rule(protocol="tcp", first_port=80, last_port=80)])
    factories.read(account)
    found = SecurityGroup.objects.get(name="found")
    assert found.rules == [{"protocol": "tcp", "first_port": 80, "last_port": 80, "cidr": "0.0.0.0/0"}]
    with connect.reaching(account) as driver:
        driver.delete_security_group(made.id)
    factories.read(account)
    assert not SecurityGroup.objects.filter(name="found").exists()


def test_a_reading_that_began_before_an_operation_undoes_nothing(account: CloudAccount, member: User) -> None:
    began, kinds = factories.LONG_AGO, catalogue.CATALOGUES[Sync.Kind.SECURITY_GROUPS]
    with connect.reaching(account) as driver:
        stale = list(driver.security_groups())
    group = group_named("web", of=member, account=account, rules=("ssh",))
    assert catalogue.merge(account, kinds, stale, began) == 0
    assert SecurityGroup.objects.get(pk=group.pk).owner == member


def test_what_is_hurried_while_it_is_being_read_is_read_again_soon(account: CloudAccount) -> None:
    sync = account.syncs.get(kind=Sync.Kind.SECURITY_GROUPS)

    def read(claimed: Sync) -> float:
        schedule.hurry(account, Sync.Kind.SECURITY_GROUPS)
        return 300

    assert seconds_until_next(sync, read) < 10
    assert seconds_until_next(sync, lambda claimed: 300) > 200


def seconds_until_next(sync: Sync, read: Callable[[Sync], float]) -> float:
    Sync.objects.filter(pk=sync.pk).update(due_at=factories.LONG_AGO)
    claimed = pace.claim(Sync.objects.all(), sync.pk)
    assert claimed
    pace.run(claimed, read)
    return (Sync.objects.get(pk=sync.pk).due_at - timezone.now()).total_seconds()


# -- public addresses ----------------------------------------------------------------------------------------------


def test_addresses_are_reserved_and_given_back(account: CloudAccount, member: User) -> None:
    held = reserve(of=member, account=account, count=3)
    assert [(each.owner, each.server_provider_id) for each in held] == [(member, "")] * 3
    assert ended(services.release_addresses(actor=member, addresses=held)).state == "succeeded"
    assert not FloatingIp.objects.exists()
    with connect.reaching(account) as driver:
        assert list(driver.floating_ips()) == []


@pytest.mark.parametrize("count", [0, -1, 51])
def test_the_count_has_bounds(account: CloudAccount, member: User, count: int) -> None:
    with pytest.raises(Invalid, match="between 1 and 50"):
        services.reserve_addresses(actor=member, project=account.project, count=count)


def test_an_address_goes_to_a_server_and_off_it_again(account: CloudAccount, member: User) -> None:
    server = factories.boot(account, member)
    [address] = reserve(of=member, account=account)
    assert ended(services.assign_ip(actor=member, server=server, address=address.name)).result == {
        "address": address.name
    }
    address.refresh_from_db()
    server.refresh_from_db()
    assert (address.server_provider_id, server.public_addresses) == (server.provider_id, [address.name])
    with pytest.raises(Conflict, match=f"{address} is used by {server}"):
        services.release_addresses(actor=member, addresses=[address])
    ended(services.unassign_ip(actor=member, server=server))
    address.refresh_from_db()
    server.refresh_from_db()
    assert (address.server_provider_id, server.public_addresses) == ("", [])


def test_a_used_address_is_given_back_where_that_is_wanted(account: CloudAccount, member: User) -> None:
    server = factories.boot(account, member)
    [address] = reserve(of=member, account=account)
    ended(services.assign_ip(actor=member, server=server, address=address.name))
    address.refresh_from_db()
    ended(services.release_addresses(actor=member, addresses=[address], is_used=True))
    assert not FloatingIp.objects.exists()


def test_an_address_is_found_or_a_near_one_is_named(account: CloudAccount, member: User) -> None:
    server = factories.boot(account, member)
    [address] = reserve(of=member, account=account)
    with pytest.raises(NotFound, match="Did you mean"):
        services.assign_ip(actor=member, server=server, address=address.name[:-1])


def test_what_a_colleague_reserved_stays_theirs(account: CloudAccount, member: User, colleague: User) -> None:
    [theirs] = reserve(of=colleague, account=account)
    server = factories.boot(account, member)
    with pytest.raises(NotAllowed, match="somebody else's"):
        services.assign_ip(actor=member, server=server, address=theirs.name)
    with pytest.raises(NotAllowed, match="somebody else's"):
        services.release_addresses(actor=member, addresses=[theirs])
    given = ended(services.assign_ip(actor=member, server=server)).result["address"]
    assert given != theirs.name
    assert FloatingIp.objects.get(name=given).owner == member
    assert FloatingIp.objects.get(pk=theirs.pk).server_provider_id == ""


def test_a_boot_with_an_address_leaves_a_colleagues_alone(account: CloudAccount, member: User, colleague: User) -> None:
    [theirs] = reserve(of=colleague, account=account)
    server = factories.boot(account, member, floating_ip=True)
    assert server.public_addresses
    assert theirs.name not in server.public_addresses


def test_giving_back_the_address_of_a_server_keeps_what_a_colleague_reserved(
    account: CloudAccount, member: User, colleague: User, lead: User
) -> None:
    [theirs] = reserve(of=colleague, account=account)
    server = factories.boot(account, member)
    ended(services.assign_ip(actor=lead, server=server, address=theirs.name))
    ended(services.release_ip(actor=member, server=server))
    server.refresh_from_db()
    assert server.public_addresses == []
    assert FloatingIp.objects.get(pk=theirs.pk).server_provider_id == ""
    with connect.reaching(account) as driver:
        assert [each.address for each in driver.floating_ips()] == [theirs.name]


def test_a_reservation_that_is_taken_back_leaves_no_address(account: CloudAccount, member: User) -> None:
    wish = services.reserve_addresses(actor=member, project=account.project)
    with connect.reaching(account) as driver:
        driver.reserve_floating_ip(token=Operation.objects.get(pk=wish.pk).token)
    Operation.objects.filter(pk=wish.pk).update(state="running")
    wish.refresh_from_db()
    operations.cancel(actor=member, operation=wish)
    assert ended(wish).state == "cancelled"
    with connect.reaching(account) as driver:
        assert list(driver.floating_ips()) == []


# -- finding -------------------------------------------------------------------------------------------------------


def found(model: Any, names: list[str], actor: User, **more: str) -> set[str]:
    return {each.name for each in services.find_held(model, actor=actor, names=names, permission="cloud.view", **more)}


def test_groups_are_found_by_hostlist_glob_and_id(account: CloudAccount, member: User) -> None:
    SecurityGroup.objects.bulk_create(
        SecurityGroup(account=account, provider_id=name, name=name) for name in ("web1", "web2", "web10", "db")
    )
    db = SecurityGroup.objects.get(name="db")
    assert found(SecurityGroup, ["web[1-2]"], member) == {"web1", "web2"}
    assert found(SecurityGroup, ["web*", str(db.pk)], member) == {"web1", "web2", "web10", "db"}
    with pytest.raises(NotFound, match=r"no security group named 'wep1'.*web1"):
        found(SecurityGroup, ["wep1"], member)
    with pytest.raises(NotFound, match="No security group matches 'x\\*'"):
        found(SecurityGroup, ["x*"], member)
    with pytest.raises(Invalid, match="at least one"):
        found(SecurityGroup, [], member)


def test_the_cloud_tells_two_of_a_name_apart(account: CloudAccount, member: User) -> None:
    factories.make_account(account.project, member, "sierra")
    with pytest.raises(Ambiguous, match="Several security groups are named 'default'"):
        found(SecurityGroup, ["default"], member)
    assert found(SecurityGroup, ["default"], member, cloud="sierra") == {"default"}


def test_a_stranger_finds_nothing(account: CloudAccount, stranger: User, member: User) -> None:
    group_named("web", of=member, account=account)
    with pytest.raises(NotFound):
        found(SecurityGroup, ["web"], stranger)
    with pytest.raises(NotAllowed):
        services.create_group(actor=stranger, project=account.project, name="web2")
    assert Server.objects.count() == 0
