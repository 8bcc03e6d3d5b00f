"""Mails on their way out: kept until a mail server took them."""

import uuid

from django.db import models
from django.db.models.functions import Now


class Mail(models.Model):
    """One mail to one address. Its text may hold a link that signs somebody in, so it goes once the mail is sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    next_at = models.DateTimeField(null=True, db_default=Now())  # when it is tried next; none once it is over
    attempts = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=400, blank=True)  # of the last attempt
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="mail_due")]

    def __str__(self) -> str:
        return f"mail to {self.to}: {self.subject}"
