"""Mail to people: rendered and kept with what it tells of, sent by a worker after commit."""

import urllib.parse
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.validators import validate_email
from django.db import transaction
from django.template import Context
from django.template.loader import get_template

from accounts import tasks
from accounts.models import Mail


@transaction.atomic
def send_mail(*, to: str, template: str, context: Mapping[str, Any]) -> None:
    """Send `templates/mail/TEMPLATE.txt` and `.html` to an address; the first line of the text is the subject.

    The mail is stored in the running transaction: whatever dies, it goes out once, later. Templates know
    `portal_name` and `portal_url` besides `context`. Raises ValidationError for what is no address.
    """
    validate_email(to)
    words = {"portal_name": settings.PORTAL_NAME, "portal_url": settings.CLOUDMESH_URL.rstrip("/"), **context}
    subject, _, text = _render(f"mail/{template}.txt", words, autoescape=False).partition("\n")
    line = " ".join(subject.split())[:200]  # one line, so that nobody's name adds a header
    html = _render(f"mail/{template}.html", {**words, "subject": line}, autoescape=True)
    mail = Mail.objects.create(to=to, subject=line, text=text.strip() + "\n", html=html)
    transaction.on_commit(lambda: tasks.ring_mail(mail.pk), robust=True)


def absolute(path: str) -> str:
    """The address of a page of this portal, for a mail: never what a request's Host header says."""
    return urllib.parse.urljoin(settings.CLOUDMESH_URL, path)


def _render(name: str, words: Mapping[str, Any], *, autoescape: bool) -> str:
    template = get_template(name).template  # type: ignore[attr-defined]
    return str(template.render(Context(dict(words), autoescape=autoescape)))
