"""Handing mails to the mail server; one that does not answer is asked again, ever less often, for some days."""

import datetime
import logging
import random
import smtplib
import uuid

import kombu.exceptions
from celery import current_app, shared_task
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone

from accounts.models import Mail

LEASE = datetime.timedelta(minutes=2)  # that one attempt may take
SHORTEST = 30.0  # seconds before the second attempt; twice as long before each further one
LONGEST = 3600.0
ATTEMPTS = 60  # a little more than two days
PORTION = 200  # mails in one sweep

log = logging.getLogger(__name__)


def ring_mail(pk: uuid.UUID) -> None:
    """Ask a worker to send it now; if nobody hears, the sweep asks."""
    try:
        current_app.send_task("accounts.tasks.send_mail", args=[str(pk)])
    except (kombu.exceptions.OperationalError, OSError) as error:
        log.warning("No doorbell for a mail, the sweep will send it: %s", error)


@shared_task(name="accounts.tasks.send_mail")
def send_mail(mail_id: str) -> None:
    """Try to send one mail, if it is due and in nobody's hands."""
    mail = _claim(mail_id)
    if mail is None:
        return
    try:
        _hand_over(mail)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        _later(mail, error)
    else:
        Mail.objects.filter(pk=mail.pk).update(sent_at=timezone.now(), next_at=None, text="", html="", problem="")


@shared_task(name="accounts.tasks.sweep_mails")
def sweep_mails() -> None:
    """Ring for the mails that are due."""
    due = Mail.objects.filter(next_at__lte=timezone.now()).order_by("next_at")
    for pk in due.values_list("pk", flat=True)[:PORTION]:
        ring_mail(pk)


@transaction.atomic
def _claim(mail_id: str) -> Mail | None:
    now = timezone.now()
    due = Mail.objects.select_for_update(skip_locked=True).filter(pk=mail_id, next_at__lte=now)
    mail = due.first()
    if mail is not None:
        mail.attempts, mail.next_at = mail.attempts + 1, now + LEASE
        mail.save(update_fields=["attempts", "next_at"])
    return mail


def _hand_over(mail: Mail) -> None:
    message = EmailMultiAlternatives(mail.subject, mail.text, to=[mail.to])
    message.attach_alternative(mail.html, "text/html")
    message.extra_headers["Auto-Submitted"] = "auto-generated"  # RFC 3834: no "out of office" in answer
    message.send()


def _later(mail: Mail, error: Exception) -> None:
    """Again after a while; not when the server refuses the address for good, nor after too many attempts."""
    is_over = _is_final(error) or mail.attempts >= ATTEMPTS
    pause = min(SHORTEST * 2 ** (mail.attempts - 1), LONGEST) * random.uniform(0.8, 1.2)  # noqa: S311
    next_at = None if is_over else timezone.now() + datetime.timedelta(seconds=pause)
    kept = {"text": "", "html": ""} if is_over else {}
    Mail.objects.filter(pk=mail.pk).update(next_at=next_at, problem=f"{type(error).__name__}: {error}"[:400], **kept)
    log.warning("Mail %s was not sent (attempt %d): %s", mail.pk, mail.attempts, type(error).__name__)


def _is_final(error: Exception) -> bool:
    """Whether the server will never take it: it is no mail, or the address is refused for good (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, ValueError)
