"""Schedulers, the clusters they are shown as, what runs there and for whom.

A scheduler is one queue manager; it is shown as one or more clusters, each with some of its queues.
"""

from django.db import models

from activity.models import Stateful
from cloudmesh.types import NodeState, QueueState
from hpc.models.jobs import LIVE, Experiment, Input, Job, Template
from hpc.models.schedulers import Cluster, Identity, Login, Scheduler, Sync, Way

__all__ = [
    "LIVE",
    "Cluster",
    "Experiment",
    "Identity",
    "Input",
    "Job",
    "Load",
    "Login",
    "Node",
    "Queue",
    "Scheduler",
    "Sync",
    "Template",
    "Way",
]


class Queue(Stateful):
    """Where jobs wait: a queue or partition; None is no limit."""

    KIND = "queue"
    PROJECT_PATH = "scheduler__project"
    FOLLOWS = {state: frozenset(QueueState) for state in QueueState}

    scheduler = models.ForeignKey(Scheduler, models.CASCADE, related_name="queues")
    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="queues")
    name = models.CharField(max_length=255)
    is_default = models.BooleanField(default=False)
    max_walltime = models.PositiveIntegerField(null=True)  # seconds
    default_walltime = models.PositiveIntegerField(null=True)
    max_nodes = models.PositiveIntegerField(null=True)
    nodes = models.PositiveIntegerField(default=0)
    cores = models.PositiveIntegerField(default=0)
    cores_used = models.PositiveIntegerField(default=0)
    priority = models.IntegerField(default=0)
    native = models.JSONField(default=dict)
    native_hash = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["scheduler", "name"], name="queue_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def topic(self) -> str:
        return self.scheduler.topic


class Node(Stateful):
    """A machine that runs jobs, with what of it is used."""

    KIND = "node"
    PROJECT_PATH = "scheduler__project"
    FOLLOWS = {state: frozenset(NodeState) for state in NodeState}

    scheduler = models.ForeignKey(Scheduler, models.CASCADE, related_name="nodes")
    name = models.CharField(max_length=255)
    queues = models.JSONField(default=list)  # names
    cores = models.PositiveIntegerField(default=0)
    cores_used = models.PositiveIntegerField(default=0)
    memory = models.PositiveIntegerField(default=0)  # MiB
    memory_used = models.PositiveIntegerField(default=0)
    gpus = models.PositiveIntegerField(default=0)
    gpus_used = models.PositiveIntegerField(default=0)
    load = models.FloatField(null=True)
    properties = models.JSONField(default=list)
    jobs = models.JSONField(default=list)  # the scheduler's ids
    native = models.JSONField(default=dict)
    native_hash = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["scheduler", "name"], name="node_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def topic(self) -> str:
        return self.scheduler.topic


class Load(models.Model):
    """How busy a queue was at a moment; kept for its charts."""

    PROJECT_PATH = "queue__scheduler__project"

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="loads")
    at = models.DateTimeField()
    running = models.PositiveIntegerField(default=0)  # jobs
    waiting = models.PositiveIntegerField(default=0)
    cores_used = models.PositiveIntegerField(default=0)
    cores = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["queue", "at"], name="load_once")]

    def __str__(self) -> str:
        return f"{self.queue_id} at {self.at}"
