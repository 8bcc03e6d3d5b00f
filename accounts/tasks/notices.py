"""Mailing notices: all that are due of one person in one mail, each once, whoever else is at it."""

import uuid

from celery import shared_task
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice, User
from accounts.tasks.mail import post_mail

PORTION = 200  # people in one round
MOST = 50  # notices told in one mail; the page has all


@shared_task(name="accounts.tasks.mail_notices")
def mail_notices() -> None:
    """Write the mails whose time has come; from then on they are the mail server's, tried again by `sweep_mails`."""
    due = Notice.objects.filter(mail_at__lte=timezone.now(), mailed_at=None).order_by()
    for user_id in due.values_list("user", flat=True).distinct()[:PORTION]:
        _mail_one(user_id)


@transaction.atomic
def _mail_one(user_id: uuid.UUID) -> None:
    """Whoever holds a notice's row mails it; others pass it by. It is marked with the mail or not at all."""
    now = timezone.now()
    due = Notice.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        user=user_id, mail_at__lte=now, mailed_at=None
    )
    notices = list(due.order_by("-at"))
    if not notices:
        return
    user = User.objects.get(pk=user_id)
    post_mail(to=user.email, template="notices", context=_words(user, notices))
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(mailed_at=now)


def _words(user: User, notices: list[Notice]) -> dict[str, object]:
    return {
        "name": user.full_name,
        "notices": notices[:MOST],
        "more": max(0, len(notices) - MOST),
        "count": len(notices),
        "choices": reverse("portal:notices"),
    }
