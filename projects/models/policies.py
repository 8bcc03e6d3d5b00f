"""What policies allow, ask for or deny."""

import uuid

from django.conf import settings
from django.db import models

from activity.models import Stateful


class PolicyState(models.TextChoices):
    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    RETIRED = "retired"


class Effect(models.TextChoices):
    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class SubjectKind(models.TextChoices):
    EVERYONE = "everyone", "Everyone"
    ROLE = "role", "A role"
    PROJECT = "project", "Projects"
    USER = "user", "Users"
    RULE = "rule", "A rule"


class Policy(Stateful):
    """One version of a rule on who may use what, how much of it and when.

    `service` names clouds, queues or machines: `cloud:india`, `cloud:*`, `queue:india/batch`, `machines:i[1-8]`.
    `limits` are the most that one wish or all wishes together may take, by resource. Versions of one policy share
    `series`.
    """

    KIND = "policy"
    FOLLOWS = {
        PolicyState.DRAFT: frozenset({PolicyState.PROPOSED, PolicyState.RETIRED}),
        PolicyState.PROPOSED: frozenset({PolicyState.APPROVED, PolicyState.DRAFT, PolicyState.RETIRED}),
        PolicyState.APPROVED: frozenset({PolicyState.RETIRED}),
    }
    PUBLIC = frozenset({"starts_at", "ends_at"})

    name = models.SlugField(max_length=60)
    series = models.UUIDField(default=uuid.uuid4, editable=False)
    edition = models.PositiveIntegerField(default=1)
    effect = models.CharField(max_length=8, choices=Effect, default=Effect.ALLOW)
    subject_kind = models.CharField(max_length=12, choices=SubjectKind, default=SubjectKind.EVERYONE)
    subject = models.TextField(blank=True)  # names separated by commas, or a rule
    service = models.CharField(max_length=200)
    limits = models.JSONField(default=dict, blank=True)  # resource → the most
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    decided_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "policies"
        ordering = ["name", "-edition"]
        constraints = [
            models.UniqueConstraint(fields=["series", "edition"], name="policy_edition"),
            models.UniqueConstraint(
                fields=["series"], condition=models.Q(state="approved"), name="policy_one_in_force"
            ),
        ]
        indexes = [models.Index(fields=["state"], name="policy_state")]

    def __str__(self) -> str:
        return f"{self.name} (edition {self.edition})"

    @property
    def topic(self) -> str:
        return "portal"
