"""Policies: what they say to a wish, how they come into force, and who may do what with them."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Notice, User
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, IllegalTransition, Invalid, NotAllowed, PolicyDenied
from projects import services
from projects.models import Effect, Policy, PolicyState, Project
from projects.policy import Decision, Used, Wish, decide
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db: None) -> User:
    return make_operator("fugang")


@pytest.fixture
def other(db: None) -> User:
    return make_operator("badi")


def make_operator(name: str) -> User:
    user = factories.make_user(name)
    User.objects.filter(pk=user.pk).update(portal_roles=["operator"])
    return User.objects.get(pk=user.pk)


def in_force(name: str, service: str, effect: str = Effect.ALLOW, **fields: Any) -> Policy:
    """A policy as if it had been approved."""
    policy = Policy(name=name, service=service, effect=effect, state=PolicyState.APPROVED, **fields)
    return lifecycle.begin([policy])[0]


def ask(actor: User, project: Project, service: str = "cloud:india", used: Used | None = None, **want: int) -> Decision:
    wish = Wish(service=service, resources=want or {"instances": 1}, used=lambda: used or Used())
    return decide(actor=actor, project=project, wish=wish)


# -- decisions -------------------------------------------------------------------------------------------------


def test_clouds_and_queues_are_open_and_machines_closed(member: User, project: Project) -> None:
    assert ask(member, project).effect is Effect.ALLOW
    assert ask(member, project, "queue:batch").effect is Effect.ALLOW
    denied = ask(member, project, "machines:i[1-3]")
    assert denied.effect is Effect.DENY
    assert denied.reasons == ("No policy allows machines i1, i2, i3 to you in the project fg101.",)
    assert "operators" in denied.next


def test_deny_wins_over_ask_over_allow(member: User, project: Project) -> None:
    in_force("open", "cloud:*")
    assert ask(member, project).effect is Effect.ALLOW
    in_force("asking", "cloud:india", Effect.ASK, note="India is small.")
    asked = ask(member, project)
    assert asked.effect is Effect.ASK
    assert [(rule.policy, rule.edition) for rule in asked.rules] == [("asking", 1)]
    assert asked.reasons == ("The policy asking, edition 1, asks for approval of cloud india (India is small).",)
    assert "lead or manager of fg101" in asked.next
    in_force("closed", "cloud:in*", Effect.DENY)
    denied = ask(member, project)
    assert [rule.policy for rule in denied.rules] == ["closed"]
    assert ask(member, project, "cloud:sierra").effect is Effect.ALLOW


def test_all_machines_of_a_wish_must_be_covered_by_policies_together(member: User, project: Project) -> None:
    in_force("first", "machines:i[1-4]", subject_kind="project", subject="fg101")
    in_force("second", "machines:i[5-8]", subject_kind="user", subject="gregor")
    assert ask(member, project, "machines:i[1-8]").effect is Effect.ALLOW
    denied = ask(member, project, "machines:i[7-10]")
    assert denied.effect is Effect.DENY
    assert denied.reasons == ("No policy allows machines i10, i9 to you in the project fg101.",)
    in_force("broken", "machines:i3", Effect.DENY, note="Its disk is gone")
    assert ask(member, project, "machines:i[1-4]").reasons == (
        "The policy broken, edition 1, denies machines i3 (Its disk is gone).",
    )


@pytest.mark.parametrize(
    ("kind", "subject", "concerned"),
    [
        ("everyone", "", True),
        ("role", "member", True),
        ("role", "lead, manager", False),
        ("role", "operator", False),
        ("project", "fg[100-102]", True),
        ("project", "fg355", False),
        ("user", "gregor, badi", True),
        ("rule", "project in (fg101, fg355) and not user = gregor", False),
        ("rule", "project = fg101 and role = member", True),
    ],
)
def test_a_policy_is_about_its_subject_alone(
    member: User, project: Project, kind: str, subject: str, concerned: bool
) -> None:
    in_force("closed", "cloud:*", Effect.DENY, subject_kind=kind, subject=subject)
    assert (ask(member, project).effect is Effect.DENY) is concerned


def test_a_policy_holds_only_in_its_window_and_once_approved(member: User, project: Project) -> None:
    hour = datetime.timedelta(hours=1)
    now = timezone.now()
    in_force("over", "cloud:*", Effect.DENY, ends_at=now - hour)
    in_force("later", "cloud:*", Effect.DENY, starts_at=now + hour)
    lifecycle.begin([Policy(name="draft", service="cloud:*", effect=Effect.DENY, state=PolicyState.PROPOSED)])
    assert ask(member, project).effect is Effect.ALLOW
    in_force("now", "cloud:*", Effect.DENY, starts_at=now - hour, ends_at=now + hour)
    assert ask(member, project).effect is Effect.DENY


def test_an_allowing_policy_allows_up_to_its_limits_and_says_the_numbers(member: User, project: Project) -> None:
    in_force("small", "cloud:india", limits={"instances": 5, "cores_per_wish": 4})
    assert ask(member, project, instances=5, cores=4).effect is Effect.ALLOW
    denied = ask(member, project, used=Used(project={"instances": 3}), instances=3, cores=8)
    assert denied.effect is Effect.DENY
    assert denied.reasons == (
        "The policy small, edition 1, allows cloud india only up to its limits: at most 5 servers all together, "
        "3 are used and 3 more wanted; at most 4 cores in one wish, 8 are wanted.",
    )
    in_force("large", "cloud:*", subject_kind="user", subject="gregor", limits={"instances": 10})
    assert ask(member, project, used=Used(project={"instances": 9}, member={"instances": 1}), instances=3).effect == (
        Effect.ALLOW  # a policy for users counts what the user has
    )


def test_asking_and_denying_begin_beyond_the_limits(member: User, project: Project) -> None:
    in_force("many", "cloud:*", Effect.ASK, limits={"instances_per_wish": 10})
    in_force("most", "cloud:*", Effect.DENY, limits={"instances_per_wish": 100})
    assert [ask(member, project, instances=count).effect for count in (10, 11, 100, 101)] == [
        Effect.ALLOW,
        Effect.ASK,
        Effect.ASK,
        Effect.DENY,
    ]


def test_what_is_used_is_asked_only_where_a_limit_needs_it(member: User, project: Project) -> None:
    def never() -> Used:
        raise AssertionError("nothing limits all together here")

    in_force("small", "cloud:india", limits={"instances_per_wish": 5})
    wish = Wish(service="cloud:india", resources={"instances": 1}, used=never)
    assert decide(actor=member, project=project, wish=wish).effect is Effect.ALLOW


def test_a_decision_is_one_question_however_many_policies(member: User, project: Project) -> None:
    for number in range(40):
        in_force(f"p{number}", "cloud:*", subject_kind="rule", subject=f"user = nobody{number} and role = member")
    with CaptureQueriesContext(connection) as queries:
        ask(member, project)
    assert len(queries) == 1


def test_what_is_denied_says_so_to_programs_too(member: User, project: Project) -> None:
    in_force("closed", "cloud:*", Effect.DENY)
    with pytest.raises(PolicyDenied) as caught:
        ask(member, project).require()
    assert caught.value.facts["rules"] == [
        {
            "policy": "closed",
            "edition": 1,
            "effect": "deny",
            "reason": "The policy closed, edition 1, denies cloud india.",
        }
    ]
    assert caught.value.message.endswith(caught.value.facts["next"])


# -- how they come and go --------------------------------------------------------------------------------------


def draft(actor: User, **fields: Any) -> Policy:
    return services.draft_policy(actor=actor, **{"name": "india", "effect": "ask", "service": "cloud:india"} | fields)


def test_who_proposes_does_not_approve(operator: User, other: User, member: User, project: Project) -> None:
    policy = services.propose_policy(actor=operator, policy=draft(operator))
    assert ask(member, project).effect is Effect.ALLOW
    assert Notice.objects.filter(user=other, title__contains="proposes the policy india").exists()
    with pytest.raises(Conflict, match="cannot approve it"):
        services.approve_policy(actor=operator, policy=policy)
    services.approve_policy(actor=other, policy=policy)
    assert ask(member, project).effect is Effect.ASK
    assert Notice.objects.filter(user=operator, title__contains="badi approved").exists()
    told = list(Event.objects.filter(object_id=policy.pk).order_by("pk").values_list("verb", "actor_name"))
    assert told == [("drafted", "fugang"), ("proposed", "fugang"), ("approved", "badi")]


def test_a_change_is_a_new_edition_and_the_old_one_holds_until_it_is_approved(
    operator: User, other: User, member: User, project: Project
) -> None:
    first = services.approve_policy(actor=other, policy=services.propose_policy(actor=operator, policy=draft(operator)))
    second = services.edit_policy(actor=operator, policy=first, effect="deny", limits={"instances": 3})
    assert (second.edition, second.state, second.series) == (2, PolicyState.DRAFT, first.series)
    assert services.changes_between(first, second) == [("effect", "ask", "deny"), ("limits", "", "instances=3")]
    with pytest.raises(Conflict, match="draft already"):
        services.edit_policy(actor=operator, policy=first, effect="allow")
    services.propose_policy(actor=operator, policy=second)
    assert ask(member, project, instances=9).effect is Effect.ASK
    services.approve_policy(actor=other, policy=second)
    first.refresh_from_db()
    assert (first.state, first.state_reason) == (PolicyState.RETIRED, "Edition 2 took its place.")
    assert ask(member, project, instances=9).effect is Effect.DENY


def test_a_proposed_policy_goes_back_with_a_reason_and_may_then_be_changed(operator: User, other: User) -> None:
    policy = services.propose_policy(actor=operator, policy=draft(operator))
    with pytest.raises(Conflict, match="return it to a draft first"):
        services.edit_policy(actor=operator, policy=policy, effect="deny")
    with pytest.raises(Invalid, match="Say why"):
        services.return_policy(actor=other, policy=policy, reason=" ")
    services.return_policy(actor=other, policy=policy, reason="Too strict.")
    assert services.edit_policy(actor=operator, policy=policy, effect="allow") == policy
    policy.refresh_from_db()
    assert (policy.effect, policy.edition, policy.state) == (Effect.ALLOW, 1, PolicyState.DRAFT)


def test_a_retired_policy_holds_no_more(operator: User, other: User, member: User, project: Project) -> None:
    policy = in_force("closed", "cloud:*", Effect.DENY)
    services.retire_policy(actor=operator, policy=policy, reason="It was a test.")
    assert ask(member, project).effect is Effect.ALLOW
    with pytest.raises(IllegalTransition):
        services.approve_policy(actor=other, policy=policy)


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"name": "Not a name"}, "name", "cannot be a policy's name"),
        ({"effect": "alow"}, "effect", "Did you mean allow"),
        ({"service": "clod:india"}, "service", "Did you mean cloud"),
        ({"service": "india"}, "service", "cloud:NAMES"),
        ({"service": "machines:i[1-"}, None, "brackets"),
        ({"subject_kind": "user", "subject": "gregr"}, "subject", "Did you mean gregor"),
        ({"subject_kind": "project", "subject": "fg101, fg102"}, "subject", "no project 'fg102'"),
        ({"subject_kind": "role", "subject": "leed"}, "subject", "Did you mean lead"),
        ({"subject_kind": "role", "subject": ""}, "subject", "Say which"),
        ({"subject_kind": "rule", "subject": "user = gregr"}, "subject", "Did you mean gregor"),
        ({"subject_kind": "rule", "subject": "portal_role = boss"}, "subject", "no portal role 'boss'"),
        ({"subject_kind": "rule", "subject": "user ="}, "subject", "a name is expected"),
        ({"limits": {"core": 3}}, "limits", "Did you mean cores"),
        ({"limits": {"cores": -1}}, "limits", "whole number"),
        ({"limits": {"cores": "8"}}, "limits", "whole number"),
        ({"ends": "soon"}, "ends", "is no time"),
    ],
)
def test_what_makes_no_sense_is_refused(
    operator: User, member: User, project: Project, wrong: dict[str, Any], field: str | None, said: str
) -> None:
    with pytest.raises(Invalid) as caught:
        draft(operator, **wrong)
    assert said in caught.value.message
    assert field is None or caught.value.facts["field"] == field
    assert not Policy.objects.exists()


def test_two_policies_of_one_name_are_one_too_many(operator: User) -> None:
    draft(operator)
    with pytest.raises(Conflict, match="named india already"):
        draft(operator)


def test_only_staff_touch_policies(member: User, lead: User, operator: User) -> None:
    policy = services.propose_policy(actor=operator, policy=draft(operator))
    for deed in (
        lambda: draft(lead, name="mine"),
        lambda: services.approve_policy(actor=lead, policy=policy),
        lambda: services.retire_policy(actor=member, policy=policy, reason="No."),
        lambda: services.return_policy(actor=member, policy=policy, reason="No."),
    ):
        with pytest.raises(NotAllowed):
            deed()


def test_whom_a_subject_is_about_can_be_seen_before(member: User, lead: User, project: Project, stranger: User) -> None:
    found = services.concerned(subject_kind="rule", subject="project = fg101 and not role = lead")
    assert (found.people, found.projects, found.some) == (1, 1, ["gregor in fg101"])
    assert services.concerned(subject_kind="everyone", subject="").people == 3
    assert found.rule == "project = fg101 and role != lead"


def test_members_ask_for_themselves_leads_for_theirs_and_staff_for_all(
    member: User, lead: User, stranger: User, operator: User, project: Project
) -> None:
    in_force("closed", "cloud:*", Effect.DENY, subject_kind="user", subject="gregor")
    for actor in (member, lead, operator):
        decision = services.effective_policy(actor=actor, user=member, project=project, service="cloud:india")
        assert decision.effect is Effect.DENY
    with pytest.raises(NotAllowed):
        services.effective_policy(actor=member, user=lead, project=project, service="cloud:india")
    with pytest.raises(NotAllowed):
        services.effective_policy(actor=stranger, user=stranger, project=project, service="cloud:india")
