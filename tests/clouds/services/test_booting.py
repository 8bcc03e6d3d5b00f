"""A plan says what a boot would come to, and takes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Notice, User
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, PolicyDenied, QuotaExceeded
from cloudmesh.types import ServerState
from clouds import services
from clouds.models import CloudAccount, NameCounter, Server
from operations import services as operations
from operations.models import Operation, OperationState
from projects.models import Effect, Policy, PolicyState, Project, Quota
from tests.factories import do_all_work, make_servers, make_user
from tests.rest import Api

pytestmark = pytest.mark.django_db


def in_force(name: str, effect: str, service: str = "cloud:*", **fields: Any) -> Policy:
    policy = Policy(name=name, service=service, effect=effect, state=PolicyState.APPROVED, **fields)
    return lifecycle.begin([policy])[0]


def test_a_plan_tells_names_sizes_and_quotas_and_takes_nothing(
    account: CloudAccount, member: User, project: Project, lead: User
) -> None:
    Quota.objects.all().delete()
    Quota.objects.create(project=project, scope=account.lane, resource="instances", limit=10)
    Quota.objects.create(project=project, user=member, resource="cores", limit=4)
    make_servers(account, lead, 2)
    before = Event.objects.count()
    plan = services.plan_servers(actor=member, project=project, count=3)
    assert (plan.outcome, plan.refusal) == ("boots", "")
    assert plan.names == ["gregor_1", "gregor_2", "gregor_3"]
    assert [(room.whose, room.resource, room.used, room.limit, room.wanted, room.left) for room in plan.rooms] == [
        ("gregor", "cores", 0, 4, 3, 4),
        ("", "instances", 2, 10, 3, 8),
    ]
    assert not NameCounter.objects.exists()
    assert Server.objects.count() == 2
    assert Event.objects.count() == before
    assert not Operation.objects.filter(kind="server.create").exists()


def test_a_plan_and_the_boot_come_to_the_same(account: CloudAccount, member: User, project: Project) -> None:
    plan = services.plan_servers(actor=member, project=project, name="web", count=2, flavor="m1.small")
    services.boot_servers(actor=member, project=project, name="web", count=2, flavor="m1.small")
    servers = Server.objects.order_by("name")
    assert [server.name for server in servers] == list(plan.names) == ["web_1", "web_2"]
    assert {server.flavor for server in servers} == {plan.choice.flavor.provider_id}


def test_a_plan_tells_of_a_quota_that_would_be_passed_as_the_boot_does(
    account: CloudAccount, member: User, project: Project
) -> None:
    Quota.objects.filter(resource="instances").update(limit=2)
    plan = services.plan_servers(actor=member, project=project, count=3)
    with pytest.raises(QuotaExceeded) as caught:
        services.boot_servers(actor=member, project=project, count=3)
    assert plan.outcome == "refused"
    assert plan.refusal == caught.value.message


def test_what_a_policy_denies_is_not_booted(account: CloudAccount, member: User, project: Project) -> None:
    in_force("closed", Effect.DENY, "cloud:india", note="It moves house")
    plan = services.plan_servers(actor=member, project=project)
    with pytest.raises(
        PolicyDenied, match="policy closed, edition 1, denies cloud india \\(It moves house\\)"
    ) as caught:
        services.boot_servers(actor=member, project=project)
    assert plan.refusal == caught.value.message
    assert not Server.objects.exists()
    assert not NameCounter.objects.exists()


def test_all_servers_together_stay_below_a_policys_limit(account: CloudAccount, member: User, project: Project) -> None:
    in_force("small", Effect.ALLOW, limits={"instances": 3})
    services.boot_servers(actor=member, project=project, count=2)
    with pytest.raises(PolicyDenied, match="at most 3 servers all together, 2 are used and 2 more wanted"):
        services.boot_servers(actor=member, project=project, count=2)
    services.boot_servers(actor=member, project=project)


def test_a_wish_that_a_policy_asks_about_waits_until_somebody_else_approves(
    account: CloudAccount, member: User, lead: User, project: Project
) -> None:
    in_force("asking", Effect.ASK)
    plan = services.plan_servers(actor=member, project=project, count=2)
    assert (plan.outcome, plan.approvers) == ("waits", ["laszewski"])
    wish = services.boot_servers(actor=member, project=project, count=2)
    assert wish.state == OperationState.WAITING
    assert wish.params["decision"]["rules"][0]["policy"] == "asking"
    assert Notice.objects.get(user=lead, kind="approval").url == f"/operations/{wish.pk}/"
    assert list(operations.waiting_for(lead)) == [wish]
    assert not operations.waiting_for(member)
    with pytest.raises(Conflict, match="somebody else"):
        operations.approve(actor=lead, operation=services.boot_servers(actor=lead, project=project))
    do_all_work()
    assert set(Server.objects.values_list("state", flat=True)) == {ServerState.REQUESTED}
    operations.approve(actor=lead, operation=wish)
    do_all_work()
    assert set(Server.objects.filter(owner=member).values_list("state", flat=True)) == {ServerState.ACTIVE}
    with pytest.raises(Conflict, match="nothing to decide"):
        operations.approve(actor=lead, operation=wish)


def test_a_rejected_wish_leaves_nothing_and_says_why(
    account: CloudAccount, member: User, lead: User, project: Project
) -> None:
    in_force("asking", Effect.ASK)
    wish = services.boot_servers(actor=member, project=project, count=2)
    operations.reject(actor=lead, operation=wish, reason="Use sierra.")
    wish.refresh_from_db()
    assert (wish.state, wish.state_reason) == (OperationState.REJECTED, "Use sierra.")
    assert set(wish.children.values_list("state", flat=True)) == {OperationState.REJECTED}
    assert not Server.objects.exclude(state=ServerState.DELETED).exists()
    assert Notice.objects.get(user=member, kind="approval").text == "Use sierra."


def test_where_nobody_else_could_approve_administrators_are_asked(
    account: CloudAccount, lead: User, admin: User, project: Project
) -> None:
    in_force("asking", Effect.ASK)
    assert services.plan_servers(actor=lead, project=project).approvers == ["root"]
    services.boot_servers(actor=lead, project=project)
    assert Notice.objects.filter(user=admin, kind="approval").exists()


def test_operators_approve_in_every_project(account: CloudAccount, member: User, project: Project) -> None:
    operator = make_user("fugang")
    User.objects.filter(pk=operator.pk).update(portal_roles=["operator"])
    operator = User.objects.get(pk=operator.pk)
    in_force("asking", Effect.ASK)
    wish = services.boot_servers(actor=member, project=project)
    assert list(operations.waiting_for(operator)) == [wish]
    assert operations.approve(actor=operator, operation=wish).approved_by == operator


# -- over REST -------------------------------------------------------------------------------------------------


def test_the_plan_over_rest(api: Callable[..., Api], account: CloudAccount, member: User, project: Project) -> None:
    in_force("asking", Effect.ASK, limits={"instances_per_wish": 1})
    answer = api(member).post("servers/plan/", {"count": 2, "project": "fg101"})
    assert answer.status == 200
    assert answer["outcome"] == "waits"
    assert answer["names"] == ["gregor_1", "gregor_2"]
    assert answer["approvers"] == ["laszewski"]
    assert "at most 1 servers in one wish, 2 are wanted" in answer["decision"]["reasons"][0]
    assert {quota["resource"] for quota in answer["quotas"]} >= {"instances", "cores", "ram"}
    assert not Server.objects.exists()


def test_a_plan_refuses_what_a_boot_refuses(api: Callable[..., Api], account: CloudAccount, member: User) -> None:
    assert "Did you mean" in api(member).post("servers/plan/", {"cunt": 2}).detail
    assert api(member).post("servers/plan/", {"count": 0}).status == 400
    assert api(member).post("servers/plan/", {"image": "ubuntu-99"}).status == 404


def test_denials_are_told_to_programs(api: Callable[..., Api], account: CloudAccount, member: User) -> None:
    Quota.objects.filter(resource="instances").update(limit=1)
    full = api(member).post("servers/", {"count": 2})
    assert (full.status, full["resource"], full["left"], full["where"]) == (409, "instances", 1, "india")
    in_force("closed", Effect.DENY)
    denied = api(member).post("servers/", {})
    assert (denied.status, denied["type"]) == (403, "/docs/errors/policy-denied")
    assert denied["rules"][0]["policy"] == "closed"
    assert denied["next"]


def test_deciding_over_rest(
    api: Callable[..., Api], account: CloudAccount, member: User, lead: User, stranger: User
) -> None:
    in_force("asking", Effect.ASK)
    first, second = (api(member).post("servers/", {})["operation"]["id"] for _ in range(2))
    shown = api(member).get(f"operations/{first}/")
    assert shown["decision"]["rules"][0]["policy"] == "asking"
    assert "waits until a lead" in shown["next"]
    assert api(stranger).post(f"operations/{first}/approve/").status == 404
    assert api(member).post(f"operations/{first}/approve/").status == 403
    assert api(lead).post(f"operations/{first}/approve/")["state"] == "queued"
    assert api(lead).post(f"operations/{second}/reject/", {}).status == 400
    assert api(lead).post(f"operations/{second}/reject/", {"reason": "No."})["reason"] == "No."
    assert "Ask anew" in api(member).get(f"operations/{second}/")["next"]


# -- in the dialog ---------------------------------------------------------------------------------------------


def test_the_dialog_says_what_its_boot_would_come_to(
    client: Client, account: CloudAccount, member: User, project: Project
) -> None:
    client.force_login(member)

    def said(**form: str) -> str:
        return " ".join(client.get("/servers/boot/plan/", form).content.decode().split())

    assert "2 servers, 2 cores, 4 GiB: boots at once; free now:" in said(count="2", flavor="m1.small")
    assert "should be a number" in said(count="two")
    assert "no image" in said(image="ubuntu-99")
    in_force("asking", Effect.ASK)
    assert "needs approval" in said()
    assert "It can come from laszewski." in said()
    Quota.objects.filter(resource="instances").update(limit=0)
    assert "would be refused" in said()
    assert not Server.objects.exists()
