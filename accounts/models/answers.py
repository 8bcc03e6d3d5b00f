"""What was answered to requests that carried an Idempotency-Key."""

import datetime
import uuid

from django.db import models
from django.db.models.functions import Now

from accounts.models.people import User


class Answered(models.Model):
    """The answer to one key of one user, for whoever did not hear it and asks again."""

    KEPT = datetime.timedelta(hours=24)
    USER_PATH = "user"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    digest = models.CharField(max_length=64)  # keyed, of all that was sent
    answer = models.TextField(blank=True)  # sealed, bound to the row: it may hold a new token
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        verbose_name = "answer"
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="answered_once")]

    def __str__(self) -> str:
        return f"answer to {self.user}"
