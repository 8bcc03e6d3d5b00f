"""Telling people that their account is locked, and forgetting what is over."""

import datetime

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Answered, DeviceLogin, Session, Tries, User
from accounts.tasks.mail import absolute, post_mail
from activity import lifecycle

PORTION = 200  # locks in one go
FORGOTTEN = datetime.timedelta(days=7)  # after which wrong tries say nothing any more


@shared_task(name="accounts.tasks.sweep_signing_in")
def sweep_signing_in() -> None:
    """Here and not at the try: an answer must not take longer for a name that somebody has."""
    now = timezone.now()
    locks = Tries.objects.filter(locked_until__gt=now, told_at=None)
    for key in list(locks.values_list("pk", flat=True)[:PORTION]):
        _tell(key)
    Tries.objects.filter(tried_at__lt=now - FORGOTTEN).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    Answered.objects.filter(created_at__lt=now - Answered.KEPT).delete()
    DeviceLogin.objects.filter(expires_at__lt=now).delete()


@transaction.atomic
def _tell(key: str) -> None:
    locks = Tries.objects.select_for_update(skip_locked=True).filter(pk=key, told_at=None)
    if not locks.filter(locked_until__gt=timezone.now()).update(told_at=timezone.now()):
        return
    what, _, owner = key.partition(":")
    user = User.objects.filter(pk=owner).first() if what != "name" else None
    if user is None:
        return
    lifecycle.note(kind="user", verb="locked", topic=user.topic, object_id=user.pk, name=user.username)
    context = {
        "name": user.full_name,
        "username": user.username,
        "is_code": what == "code",
        "link": absolute(reverse("portal:password-reset")) if user.source == User.Source.LOCAL else "",
        "portal_name": settings.PORTAL_NAME,
    }
    post_mail(to=user.email, template="account_locked", context=context)
