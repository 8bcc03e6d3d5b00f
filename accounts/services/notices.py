"""Telling people: stored at once, seen in their open pages, mailed when they want it mailed."""

import datetime
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.models import Delay, Notice, NoticeChoice, User
from activity import lifecycle

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


def _mail_at(delay: str) -> datetime.datetime | None:
    """At once, at the next hour of digests, or never."""
    now = timezone.now()
    if delay == Delay.NEVER:
        return None
    if delay == Delay.NOW:
        return now
    morning = now.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return morning if morning > now else morning + datetime.timedelta(days=1)
