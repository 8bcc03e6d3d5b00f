"""Telling people: stored at once, seen in their open pages, mailed when they want it mailed."""

import datetime
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Delay, Notice, NoticeChoice, NoticeKind, User
from activity import lifecycle
from cloudmesh.errors import Invalid

DIGEST_HOUR = 6  # UTC


@transaction.atomic
def notify(users: Iterable[User], *, kind: str, title: str, text: str = "", url: str = "") -> list[Notice]:
    """Tell each of `users` once; `title` is one line, `url` a path of this portal."""
    people = list({user.pk: user for user in users}.values())
    delays = dict(NoticeChoice.objects.filter(user__in=people, kind=kind).values_list("user", "delay"))
    line = " ".join(title.split())[:200]
    notices = Notice.objects.bulk_create(
        Notice(user=user, kind=kind, title=line, text=text, url=url, mail_at=_mail_at(delays.get(user.pk, Delay.NOW)))
        for user in people
    )
    for notice in notices:
        lifecycle.note(kind="notice", verb="created", topic=notice.user.topic, object_id=notice.pk, name=notice.title)
    return notices


@transaction.atomic
def read_notice(*, actor: User, notice: Notice) -> None:
    """One's open pages hear of it; what is read is not mailed any more."""
    if _mark_read(Notice.objects.filter(pk=notice.pk, user=actor)):
        lifecycle.note(
            kind="notice", verb="read", topic=actor.topic, object_id=notice.pk, name=notice.title, actor=actor
        )


@transaction.atomic
def read_all_notices(*, actor: User) -> int:
    """How many were unread."""
    count = _mark_read(Notice.objects.filter(user=actor))
    if count:
        lifecycle.note(kind="notice", verb="read", topic=actor.topic, actor=actor, data={"count": count})
    return count


@transaction.atomic
def choose_delays(*, actor: User, choices: Mapping[str, str]) -> None:
    """When `actor` wants notices mailed: kind → at once, once a day or never. Raises Invalid."""
    for kind, delay in choices.items():
        if kind not in NoticeKind.values or delay not in Delay.values:
            raise Invalid(f"Notices are mailed {', '.join(Delay.values)}, for {', '.join(NoticeKind.values)}.")
        NoticeChoice.objects.update_or_create(user=actor, kind=kind, defaults={"delay": delay})
    lifecycle.note(kind="notice_choice", verb="changed", topic=actor.topic, actor=actor, data=dict(choices))


def delays_of(user: User) -> dict[str, str]:
    """Of each kind of notice, when `user` wants it mailed."""
    chosen = dict(NoticeChoice.objects.filter(user=user).values_list("kind", "delay"))
    return {kind.value: chosen.get(kind, Delay.NOW) for kind in NoticeKind}


def _mark_read(notices: QuerySet[Notice]) -> int:
    unread = notices.filter(read_at=None)
    unread.filter(mailed_at=None).update(mail_at=None)
    return unread.update(read_at=timezone.now())


def _mail_at(delay: str) -> datetime.datetime | None:
    """At once, at the next hour of digests, or never."""
    now = timezone.now()
    if delay == Delay.NEVER:
        return None
    if delay == Delay.NOW:
        return now
    morning = now.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return morning if morning > now else morning + datetime.timedelta(days=1)
