"""What was used, from when to when."""

from django.conf import settings
from django.db import models

from projects.models.projects import Project


class Span(models.Model):
    """A time in which one thing took the same amounts; the last one of a thing that is there has no end.

    Core-hours and the like are these amounts times the hours; nothing is counted up, so nothing drifts.
    """

    PROJECT_PATH = "project"

    project = models.ForeignKey(Project, models.CASCADE, related_name="spans")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    scope = models.CharField(max_length=64)  # `cloud:ID`, as of quotas
    label = models.CharField(max_length=255, blank=True)  # what that was called then; it may be removed by now
    object_id = models.UUIDField()
    cores = models.PositiveIntegerField(default=0)
    ram = models.PositiveBigIntegerField(default=0)  # MiB
    disk = models.PositiveBigIntegerField(default=0)  # GiB
    nodes = models.PositiveIntegerField(default=0)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["object_id"], condition=models.Q(ends_at=None), name="span_one_open"),
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gte=models.F("begins_at")), name="span_forward"
            ),
        ]
        indexes = [models.Index(fields=["project", "ends_at", "begins_at"], name="span_project")]

    def __str__(self) -> str:
        return f"{self.object_id} from {self.begins_at}"
