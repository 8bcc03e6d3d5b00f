"""Policies for queues: `queue:CLUSTER/QUEUE` is denied or asked about, whoever wishes in whichever way."""

from typing import Any

import pytest

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import NotAllowed, PolicyDenied
from hpc import services
from hpc.models import Cluster, Job, Scheduler
from operations import services as operations
from operations.models import Operation
from projects.models import Policy, PolicyState, Project
from projects.services import effective_policy
from tests import factories
from tests.hpc.conftest import read_all

pytestmark = pytest.mark.django_db
SLEEP = "sleep 1000"


def rule(effect: str, service: str, name: str = "ours", **facts: Any) -> None:
    lifecycle.begin([Policy(name=name, service=service, effect=effect, state=PolicyState.APPROVED, **facts)])


def submit(cluster: Cluster, actor: User, **wanted: Any) -> tuple[Job, Operation]:
    project = cluster.scheduler.project
    operation = services.submit_job(actor=actor, project=project, cluster=cluster, script=SLEEP, **wanted)
    factories.do_all_work()
    operation.refresh_from_db()
    return Job.objects.get(pk=operation.target_id), operation


def outcome(cluster: Cluster, actor: User, **wanted: Any) -> str:
    """What a dry run says."""
    project = cluster.scheduler.project
    return services.plan_job(actor=actor, project=project, cluster=cluster, script=SLEEP, **wanted).outcome


@pytest.fixture
def delta(registered: Scheduler) -> Cluster:
    return registered.clusters.select_related("scheduler__project").get(name="delta")


@pytest.mark.parametrize(
    ("service", "closed"),
    [
        ("queue:india/long", {"india/long"}),
        ("queue:india/*", {"india/batch", "india/long", "india/debug"}),
        ("queue:*/d*", {"india/debug", "delta/delta", "delta/delta-long"}),
        ("queue:india/long,delta/delta-long", {"india/long", "delta/delta-long"}),
        ("queue:*", {"india/batch", "india/long", "india/debug", "delta/delta", "delta/delta-long"}),
        ("queue:long", set()),  # queues are named with their cluster
        ("cloud:*", set()),
    ],
)
def test_a_policy_closes_the_queues_that_it_names(
    cluster: Cluster, delta: Cluster, member: User, service: str, closed: set[str]
) -> None:
    rule("deny", service)
    found = {
        f"{each}/{queue.name}"
        for each in (cluster, delta)
        for queue in each.queues.all()
        if outcome(each, member, queue=queue.name) == "refused"
    }
    assert found == closed


def test_what_is_denied_leaves_nothing_and_says_why(cluster: Cluster, member: User) -> None:
    rule("deny", "queue:india/long", name="exam week", note="The nodes are kept for the exam until Friday.")
    with pytest.raises(PolicyDenied, match="kept for the exam") as denial:
        submit(cluster, member, queue="long")
    assert [each["policy"] for each in denial.value.facts["rules"]] == ["exam week"]
    assert not Job.objects.filter(project__isnull=False).exists()
    assert not Operation.objects.filter(kind="job.submit").exists()
    assert submit(cluster, member, queue="debug")[0].provider_id


def test_the_queue_that_is_meant_when_none_is_named_counts(cluster: Cluster, member: User) -> None:
    rule("deny", "queue:india/batch")
    assert outcome(cluster, member) == "refused"
    with pytest.raises(PolicyDenied):
        submit(cluster, member)


def test_what_is_asked_about_waits_for_somebody_else(cluster: Cluster, member: User, lead: User) -> None:
    rule("ask", "queue:india/long")
    assert outcome(cluster, member, queue="long") == "waits"
    job, wish = submit(cluster, member, queue="long")
    assert (wish.state, job.state, job.provider_id) == ("waiting_approval", "requested", "")
    with pytest.raises(NotAllowed):
        operations.approve(actor=member, operation=wish)
    operations.approve(actor=lead, operation=wish)
    factories.do_all_work()
    read_all(cluster.scheduler)
    job.refresh_from_db()
    assert job.provider_id
    assert job.queue == "long"


def test_what_is_rejected_is_never_submitted(cluster: Cluster, member: User, lead: User) -> None:
    rule("ask", "queue:india/long")
    job, wish = submit(cluster, member, queue="long")
    operations.reject(actor=lead, operation=wish, reason="Use batch for this.")
    factories.do_all_work()
    job.refresh_from_db()
    assert (job.is_ended, job.provider_id, job.state_reason) == (True, "", "Use batch for this.")


def test_limits_of_one_wish_and_of_all_together(cluster: Cluster, member: User) -> None:
    rule("ask", "queue:india/*", limits={"cores_per_wish": 8, "walltime_hours": 4, "jobs": 2})
    fits = {"tasks": 4, "cores": 2, "walltime": 4 * 3600}
    assert outcome(cluster, member, **fits) == "submits"
    assert outcome(cluster, member, **fits | {"tasks": 5}) == "waits"
    assert outcome(cluster, member, **fits | {"walltime": 5 * 3600}) == "waits"
    assert outcome(cluster, member, array="1-3") == "waits"
    for _ in range(2):
        submit(cluster, member, **fits)
    assert outcome(cluster, member, **fits) == "waits"
    assert outcome(cluster, member, queue="debug") == "submits"  # what is in another queue is not counted


def test_a_job_without_a_walltime_counts_with_that_of_its_queue(cluster: Cluster, member: User) -> None:
    rule("deny", "queue:india/*", limits={"walltime_hours": 4})
    assert outcome(cluster, member, queue="batch") == "submits"
    assert outcome(cluster, member, queue="long") == "refused"


def test_a_policy_is_about_some_and_not_about_others(cluster: Cluster, member: User, lead: User) -> None:
    rule("deny", "queue:india/long", subject_kind="rule", subject="not role = lead")
    assert outcome(cluster, member, queue="long") == "refused"
    assert outcome(cluster, lead, queue="long") == "submits"


def test_a_plan_shows_what_is_asked_and_who_decides(cluster: Cluster, member: User) -> None:
    rule("ask", "queue:india/long", note="Week-long jobs are looked at first.")
    plan = services.plan_job(
        actor=member, project=cluster.scheduler.project, cluster=cluster, script=SLEEP, queue="long"
    )
    assert plan.refusal == ""
    assert "a lead or manager" in plan.decision.next
    assert "looked at first" in " ".join(plan.decision.reasons)


def test_anybody_may_ask_what_holds_for_a_queue(cluster: Cluster, member: User, project: Project) -> None:
    rule("deny", "queue:india/long")
    decided = {
        name: effective_policy(actor=member, user=member, project=project, service=f"queue:india/{name}").effect
        for name in ("long", "batch")
    }
    assert decided == {"long": "deny", "batch": "allow"}
