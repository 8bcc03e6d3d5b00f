"""What people are told: in the page, by mail, and their programs by webhook."""

import urllib.parse
import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models.people import User


class NoticeKind(models.TextChoices):
    """What a notice is about, and so what its reader may choose to get by mail."""

    ACCOUNT = "account", "Your account"
    MEMBERSHIP = "membership", "Memberships and invitations"
    APPLICATION = "application", "Applications and reviews"
    APPROVAL = "approval", "Wishes waiting for approval"
    QUOTA = "quota", "Quotas, end dates and expiry"
    OPERATION = "operation", "Operations that failed"


class Notice(models.Model):
    """Something one person is told."""

    USER_PATH = "user"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, choices=NoticeKind)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    url = models.CharField(max_length=400, blank=True)  # a path of this portal
    at = models.DateTimeField(db_default=Now(), editable=False)
    read_at = models.DateTimeField(null=True)
    mail_at = models.DateTimeField(null=True)  # when it is to be mailed; none for never
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["user", "-at"], name="notice_user"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notice_unread"),
            models.Index(
                fields=["mail_at"], condition=models.Q(mail_at__isnull=False, mailed_at=None), name="notice_to_mail"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Delay(models.TextChoices):
    NOW = "now", "At once"
    DIGEST = "digest", "Once a day"
    NEVER = "never", "Not by mail"


class NoticeChoice(models.Model):
    """How somebody wants notices of one kind mailed; without one, at once."""

    USER_PATH = "user"

    user = models.ForeignKey(User, models.CASCADE, related_name="notice_choices")
    kind = models.CharField(max_length=16, choices=NoticeKind)
    delay = models.CharField(max_length=8, choices=Delay, default=Delay.NOW)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_choice_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind} {self.delay}"


class Webhook(models.Model):
    """A URL that is told of events on one topic, signed with a secret that its owner was shown once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, models.CASCADE, related_name="webhooks")
    topic = models.CharField(max_length=64)
    url = models.URLField(max_length=400)
    secret = models.TextField()  # sealed
    kinds = ArrayField(models.CharField(max_length=32), default=list, blank=True)  # of events; none for all
    is_enabled = models.BooleanField(default=True)
    seq = models.BigIntegerField(default=0)  # the last event that became a delivery
    failures = models.PositiveIntegerField(default=0)  # in a row
    problem = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["topic"], name="webhook_topic")]

    def __str__(self) -> str:
        return f"webhook to {self.host}"

    @property
    def host(self) -> str:
        """What others may know of its URL: the rest often is a secret."""
        return urllib.parse.urlsplit(self.url).hostname or ""

    @property
    def project_id(self) -> uuid.UUID | None:
        """The project whose events it is told of, if it is not its owner's own."""
        kind, _, pk = self.topic.partition(":")
        return uuid.UUID(pk) if kind == "project" else None


class Delivery(models.Model):
    """One event on its way to a webhook, tried again until it is taken or too old."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    seq = models.BigIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)  # of the last answer
    problem = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["-seq"]
        constraints = [models.UniqueConstraint(fields=["webhook", "seq"], name="delivery_once")]
        indexes = [models.Index(fields=["next_at"], condition=models.Q(done_at=None), name="delivery_due")]

    def __str__(self) -> str:
        return f"event {self.seq} to {self.webhook}"
