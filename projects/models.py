"""Projects, their members and limits."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from activity.models import Stateful


class ProjectState(models.TextChoices):
    ACTIVE = "active"
    COMPLETED = "completed"
    BLOCKED = "blocked"


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
        ProjectState.ACTIVE: frozenset({ProjectState.COMPLETED, ProjectState.BLOCKED}),
        ProjectState.BLOCKED: frozenset({ProjectState.ACTIVE, ProjectState.COMPLETED}),
    }
    PUBLIC = frozenset({"title"})

    name = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=200, blank=True)
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
    scope = models.CharField(max_length=64, blank=True)
    resource = models.CharField(max_length=32)
    limit = models.BigIntegerField()
    source = models.CharField(max_length=8, choices=Source, default=Source.PORTAL)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "scope", "resource", "source"], name="quota_once")]

    def __str__(self) -> str:
        return f"{self.project} {self.scope} {self.resource} ≤ {self.limit}"
