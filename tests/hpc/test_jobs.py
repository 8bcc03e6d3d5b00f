"""Jobs from wish to end on a simulated scheduler: submitted once, followed, read, cancelled, and refused with words."""

import uuid
from typing import Any

import pytest
from django.db.models import QuerySet

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound, PolicyDenied, QuotaExceeded
from hpc import services
from hpc.drivers.simulator import control
from hpc.models import Cluster, Experiment, Job, Queue, Scheduler
from operations import engine
from operations import services as operations
from operations.models import Operation
from projects.models import Policy, PolicyState, Project, Quota, Span
from tests import factories
from tests.hpc.conftest import read_all

pytestmark = pytest.mark.django_db


def submit(cluster: Cluster, actor: User, script: str = "echo hello\n", **wanted: Any) -> Job:
    project = wanted.pop("project", None) or cluster.scheduler.project
    operation = services.submit_job(actor=actor, project=project, cluster=cluster, script=script, **wanted)
    return Job.objects.get(pk=operation.target_id)


def ours() -> QuerySet[Job]:
    """A new world has other people's jobs, too."""
    return Job.objects.filter(project__isnull=False)


def run(job: Job) -> Job:
    """What a worker does, and then a reading."""
    factories.do_all_work()
    read_all(job.scheduler)
    job.refresh_from_db()
    return job


def told(operation: Operation) -> Operation:
    factories.do_all_work()
    operation.refresh_from_db()
    return operation


def test_a_job_runs_to_its_end_and_is_counted_once(cluster: Cluster, hpc_world: control.World, member: User) -> None:
    control.set_speed(hpc_world, 1000)
    job = run(submit(cluster, member, "echo hello\nsleep 100\necho bye\n", name="greet", cores=2, walltime=600))
    assert job.provider_id
    for _ in range(100):
        if job.is_ended:
            break
        read_all(job.scheduler)
        job.refresh_from_db()
    assert (job.state, job.exit_code, job.owner, job.cluster.name) == ("completed", 0, member, "india")
    experiment = Experiment.objects.get(job=job)
    assert (experiment.number, experiment.directory) == (1, job.directory)
    answer = told(services.read_job_file(actor=member, job=job, which="output"))
    assert answer.result["text"] == "hello\nbye\n"
    read_all(job.scheduler)
    span = Span.objects.get(object_id=job.pk)
    assert (span.cores, span.project, span.ends_at is None) == (2, job.project, False)


def test_one_wish_is_one_job_whatever_gets_lost(cluster: Cluster, hpc_world: control.World, member: User) -> None:
    control.fail(hpc_world, "submit", "lost-answer", times=1)
    job = submit(cluster, member, "sleep 1000")
    operation = Operation.objects.get(target_id=job.pk)
    engine.run(operation.pk)
    Operation.objects.update(not_before=factories.LONG_AGO)
    job = run(job)
    assert Job.objects.filter(login="demo").count() == 1
    assert (job.provider_id != "", told(operation).state) == (True, "succeeded")


def test_jobs_are_held_released_and_cancelled(cluster: Cluster, member: User) -> None:
    job = run(submit(cluster, member, "sleep 1000", is_held=True))
    assert job.state == "held"
    told(services.change_jobs(actor=member, jobs=[job], action="release"))
    assert run(job).state in ("queued", "running")
    told(services.change_jobs(actor=member, jobs=[job], action="cancel"))
    assert run(job).state == "cancelled"
    with pytest.raises(Conflict, match="is cancelled"):
        services.change_jobs(actor=member, jobs=[job], action="cancel")


def test_a_wish_that_is_taken_back_leaves_no_job(cluster: Cluster, member: User) -> None:
    job = submit(cluster, member, "sleep 1000")
    operations.cancel(actor=member, operation=Operation.objects.get(target_id=job.pk))
    assert run(job).state == "cancelled"
    assert not ours().exclude(provider_id="").exists()


def test_others_see_a_job_and_may_not_touch_it(cluster: Cluster, member: User, stranger: User) -> None:
    job = run(submit(cluster, member, "sleep 1000"))
    assert services.find_cluster(actor=stranger, name="india") == cluster
    with pytest.raises(NotAllowed):
        services.change_jobs(actor=stranger, jobs=[job], action="cancel")
    with pytest.raises(NotAllowed):
        services.read_job_file(actor=stranger, job=job, which="script")
    with pytest.raises(NotAllowed):
        services.find_jobs(actor=stranger, names=[job.provider_id], permission="job.change")
    Scheduler.objects.update(shows_all=False)
    with pytest.raises(NotFound):
        services.find_jobs(actor=stranger, names=[str(job.pk)], permission="job.change")


def test_a_job_is_found_by_any_of_its_names(cluster: Cluster, member: User) -> None:
    jobs = [run(submit(cluster, member, "sleep 1000", name=name)) for name in ("train-1", "train-2", "other")]

    def find(*names: str) -> set[str]:
        return {job.name for job in services.find_jobs(actor=member, names=names, permission="job.change")}

    assert find("train-[1-2]") == find("train-*") == {"train-1", "train-2"}
    assert find(str(jobs[2].pk), jobs[0].provider_id) == {"other", "train-1"}
    with pytest.raises(NotFound, match="Did you mean"):
        find("trian-1")
    with pytest.raises(NotFound):
        find(str(uuid.uuid4()))


@pytest.mark.parametrize(
    ("wanted", "field", "words"),
    [
        ({"script": " "}, "script", "no script"),
        ({"script": "x" * 2_000_000}, "script", "at most"),
        ({"queue": "bacth"}, "queue", "Did you mean batch"),
        ({"queue": "a b"}, "queue", "cannot be a queue"),
        ({"nodes": 0}, "nodes", "whole number"),
        ({"nodes": "many"}, "nodes", "whole number"),
        ({"walltime": 10**9}, "walltime", "whole number"),
        ({"walltime": 300 * 86_400}, "walltime", "minutes at most"),
        ({"array": "1-"}, "array", "is no array"),
        ({"array": "1-9999999"}, "array", "at most"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(
    cluster: Cluster, member: User, wanted: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as error:
        submit(cluster, member, **wanted)
    assert error.value.facts["field"] == field
    assert not ours().exists()


@pytest.mark.parametrize("name", ["; rm -rf ~", "a\nb", "$(reboot)", "'\"`", "\N{SNOWMAN}" * 1000])
def test_any_name_goes_through_harmlessly(cluster: Cluster, member: User, name: str) -> None:
    job = run(submit(cluster, member, "sleep 1000", name=name))
    assert job.provider_id
    assert "\n" not in job.name


def test_quotas_and_policies_hold(cluster: Cluster, member: User, project: Project) -> None:
    Quota.objects.create(project=project, resource="jobs", limit=1, scope=cluster.scheduler.lane)
    submit(cluster, member, "sleep 1000")
    with pytest.raises(QuotaExceeded, match="quota of jobs on india"):
        submit(cluster, member, "sleep 1000")
    plan = services.plan_job(actor=member, project=project, cluster=cluster, script="x", array="1-10", walltime=7200)
    assert (plan.outcome, plan.resources["jobs"], plan.resources["core_hours"]) == ("refused", 10, 20)
    assert ours().count() == 1


def test_a_queue_is_closed_by_a_policy(cluster: Cluster, member: User, project: Project) -> None:
    lifecycle.begin([Policy(name="closed", service="queue:india/batch", effect="deny", state=PolicyState.APPROVED)])
    with pytest.raises(PolicyDenied, match="closed"):
        submit(cluster, member, queue="batch")
    submit(cluster, member, queue=Queue.objects.filter(cluster=cluster).exclude(name="batch")[0].name)


def test_a_forecast_is_told_and_nothing_submitted(cluster: Cluster, member: User, project: Project) -> None:
    asked = services.forecast_job(actor=member, project=project, cluster=cluster, script="sleep 5", walltime=60)
    assert told(asked).state == "succeeded", asked.state_reason
    assert set(asked.result) == {"start", "hosts", "text"}
    assert not ours().exists()


def test_experiments_are_removed_by_number_and_only_ended_ones(
    cluster: Cluster, hpc_world: control.World, member: User, stranger: User
) -> None:
    job = run(submit(cluster, member, "sleep 1000"))
    [experiment] = services.find_experiments(actor=member, numbers=["1"])
    with pytest.raises(Conflict, match="Cancel it first"):
        services.remove_experiments(actor=member, experiments=[experiment])
    for actor, numbers in ((member, []), (member, ["7"]), (stranger, ["1"])):
        with pytest.raises(NotFound):
            services.find_experiments(actor=actor, numbers=numbers)
    told(services.change_jobs(actor=member, jobs=[job], action="cancel"))
    run(job)
    [experiment] = services.find_experiments(actor=member, numbers=["1"])
    assert told(services.remove_experiments(actor=member, experiments=[experiment])).state == "succeeded"
    experiment.refresh_from_db()
    assert experiment.removed_at


def test_a_scheduler_that_is_away_keeps_its_last_data(cluster: Cluster, hpc_world: control.World, member: User) -> None:
    job = run(submit(cluster, member, "sleep 1000"))
    queues = Queue.objects.count()
    control.outage(hpc_world, on=True)
    for _ in range(3):
        read_all(cluster.scheduler)
    cluster.scheduler.refresh_from_db()
    assert (cluster.scheduler.health, cluster.scheduler.is_open_circuit) == ("down", True)
    job.refresh_from_db()
    assert job.state in ("queued", "running", "starting")
    assert Queue.objects.count() == queues > 0
