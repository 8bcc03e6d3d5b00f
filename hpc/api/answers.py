"""What is answered about jobs and experiments."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from activity.api import Answer
from cloudmesh.types import JobState, Json
from hpc import services
from hpc.api.clusters import AbleAnswer
from operations.api import OperationAnswer
from projects.api.policies import DecisionAnswer
from projects.api.quotas import RoomAnswer

STATES = [state.value for state in JobState]


class JobAnswer(Answer):
    """A job, wished for here or seen at its scheduler."""

    id = serializers.UUIDField(source="job.pk")
    provider_id = serializers.CharField(source="job.provider_id", help_text="The scheduler's id; empty before it")
    name = serializers.CharField(source="job.name")
    state = serializers.ChoiceField(STATES, source="job.state")
    reason = serializers.CharField(source="job.state_reason", help_text="Why it waits, or how it ended")
    cluster = serializers.CharField(source="job.cluster.name")
    scheduler = serializers.CharField(source="job.scheduler.name")
    queue = serializers.CharField(source="job.queue")
    project = serializers.CharField(
        source="job.project.name", allow_null=True, help_text="null: of none here, it was only seen there"
    )
    owner = serializers.CharField(source="job.owner.username", allow_null=True)
    login = serializers.CharField(source="job.login", help_text="Whose it is at the cluster")
    account = serializers.CharField(source="job.account")
    qos = serializers.CharField(source="job.qos")
    nodes = serializers.IntegerField(source="job.nodes")
    tasks = serializers.IntegerField(source="job.tasks")
    cores = serializers.IntegerField(source="job.cores", help_text="All together")
    gpus = serializers.IntegerField(source="job.gpus")
    memory = serializers.IntegerField(source="job.memory", help_text="MiB, all together")
    walltime = serializers.IntegerField(source="job.walltime", allow_null=True, help_text="Seconds that it may run")
    array = serializers.CharField(source="job.array")
    dependency = serializers.CharField(source="job.dependency")
    submitted = serializers.DateTimeField(source="job.submitted", allow_null=True)
    expected = serializers.DateTimeField(source="job.expected", allow_null=True, help_text="When it may start")
    started = serializers.DateTimeField(source="job.started", allow_null=True)
    ended = serializers.DateTimeField(source="job.ended", allow_null=True)
    elapsed_seconds = serializers.IntegerField(allow_null=True, help_text="That it has run")
    exit_code = serializers.IntegerField(source="job.exit_code", allow_null=True)
    signal = serializers.IntegerField(source="job.signal", allow_null=True)
    hosts = serializers.ListField(source="job.hosts", child=serializers.CharField())
    directory = serializers.CharField(source="job.directory", help_text="At the cluster")
    output = serializers.CharField(source="job.output")
    error = serializers.CharField(source="job.error")
    experiment = serializers.IntegerField(allow_null=True, help_text="The number of its own directory")
    used_cpu = serializers.IntegerField(source="job.used_cpu", allow_null=True, help_text="Seconds")
    used_memory = serializers.IntegerField(source="job.used_memory", allow_null=True, help_text="MiB at most")
    seen_at = serializers.DateTimeField(allow_null=True, help_text="When its scheduler last told of it")
    age_seconds = serializers.IntegerField(allow_null=True)
    operation = serializers.UUIDField(source="operation.pk", allow_null=True, help_text="The one that is going on")
    version = serializers.IntegerField(source="job.version")
    created_at = serializers.DateTimeField(source="job.created_at")


class JobWhole(JobAnswer):
    """A job with all that is known of it."""

    script = serializers.CharField(help_text="For those who may read what is inside it; empty for others")
    actions = serializers.ListField(child=AbleAnswer())
    native = serializers.DictField(source="job.native", help_text="What its scheduler says of it")


class JobsAsked(Answer):
    """What was asked for, and of which jobs."""

    operation = OperationAnswer()
    jobs = JobAnswer(many=True)


class JobPlanAnswer(Answer):
    """What a submission would come to; nothing is recorded or taken."""

    outcome = serializers.ChoiceField(["submits", "waits", "refused"], help_text="waits: for somebody's approval")
    refusal = serializers.CharField(help_text="Why it would be refused; empty when it would not")
    cluster = serializers.CharField(source="cluster.name")
    project = serializers.CharField(source="project.name")
    login = serializers.CharField(help_text="As whom it would run")
    spec = serializers.DictField(help_text="What it would ask for, with what was not said filled in")
    resources = serializers.DictField(child=serializers.IntegerField(), help_text="As policies and quotas count them")
    decision = DecisionAnswer()
    quotas = RoomAnswer(source="rooms", many=True)


class ExperimentAnswer(Answer):
    """A numbered directory of one's own, and how the job in it went."""

    id = serializers.UUIDField(source="pk")
    number = serializers.IntegerField()
    command = serializers.CharField()
    directory = serializers.CharField(help_text="At the cluster; empty before it is there")
    job = serializers.UUIDField(source="job_id")
    name = serializers.CharField(source="job.name")
    provider_id = serializers.CharField(source="job.provider_id")
    state = serializers.ChoiceField(STATES, source="job.state")
    cluster = serializers.CharField(source="job.cluster.name")
    submitted = serializers.DateTimeField(source="job.submitted", allow_null=True)
    started = serializers.DateTimeField(source="job.started", allow_null=True)
    ended = serializers.DateTimeField(source="job.ended", allow_null=True)
    exit_code = serializers.IntegerField(source="job.exit_code", allow_null=True)


@dataclasses.dataclass(frozen=True)
class Everything:
    """All that is known of one job."""

    facts: services.JobFacts
    actions: Sequence[Json]
    script: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.facts, name)
