"""What a wish is made of: a back-end somebody registered, its sealed credential, its health, and when it is read."""

import datetime

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from activity.models import Stateful


class CredentialState(models.TextChoices):
    VERIFYING = "verifying"
    ACTIVE = "active"
    REFUSED = "refused"  # the credential worked once and does not any more


class Health(models.TextChoices):
    UNKNOWN = "unknown"
    OK = "ok"
    SLOW = "slow"
    DOWN = "down"


class Bearer(Stateful):
    """Whatever has a credential for a back-end.

    `credential` is sealed for this very record; `pending` is one that is being verified and is dropped when it is
    refused.
    """

    FOLLOWS = {
        CredentialState.VERIFYING: frozenset({CredentialState.ACTIVE}),
        CredentialState.ACTIVE: frozenset({CredentialState.REFUSED}),
        CredentialState.REFUSED: frozenset({CredentialState.ACTIVE}),
    }

    credential = models.TextField(blank=True)
    pending = models.TextField(blank=True)
    credential_version = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def place(self) -> dict[str, str]:
        """What its sealed credential is bound to."""
        return {"tenant": str(self.event_project), "record": f"{self._meta.model_name}:{self.pk}"}


class Backend(Bearer):
    """Something the portal reaches with a credential: a cloud's account, a scheduler.

    `facts` are the fields of its credential that are no secrets; `lacks` is what it cannot do though its kind can,
    with reasons. It is read by `syncs`.
    """

    CALLED = "back-end"  # by people

    facts = models.JSONField(default=dict)
    lacks = models.JSONField(default=dict)
    is_enabled = models.BooleanField(default=True)
    may_go_private = models.BooleanField(default=False)  # registered by an administrator: private addresses allowed

    health = models.CharField(max_length=8, choices=Health, default=Health.UNKNOWN)
    health_reason = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    retry_at = models.DateTimeField(null=True)  # the circuit is open until then

    class Meta:
        abstract = True

    @property
    def lane(self) -> str:
        return f"{self.KIND}:{self.pk}"

    @property
    def is_usable(self) -> bool:
        return self.state == CredentialState.ACTIVE and self.is_enabled

    @property
    def is_open_circuit(self) -> bool:
        return self.retry_at is not None and self.retry_at > timezone.now()

    def last_read(self) -> datetime.datetime | None:
        """When anything of it was last read."""
        readings = self.syncs.exclude(done_at=None).order_by("-done_at")  # type: ignore[attr-defined]
        found: datetime.datetime | None = readings.values_list("done_at", flat=True).first()
        return found


class Reading(models.Model):
    """When one kind of things of a back-end was last read, and when it is next.

    `since` is the back-end's time from which the next incremental read starts; `full_at` when everything was last
    read.
    """

    due_at = models.DateTimeField(db_default=Now())
    running_until = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)
    full_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def age(self) -> datetime.timedelta | None:
        return timezone.now() - self.done_at if self.done_at else None
