"""Mails: kept with what they tell of, then handed to the mail server.

One that does not answer is asked again, ever less often, for some days.
"""

import datetime
import logging
import random
import smtplib
import urllib.parse
import uuid
from collections.abc import Mapping
from typing import Any

import kombu.exceptions
from celery import current_app, shared_task
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import transaction
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone

from accounts.models import Mail

LEASE = datetime.timedelta(minutes=2)  # that one attempt may take
SHORTEST = 30.0  # seconds before the second attempt; twice as long before each further one
LONGEST = 3600.0
ATTEMPTS = 60  # a little more than two days
PORTION = 200  # mails in one sweep

log = logging.getLogger(__name__)


@transaction.atomic
def post_mail(*, to: str, template: str, context: Mapping[str, Any]) -> None:
    """Keep a mail in the running transaction, and have it sent after it. Raises ValidationError."""
    validate_email(to)
    words = {"portal_name": settings.PORTAL_NAME, "portal_url": settings.CLOUDMESH_URL.rstrip("/"), **context}
    subject, _, text = _render(f"mail/{template}.txt", words, autoescape=False).partition("\n")
    line = " ".join(subject.split())[:200]  # one line, so that nobody's name adds a header
    html = _render(f"mail/{template}.html", {**words, "subject": line}, autoescape=True)
    mail = Mail.objects.create(to=to, subject=line, text=text.strip() + "\n", html=html)
    transaction.on_commit(lambda: ring_mail(mail.pk), robust=True)


def absolute(path: str) -> str:
    """The address of a page of this portal, for a mail: never what a request's Host header says."""
    return urllib.parse.urljoin(settings.CLOUDMESH_URL, path)


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


def _render(name: str, words: Mapping[str, Any], *, autoescape: bool) -> str:
    template = get_template(name).template  # type: ignore[attr-defined]
    return str(template.render(Context(dict(words), autoescape=autoescape)))


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
