"""Events, and what a record needs so that its changes become events."""

import os
import time
import uuid
from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


def new_id() -> uuid.UUID:
    """A UUID version 7 (RFC 9562, 6.2 method 3): in order of making, to a fraction of a microsecond."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8)) >> 2
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)


class Event(models.Model):
    """One thing that happened, for the audit, for live pages and for replay.

    `seq` is given after the writer's transaction is committed, one writer at a time: whoever reads numbers
    up to N will never see another event at or below N appear later. Ids are plain values, not references,
    since the audit outlives what it tells of.
    """

    seq = models.BigIntegerField(null=True, unique=True, editable=False)
    at = models.DateTimeField(db_default=Now())
    topic = models.CharField(max_length=64)
    kind = models.CharField(max_length=32)
    object_id = models.UUIDField(null=True)
    name = models.CharField(max_length=255, blank=True)  # what the object was called at that time
    verb = models.CharField(max_length=32)
    version = models.PositiveIntegerField(default=0)
    project_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=150, blank=True)
    from_state = models.CharField(max_length=24, blank=True)
    to_state = models.CharField(max_length=24, blank=True)
    reason = models.TextField(blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(seq=None), name="event_unnumbered"),
            models.Index(fields=["object_id", "-id"], name="event_object"),
            models.Index(fields=["topic", "seq"], name="event_topic"),
            models.Index(fields=["actor_id", "-id"], condition=models.Q(actor_id__isnull=False), name="event_actor"),
        ]

    def __str__(self) -> str:
        """What happened and why: `cloud india health: It took 7 s to answer.`"""
        return f"{self.summary}: {self.reason}" if self.reason else self.summary

    @property
    def summary(self) -> str:
        """What happened, as words: `server gregor_1 active`."""
        return " ".join(filter(None, (self.kind, self.name, self.verb.replace("_", " "))))


class Stateful(models.Model):
    """A record whose state follows a table and is written by `activity.lifecycle` alone."""

    KIND: ClassVar[str]
    FOLLOWS: ClassVar[Mapping[str, frozenset[str]]]  # state → the states that may follow it
    PUBLIC: ClassVar[frozenset[str]] = frozenset()  # changed fields that an event may tell, never secrets

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    state = models.CharField(max_length=24)
    state_reason = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    @property
    def topic(self) -> str:
        """Who hears of it: `project:ID` or `user:ID`."""
        return f"project:{self.event_project}"

    @property
    def event_project(self) -> uuid.UUID | None:
        """The project that the events of this record belong to."""
        return getattr(self, "project_id", None)
