"""What is asked of the committee, and what its members say."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from activity.models import Stateful
from projects.models.projects import Project


class ApplicationKind(models.TextChoices):
    NEW = "new", "New project"
    CHANGE = "change", "Change"
    RENEWAL = "renewal", "Renewal"
    ALLOCATION = "allocation", "Allocation"


class ApplicationState(models.TextChoices):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"  # changes were asked for
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class Application(Stateful):
    """A project's wish of the committee: to begin, to change, to go on, to get more.

    `answers` are section → question → answer, as `projects.services.sections` declares them: the ten sections for a
    new project, of them only what shall change for a change; a renewal and an allocation have a section of their own.
    """

    KIND = "application"
    PROJECT_PATH = "project"
    FOLLOWS = {
        ApplicationState.DRAFT: frozenset({ApplicationState.SUBMITTED, ApplicationState.WITHDRAWN}),
        ApplicationState.SUBMITTED: frozenset(
            {
                ApplicationState.APPROVED,
                ApplicationState.DENIED,
                ApplicationState.RETURNED,
                ApplicationState.WITHDRAWN,
            }
        ),
        ApplicationState.RETURNED: frozenset({ApplicationState.SUBMITTED, ApplicationState.WITHDRAWN}),
        ApplicationState.APPROVED: frozenset({ApplicationState.SUBMITTED}),  # undone
        ApplicationState.DENIED: frozenset({ApplicationState.SUBMITTED}),  # undone
    }

    kind = models.CharField(max_length=12, choices=ApplicationKind, default=ApplicationKind.NEW)
    project = models.ForeignKey(Project, models.CASCADE, related_name="applications")
    applicant = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="applications")
    answers = models.JSONField(default=dict)
    round = models.PositiveSmallIntegerField(default=0)  # how often it was submitted; each time is voted on anew
    before = models.JSONField(default=dict)  # what the approval replaced, to undo it
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "submitted_at"], name="application_inbox")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.project}"

    @property
    def owner_id(self) -> uuid.UUID:
        """Whoever applied, for `projects.access`."""
        owner: uuid.UUID = self.applicant_id
        return owner


class Vote(models.TextChoices):
    APPROVE = "approve"
    DENY = "deny"
    CHANGE = "change", "Ask for changes"
    ABSTAIN = "abstain"
    CONFLICT = "conflict", "Conflict of interest"  # declared by the reviewer, for this application for good


class Review(models.Model):
    """One reviewer's vote on an application, in one round; a new submission begins a new round."""

    PROJECT_PATH = "application__project"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reviews")
    vote = models.CharField(max_length=8, choices=Vote)
    comment = models.TextField(blank=True, max_length=8000)
    round = models.PositiveSmallIntegerField(default=1)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["application", "reviewer", "round"], name="review_once")]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.vote} {self.application}"


class Remark(models.Model):
    """A question of the committee, an answer of the applicant, or a word among reviewers."""

    PROJECT_PATH = "application__project"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.CASCADE, related_name="remarks")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    text = models.TextField(max_length=8000)
    is_internal = models.BooleanField(default=False)  # among reviewers
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return self.text[:60]
