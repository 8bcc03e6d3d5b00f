"""Volumes, and what clouds say how much of everything an account may have."""

from django.conf import settings
from django.db import models

from activity.models import Stateful
from cloudmesh.types import RESTLESS, VolumeState
from projects.models import Project

#: States after which another is expected soon.
RESTLESS_VOLUMES = sorted(state.value for state in (*RESTLESS, VolumeState.MISSING))


class Volume(Stateful):
    """A disk of its own: wished for here, or found at the cloud. Its ids are as a server's."""

    KIND = "volume"
    PROJECT_PATH = "project"
    PUBLIC = frozenset({"name"})
    FOLLOWS = {
        state: frozenset(VolumeState) - ({VolumeState.REQUESTED} if state is not VolumeState.ERROR else set())
        for state in VolumeState
        if state is not VolumeState.DELETED
    }

    account = models.ForeignKey("clouds.CloudAccount", models.CASCADE, related_name="volumes")
    project = models.ForeignKey(Project, models.CASCADE, related_name="volumes")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="volumes")
    name = models.CharField(max_length=255)
    size = models.PositiveIntegerField(default=0)  # GiB
    provider_id = models.CharField(max_length=255, blank=True)
    token = models.CharField(max_length=64, blank=True)
    server_provider_id = models.CharField(max_length=255, blank=True)
    device = models.CharField(max_length=64, blank=True)
    is_bound = models.BooleanField(default=False)  # it ends with the server that has it
    is_orphan = models.BooleanField(default=False)  # found at the cloud, not wished for here
    created = models.DateTimeField(null=True)  # at the cloud
    native = models.JSONField(default=dict)
    native_hash = models.CharField(max_length=32, blank=True)
    seen_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "provider_id"],
                condition=~models.Q(provider_id="") & ~models.Q(state="deleted"),
                name="volume_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["project", "-created_at", "-id"], condition=~models.Q(state="deleted"), name="volume_live"
            ),
            models.Index(fields=["account"], condition=models.Q(state__in=RESTLESS_VOLUMES), name="volume_moving"),
            models.Index(
                fields=["account", "server_provider_id"],
                condition=~models.Q(server_provider_id=""),
                name="volume_server",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_gone(self) -> bool:
        return self.state == VolumeState.DELETED


class Limit(models.Model):
    """How much of one resource an account's cloud allows and how much is taken, as the cloud tells."""

    PROJECT_PATH = "account__project"

    account = models.ForeignKey("clouds.CloudAccount", models.CASCADE, related_name="told_limits")
    resource = models.CharField(max_length=32)
    used = models.BigIntegerField(default=0)
    limit = models.BigIntegerField(null=True)  # null: none

    class Meta:
        ordering = ["resource", "account__cloud__name"]
        constraints = [models.UniqueConstraint(fields=["account", "resource"], name="limit_once")]

    def __str__(self) -> str:
        return f"{self.resource}: {self.used} of {'any' if self.limit is None else self.limit}"
