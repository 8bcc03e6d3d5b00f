"""Taking over what a scheduler reports: jobs, queues and nodes, and to whom they belong."""

import dataclasses
import datetime
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from activity.models import Event
from cloudmesh import types
from cloudmesh.types import JobState, NodeState, QueueState
from hpc.models import Cluster, Job, Load, Login, Node, Queue, Scheduler
from hpc.sync import jobs, machines, placing
from operations.models import CredentialState
from projects.models import Project, Span
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def scheduler(project: Project, lead: User) -> Scheduler:
    return factories.make_scheduler(project, lead, clusters={"delta": ["delta*"], "india": []})


def job(id: str = "7", **more: Any) -> types.Job:
    facts: dict[str, Any] = {
        "name": "train",
        "state": JobState.QUEUED,
        "queue": "batch",
        "login": "fsalice",
        "cores": 4,
    }
    return types.Job(id=id, **facts | more | {"native": {"id": id, **{k: str(v) for k, v in more.items()}}})


def read(scheduler: Scheduler, *seen: types.Job, accounted: tuple[types.Job, ...] = ()) -> tuple[int, int]:
    return jobs.merge(jobs.begin(scheduler, seen, timezone.now()), accounted)


def verbs(record: Job) -> list[str]:
    return list(Event.objects.filter(object_id=record.pk).order_by("pk").values_list("verb", flat=True))


def test_a_job_of_somebody_unknown_is_found_and_shown(scheduler: Scheduler) -> None:
    assert read(scheduler, job(queue="delta-long", reason="It waits for 4 free cores.")) == (1, 1)
    found = Job.objects.get()
    assert (found.cluster.name, found.project, found.owner, found.login) == ("delta", None, None, "fsalice")
    assert (found.state, found.state_reason) == ("queued", "It waits for 4 free cores.")
    event = Event.objects.get(object_id=found.pk)
    assert (event.verb, event.topic) == ("found", scheduler.topic)


def test_a_known_login_and_an_account_named_like_a_project_tell_whose_it_is(
    scheduler: Scheduler, member: User, project: Project
) -> None:
    Login.objects.create(scheduler=scheduler, user=member, name="fsalice", state=CredentialState.ACTIVE)
    read(scheduler, job(account=project.name), job("8", account="elsewhere"), job("9", login="root"))
    owners = {each.provider_id: (each.owner, each.project) for each in Job.objects.all()}
    assert owners == {"7": (member, project), "8": (member, None), "9": (None, None)}
    assert Event.objects.get(object_id=Job.objects.get(provider_id="7").pk).topic == f"project:{project.pk}"


def test_what_did_not_change_is_not_written(scheduler: Scheduler, django_assert_max_num_queries: Any) -> None:
    many = [job(str(number)) for number in range(300)]
    assert read(scheduler, *many) == (300, 300)
    versions = set(Job.objects.values_list("version", flat=True))
    with django_assert_max_num_queries(8):
        assert read(scheduler, *many) == (300, 0)
    assert set(Job.objects.values_list("version", flat=True)) == versions
    with django_assert_max_num_queries(25):
        assert read(scheduler, *[dataclasses.replace(each, state=JobState.RUNNING) for each in many]) == (300, 300)


def test_a_wish_whose_answer_was_lost_is_bound_by_its_token(
    scheduler: Scheduler, member: User, project: Project
) -> None:
    wished = factories.make_job(
        scheduler,
        "train",
        provider_id="",
        state=JobState.REQUESTED,
        token="t0",
        project=project,
        owner=member,
        script="true",
    )
    read(scheduler, job(token="t0"))
    bound = Job.objects.get()
    assert (bound.pk, bound.provider_id, bound.state, bound.project) == (wished.pk, "7", "queued", project)


def test_a_token_on_somebody_elses_job_makes_it_nobodys(scheduler: Scheduler, member: User, project: Project) -> None:
    wished = factories.make_job(
        scheduler, project=project, owner=member, provider_id="", state=JobState.REQUESTED, token="t1", script="true"
    )
    read(scheduler, job("8", token="t1", login="mallory"))
    assert Job.objects.get(provider_id="8").project is None
    read(scheduler, job("8", token="t1", login="mallory"), job("9", token="t1"))
    wished.refresh_from_db()
    assert (wished.provider_id, wished.state) == ("9", "queued")


@pytest.mark.parametrize(("array", "task"), [("7", "7_{}"), ("7[].pbs1", "7[{}].pbs1")])
def test_the_tasks_of_an_array_are_its_owners_and_end_it(
    scheduler: Scheduler, member: User, project: Project, array: str, task: str
) -> None:
    whole = factories.make_job(
        scheduler, "many", provider_id=array, token="t0", array="1-2", project=project, owner=member, script="true"
    )
    tasks = [job(task.format(number), token="t0", state=JobState.RUNNING) for number in (1, 2)]
    read(scheduler, *tasks)
    assert {each.owner for each in Job.objects.filter(state=JobState.RUNNING).exclude(pk=whole.pk)} == {member}
    whole.refresh_from_db()
    assert whole.state == JobState.RUNNING
    ends = {"started": NOW, "ended": NOW + HOUR}
    one, two = (
        dataclasses.replace(task, **ends, state=state)
        for task, state in zip(tasks, (JobState.COMPLETED, JobState.FAILED), strict=True)
    )
    read(scheduler, one, two)
    read(scheduler)
    whole.refresh_from_db()
    assert whole.state == JobState.FAILED


def test_a_job_that_vanished_is_looked_up_before_it_is_called_lost(scheduler: Scheduler) -> None:
    read(scheduler, job(), job("8"))
    reading = jobs.begin(scheduler, [], timezone.now())
    assert sorted(reading.to_ask()) == ["7", "8"]
    ended = job(state=JobState.COMPLETED, started=NOW, ended=NOW + HOUR, exit_code=0, used_cpu=10)
    jobs.merge(reading, [ended])
    states = dict(Job.objects.values_list("provider_id", "state"))
    assert states == {"7": "completed", "8": "queued"}
    Job.objects.filter(provider_id="8").update(missing_since=timezone.now() - jobs.GRACE - HOUR)
    read(scheduler)
    lost = Job.objects.get(provider_id="8")
    assert (lost.state, verbs(lost)[-1]) == ("lost", "lost")
    assert "does not know it any more" in lost.state_reason


def test_what_ended_is_accounted_once_and_for_all(scheduler: Scheduler, member: User, project: Project) -> None:
    factories.make_job(scheduler, provider_id="7", project=project, owner=member, cores=4)
    running = job(state=JobState.RUNNING, started=NOW)
    read(scheduler, running)
    assert Span.objects.get().ends_at is None
    done = job(state=JobState.COMPLETED, started=NOW, ended=NOW + HOUR)
    read(scheduler, done)
    assert jobs.begin(scheduler, [done], timezone.now()).to_ask() == []  # it ended long ago
    Job.objects.update(ended=timezone.now())
    asked = jobs.begin(scheduler, [done], timezone.now())
    assert asked.to_ask() == ["7"]
    told = dataclasses.replace(done, used_cpu=14_000, used_memory=900, ended=NOW + 2 * HOUR)
    jobs.merge(asked, [told])
    read(scheduler, done)
    kept = Job.objects.get()
    assert (kept.is_accounted, kept.used_cpu, kept.used_memory) == (True, 14_000, 900)
    span = Span.objects.get()
    assert (span.project, span.user, span.cores, span.ends_at - span.begins_at) == (project, member, 4, 2 * HOUR)


def test_a_job_that_was_over_before_it_was_seen_is_counted(
    scheduler: Scheduler, member: User, project: Project
) -> None:
    factories.make_job(scheduler, provider_id="7", project=project, owner=member)
    read(scheduler, job(state=JobState.COMPLETED, started=NOW, ended=NOW + HOUR))
    assert Span.objects.get().ends_at == NOW + HOUR


def test_queues_and_nodes_come_change_and_go(scheduler: Scheduler) -> None:
    def queue(name: str, **more: Any) -> types.Queue:
        return types.Queue(name=name, state=QueueState.OPEN, cores=48, native={"name": name, **more}, **more)

    assert machines.merge_queues(scheduler, [queue("batch"), queue("delta", nodes=2)]) == (2, 2)
    assert dict(Queue.objects.values_list("name", "cluster__name")) == {"batch": "india", "delta": "delta"}
    assert machines.merge_queues(scheduler, [queue("batch"), queue("delta", nodes=3)]) == (2, 1)
    assert machines.merge_queues(scheduler, [queue("batch")]) == (1, 1)
    assert [each.name for each in Queue.objects.all()] == ["batch"]
    node = types.Node(name="i001", state=NodeState.DOWN, reason="Its fan broke.", queues=("batch",), native={"a": 1})
    assert machines.merge_nodes(scheduler, [node]) == (1, 1)
    assert machines.merge_nodes(scheduler, [node]) == (1, 0)
    kept = Node.objects.get()
    assert (kept.state, kept.state_reason, kept.queues, kept.native) == ("down", "Its fan broke.", ["batch"], {"a": 1})


def test_how_busy_a_queue_was_is_noted_once_a_minute(scheduler: Scheduler) -> None:
    machines.merge_queues(scheduler, [types.Queue(name="batch", state=QueueState.OPEN, cores=48)])
    read(scheduler, job("1", state=JobState.RUNNING, started=NOW), job("2"), job("3"))
    machines.sample(scheduler)
    machines.sample(scheduler)
    load = Load.objects.get()
    assert (load.running, load.waiting, load.cores_used, load.cores) == (1, 2, 4, 48)


def test_clusters_have_the_queues_they_chose_and_one_the_rest(scheduler: Scheduler) -> None:
    places = placing.clusters_of(scheduler)
    names = {cluster.pk: cluster.name for cluster in Cluster.objects.all()}
    assert [names[places.of(queue)] for queue in ("batch", "delta", "delta-long")] == ["india", "delta", "delta"]


def test_what_is_native_is_kept_whole(scheduler: Scheduler) -> None:
    read(
        scheduler,
        types.Job(id="7", name="x", state=JobState.UNKNOWN, native={"job_state": "ODD", "n": [1, {"a": None}]}),
    )
    assert Job.objects.get().native == {"job_state": "ODD", "n": [1, {"a": None}]}
