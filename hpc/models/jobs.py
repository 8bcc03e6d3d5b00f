"""Jobs, the templates they are made from, and the numbered directories they leave."""

from django.conf import settings
from django.db import models

from activity.models import Stateful, new_id
from cloudmesh.types import ENDED, JobState
from hpc.models.schedulers import Cluster, Scheduler
from projects.models import Project

#: States after which another is expected.
LIVE = sorted(state.value for state in JobState if state not in ENDED)


class Job(Stateful):
    """A job: wished for here, or seen at the scheduler; then it is of no project unless its account tells one.

    While `provider_id` is empty the scheduler has not been heard of it; `token` is what finds it there.
    """

    KIND = "job"
    PROJECT_PATH = "project"
    PUBLIC = frozenset({"name", "provider_id", "hosts"})
    FOLLOWS = {
        state: frozenset(JobState) - ({JobState.REQUESTED} if state is not JobState.FAILED else set())
        for state in JobState
    }

    scheduler = models.ForeignKey(Scheduler, models.CASCADE, related_name="jobs")
    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="jobs")
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="jobs")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="jobs")
    name = models.CharField(max_length=255)
    provider_id = models.CharField(max_length=64, blank=True)
    token = models.CharField(max_length=64, blank=True)
    login = models.CharField(max_length=64, blank=True)
    queue = models.CharField(max_length=255, blank=True)
    account = models.CharField(max_length=64, blank=True)
    qos = models.CharField(max_length=64, blank=True)
    nodes = models.PositiveIntegerField(default=0)
    tasks = models.PositiveIntegerField(default=0)
    cores = models.PositiveIntegerField(default=0)
    gpus = models.PositiveIntegerField(default=0)
    memory = models.PositiveBigIntegerField(default=0)  # MiB, all together
    walltime = models.PositiveIntegerField(null=True)  # seconds
    array = models.CharField(max_length=255, blank=True)
    dependency = models.CharField(max_length=255, blank=True)
    submitted = models.DateTimeField(null=True)
    expected = models.DateTimeField(null=True)
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    signal = models.IntegerField(null=True)
    hosts = models.JSONField(default=list)
    directory = models.TextField(blank=True)  # paths at the cluster
    output = models.TextField(blank=True)
    error = models.TextField(blank=True)
    used_cpu = models.PositiveIntegerField(null=True)  # seconds
    used_memory = models.PositiveIntegerField(null=True)  # MiB at most
    is_accounted = models.BooleanField(default=False)  # what accounting knows of its end is in here
    script = models.TextField(blank=True)  # of those submitted here
    native = models.JSONField(default=dict)
    native_hash = models.CharField(max_length=32, blank=True)
    seen_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["scheduler", "provider_id"],
                condition=~models.Q(provider_id="") & models.Q(state__in=LIVE),
                name="job_once",
            )
        ]
        indexes = [
            models.Index(fields=["cluster", "-created_at", "-id"], name="job_newest"),
            models.Index(fields=["cluster", "queue", "state"], condition=models.Q(state__in=LIVE), name="job_live"),
            models.Index(fields=["project", "-created_at", "-id"], name="job_project"),
            models.Index(fields=["owner", "-created_at", "-id"], name="job_owner"),
            models.Index(fields=["scheduler", "token"], condition=~models.Q(token=""), name="job_token"),
            models.Index(fields=["scheduler", "provider_id"], name="job_provider"),
            models.Index(
                fields=["scheduler", "ended"],
                condition=models.Q(is_accounted=False) & ~models.Q(ended=None),
                name="job_unaccounted",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def topic(self) -> str:
        return f"project:{self.project_id}" if self.project_id else self.scheduler.topic

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED


class Experiment(models.Model):
    """A numbered directory of somebody at a scheduler: a script, what it wrote, and how it went."""

    USER_PATH = "owner"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="experiments")
    number = models.PositiveIntegerField()
    job = models.OneToOneField(Job, models.CASCADE, related_name="experiment")
    command = models.TextField(blank=True)
    directory = models.TextField(blank=True)  # at the cluster
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["owner", "number"], name="experiment_once")]

    def __str__(self) -> str:
        return str(self.number)


class Input(models.Model):
    """A file that goes with a job into its directory; kept until it is there."""

    USER_PATH = "job__owner"

    job = models.ForeignKey(Job, models.CASCADE, related_name="inputs")
    path = models.CharField(max_length=255)
    content = models.BinaryField()

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["job", "path"], name="input_once")]

    def __str__(self) -> str:
        return self.path


class Template(models.Model):
    """A job that a project saved: a script with parameters, and what it asks for.

    `parameters` are `{name, label, type, default, choices, least, most}`; `locked` names what only leaders change.
    """

    PROJECT_PATH = "project"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="job_templates")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    name = models.SlugField(max_length=64)
    label = models.CharField(max_length=200, blank=True)
    script = models.TextField()
    parameters = models.JSONField(default=list)
    wanted = models.JSONField(default=dict)  # queue, nodes, tasks, cores, walltime …
    locked = models.JSONField(default=list)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="template_once")]

    def __str__(self) -> str:
        return self.name
