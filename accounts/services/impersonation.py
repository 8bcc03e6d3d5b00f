"""Administrators who look through somebody's eyes: with a reason, for a while, told to whom it is.

Who may do so to whom is decided above, in `projects.services`.
"""

import datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Impersonation, NoticeKind, User
from accounts.services.notices import notify
from activity import lifecycle
from cloudmesh.errors import Invalid

LONGEST_IMPERSONATION = 60  # minutes
REASON = 400  # characters


@transaction.atomic
def begin_impersonation(
    *, actor: User, user: User, reason: str, minutes: int, may_write: bool = False
) -> Impersonation:
    """Have `actor` act as `user` for some minutes; what they acted as before ends. Raises Invalid."""
    why = " ".join(reason.split())
    if not 10 <= len(why) <= REASON:
        raise Invalid(f"Say why, in 10 to {REASON} characters: {user} will read it.", field="reason")
    if not 1 <= minutes <= LONGEST_IMPERSONATION:
        raise Invalid(f"It lasts 1 to {LONGEST_IMPERSONATION} minutes, not {minutes}.", field="minutes")
    end_impersonations(admin=actor)
    ends_at = timezone.now() + datetime.timedelta(minutes=minutes)
    begun = Impersonation.objects.create(admin=actor, user=user, reason=why, may_write=may_write, ends_at=ends_at)
    _note(begun, "begun", actor)
    how = "may change things" if may_write else "may change nothing"
    notify(
        [user],
        kind=NoticeKind.ACCOUNT,
        title=f"{actor} looks at the portal as you",
        text=f"For {minutes} minutes; they {how}. The reason: {why}",
        url=reverse("portal:security"),
    )
    return begun


@transaction.atomic
def end_impersonations(*, admin: User) -> None:
    """Let go whomever `admin` acts as."""
    for running in Impersonation.objects.select_for_update(of=("self",)).filter(admin=admin.pk, ended_at=None):
        Impersonation.objects.filter(pk=running.pk).update(ended_at=min(timezone.now(), running.ends_at))
        _note(running, "ended", admin)


def _note(impersonation: Impersonation, verb: str, admin: User) -> None:
    """On the topic of whom it is about: their open streams, and those opened as them, ask again who they are."""
    lifecycle.note(
        kind="impersonation",
        verb=verb,
        topic=impersonation.user.topic,
        object_id=impersonation.pk,
        name=impersonation.user.username,
        actor=admin,
        reason=impersonation.reason,
    )
