"""Projects, who belongs to them, who may come, and how much they have."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from activity.models import Stateful


class ProjectState(models.TextChoices):
    """How far a project is; work is done in an active one only."""

    DRAFT = "draft"
    PENDING = "pending"
    ACTIVE = "active"
    COMPLETED = "completed"
    DENIED = "denied"
    BLOCKED = "blocked"
    EXPIRED = "expired"


class Role(models.TextChoices):
    """What somebody is in a project."""

    LEAD = "lead"
    MANAGER = "manager"
    MEMBER = "member"
    ALUMNI = "alumni"


class Project(Stateful):
    """A group of people with resources of their own."""

    KIND = "project"
    FOLLOWS = {
        ProjectState.DRAFT: frozenset({ProjectState.PENDING}),
        ProjectState.PENDING: frozenset({ProjectState.ACTIVE, ProjectState.DENIED, ProjectState.DRAFT}),
        ProjectState.ACTIVE: frozenset(
            {ProjectState.COMPLETED, ProjectState.BLOCKED, ProjectState.EXPIRED, ProjectState.PENDING}
        ),
        ProjectState.BLOCKED: frozenset({ProjectState.ACTIVE, ProjectState.COMPLETED}),
        ProjectState.EXPIRED: frozenset({ProjectState.ACTIVE, ProjectState.COMPLETED}),
        ProjectState.COMPLETED: frozenset({ProjectState.ACTIVE}),
        ProjectState.DENIED: frozenset({ProjectState.PENDING}),
    }
    PUBLIC = frozenset({"title", "ends_at", "join_open"})

    name = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)  # what was approved: section → question → answer
    ends_at = models.DateTimeField(null=True, blank=True)
    join_open = models.BooleanField(default=False)  # whether people may ask to join
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="projects")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def event_project(self) -> uuid.UUID:
        return self.pk


class Membership(models.Model):
    """Somebody's role in a project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)
    is_default = models.BooleanField(default=False)  # the project this user works in unless told otherwise
    source = models.CharField(  # who gives and takes it: people here, or the groups of a directory
        max_length=8, choices=User.Source, default=User.Source.LOCAL, db_default=User.Source.LOCAL
    )
    joined_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="membership_once"),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(is_default=True), name="membership_one_default"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project} as {self.role}"


class Quota(models.Model):
    """How much of one resource a project may have, in all or within one scope such as a cloud account.

    `scope` is empty for the whole project, else `KIND:ID` of what the limit belongs to.
    """

    class Source(models.TextChoices):
        PORTAL = "portal"
        PROVIDER = "provider"

    project = models.ForeignKey(Project, models.CASCADE, related_name="quotas")
    user = models.ForeignKey(  # one member's share; empty for the project's
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="quotas"
    )
    scope = models.CharField(max_length=64, blank=True)
    resource = models.CharField(max_length=32)
    limit = models.BigIntegerField()
    source = models.CharField(max_length=8, choices=Source, default=Source.PORTAL)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user", "scope", "resource", "source"], name="quota_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.scope} {self.resource} ≤ {self.limit}"


class Invitation(models.Model):
    """A link into a project: mailed to one person, or given around until its uses or its time run out."""

    PROJECT_PATH = "project"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)
    email = models.EmailField(blank=True)  # whom it was mailed to; nobody else may use it
    digest = models.CharField(max_length=64, unique=True)
    uses_left = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField()
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.email or 'join link'} to {self.project} as {self.role}"


class RequestState(models.TextChoices):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class JoinRequest(Stateful):
    """Somebody asks to be let into a project."""

    KIND = "join_request"
    PROJECT_PATH = "project"
    FOLLOWS = {
        RequestState.OPEN: frozenset({RequestState.ACCEPTED, RequestState.REFUSED, RequestState.WITHDRAWN}),
    }

    project = models.ForeignKey(Project, models.CASCADE, related_name="join_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="join_requests")
    text = models.TextField(blank=True, max_length=2000)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user"], condition=models.Q(state="open"), name="join_request_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} to {self.project}"
