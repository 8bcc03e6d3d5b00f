"""Queue managers, what they are shown as, who people are there, and when they are read."""

import uuid

from django.conf import settings
from django.db import models

from activity.models import new_id
from operations.models import Backend, Bearer, Reading
from projects.models import Project


class Way(models.TextChoices):
    """How a scheduler is reached."""

    SSH = "ssh", "through ssh, on a login node"
    LOCAL = "local", "on the portal's own machine"
    REST = "rest", "through its REST interface"
    SIMULATOR = "simulator", "simulated"


class Identity(models.TextChoices):
    """As whom people's jobs run; what is not theirs an administrator chooses."""

    OWN = "own", "each as their own login, with a credential of their own"
    MAPPED = "mapped", "each as their own login, with the scheduler's credential"
    ONE = "one", "all as the one login of the scheduler"


class Scheduler(Backend):
    """A queue manager that a project registered, perhaps for the whole portal."""

    KIND = "scheduler"
    CALLED = "scheduler"
    PROJECT_PATH = "project"
    PUBLIC = frozenset({"is_enabled", "health"})

    name = models.SlugField(max_length=40)
    label = models.CharField(max_length=120, blank=True)
    driver = models.CharField(max_length=32)
    way = models.CharField(max_length=12, choices=Way)
    identity = models.CharField(max_length=8, choices=Identity, default=Identity.OWN)
    project = models.ForeignKey(Project, models.CASCADE, related_name="schedulers")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    is_shared = models.BooleanField(default=False)  # for everybody in the portal
    shows_all = models.BooleanField(default=True)  # everybody's jobs to everybody, as the schedulers' own tools do
    product = models.CharField(max_length=120, blank=True)  # what it said of itself when it was verified

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="scheduler_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def topic(self) -> str:
        return "portal" if self.is_shared else super().topic

    @property
    def event_project(self) -> uuid.UUID | None:
        return None if self.is_shared else self.project_id

    @property
    def place(self) -> dict[str, str]:
        """Shared or not, what is sealed for it stays readable."""
        return {"tenant": str(self.project_id), "record": f"scheduler:{self.pk}"}


class Cluster(models.Model):
    """What people call a cluster: some of a scheduler's queues. One without a list has those no other has."""

    PROJECT_PATH = "scheduler__project"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    scheduler = models.ForeignKey(Scheduler, models.CASCADE, related_name="clusters")
    name = models.SlugField(max_length=40)
    label = models.CharField(max_length=120, blank=True)
    chosen = models.JSONField(default=list)  # names of queues, globs too

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["scheduler", "name"], name="cluster_once"),
            models.UniqueConstraint(fields=["scheduler"], condition=models.Q(chosen=[]), name="cluster_of_the_rest"),
        ]

    def __str__(self) -> str:
        return self.name


class Login(Bearer):
    """Who somebody is at a scheduler. One that an administrator mapped goes with the scheduler's own credential."""

    KIND = "login"
    USER_PATH = "user"
    PROJECT_PATH = "scheduler__project"

    scheduler = models.ForeignKey(Scheduler, models.CASCADE, related_name="logins")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="logins")
    name = models.CharField(max_length=64)
    is_mapped = models.BooleanField(default=False)
    public_key = models.TextField(blank=True)  # of a key that the portal made for it

    class Meta:
        ordering = ["scheduler__name"]
        constraints = [models.UniqueConstraint(fields=["scheduler", "user"], name="login_once")]
        indexes = [models.Index(fields=["scheduler", "name"], name="login_name")]

    def __str__(self) -> str:
        return f"{self.name} at {self.scheduler}"

    @property
    def topic(self) -> str:
        return f"user:{self.user_id}"

    @property
    def event_project(self) -> uuid.UUID | None:
        return None


class Sync(Reading):
    """When one kind of things of a scheduler is read, for everybody at once."""

    class Kind(models.TextChoices):
        JOBS = "jobs"
        QUEUES = "queues"
        NODES = "nodes"

    scheduler = models.ForeignKey(Scheduler, models.CASCADE, related_name="syncs")
    kind = models.CharField(max_length=16, choices=Kind)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheduler", "kind"], name="hpc_sync_once")]
        indexes = [models.Index(fields=["due_at"], name="hpc_sync_due")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.scheduler_id}"
