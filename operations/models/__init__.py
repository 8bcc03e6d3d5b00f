"""A wish made of a back-end, and whose turn it is."""

import uuid

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Now

from activity.models import Stateful
from operations.models.backends import Backend, Bearer, CredentialState, Health, Reading
from projects.models import Project

__all__ = [
    "OPEN",
    "RUNNABLE",
    "Backend",
    "Bearer",
    "CredentialState",
    "Health",
    "Operation",
    "OperationState",
    "Patience",
    "Reading",
    "Turn",
    "new_token",
]


class OperationState(models.TextChoices):
    WAITING = "waiting_approval"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


OPEN = (OperationState.WAITING, OperationState.QUEUED, OperationState.RUNNING)
RUNNABLE = (OperationState.QUEUED, OperationState.RUNNING)


class Patience(models.TextChoices):
    """What to do while the back-end cannot be reached."""

    WAIT = "wait"
    FAIL = "fail"


def new_token() -> str:
    return uuid.uuid4().hex


class Operation(Stateful):
    """A wish: what shall happen to which target, and how far it is.

    A batch is a parent whose children do the work; it is never run itself. `lane` is what its runs share a
    limit of concurrent requests with, such as one cloud account.
    """

    KIND = "operation"
    PROJECT_PATH = "project"
    PUBLIC = frozenset({"step", "progress"})
    FOLLOWS = {
        OperationState.WAITING: frozenset({OperationState.QUEUED, OperationState.REJECTED, OperationState.CANCELLED}),
        OperationState.QUEUED: frozenset(
            {OperationState.RUNNING, OperationState.CANCELLED, OperationState.FAILED, OperationState.SUCCEEDED}
        ),
        OperationState.RUNNING: frozenset({OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED}),
        OperationState.FAILED: frozenset({OperationState.QUEUED, OperationState.RUNNING}),
    }

    kind = models.CharField(max_length=40)
    project = models.ForeignKey(Project, models.PROTECT, related_name="operations")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="operations")
    target_type = models.ForeignKey(ContentType, models.PROTECT, null=True)
    target_id = models.UUIDField(null=True)
    target = GenericForeignKey("target_type", "target_id")
    target_name = models.CharField(max_length=255, blank=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    is_batch = models.BooleanField(default=False)
    params = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    patience = models.CharField(max_length=4, choices=Patience, default=Patience.WAIT)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    progress = models.PositiveSmallIntegerField(default=0)  # 0–100
    step = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    troubles = models.PositiveIntegerField(default=0)  # failed attempts in a row
    lane = models.CharField(max_length=64)
    claim = models.UUIDField(null=True)  # of the worker that has it now; a late writer finds another here
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(db_default=Now())
    deadline_at = models.DateTimeField()
    cancel_requested_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(
                fields=["lane", "not_before"],
                condition=models.Q(state__in=RUNNABLE, is_batch=False),
                name="operation_due",
            ),
            models.Index(
                fields=["lane", "lease_until"], condition=models.Q(lease_until__isnull=False), name="operation_leased"
            ),
            models.Index(fields=["created_at"], condition=models.Q(state="waiting_approval"), name="operation_waiting"),
            models.Index(fields=["finished_at"], condition=models.Q(state="failed"), name="operation_failed"),
            models.Index(fields=["project", "-created_at"], name="operation_project"),
            models.Index(fields=["target_id", "-created_at"], name="operation_target"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_name}".strip()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def target_kind(self) -> str:
        """What kind of thing its target is, as events name it; empty for a batch."""
        model = ContentType.objects.get_for_id(self.target_type_id).model_class() if self.target_type_id else None
        return str(getattr(model, "KIND", model._meta.model_name)) if model else ""


class Turn(models.Model):
    """When a project was last served in a lane: who waited longest is next."""

    lane = models.CharField(max_length=64)
    project = models.ForeignKey(Project, models.CASCADE)
    served_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lane", "project"], name="turn_once")]

    def __str__(self) -> str:
        return f"{self.project} in {self.lane}"
