"""Mail through a real server: signed in to, both forms of the text, and what it refuses for good or for now."""

import email
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from accounts import services, tasks
from accounts.models import Mail

ROOT = Path(__file__).parents[2]
NAME, PASSWORD = b"portal", b"p@ss word"
# The server of this test is on this machine: nobody is on the wire.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


class Postbox:
    """Takes mails, but for two addresses."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 There is nobody of this name"
        if address.startswith("busy"):
            return "450 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 Taken"


def is_portal(server: Any, session: Any, envelope: Any, mechanism: str, credentials: Any) -> AuthResult:
    given = isinstance(credentials, LoginPassword) and (credentials.login, credentials.password)
    return AuthResult(success=given == (NAME, PASSWORD), handled=False)


@pytest.fixture
def postbox(settings: Any) -> Iterator[Postbox]:
    box = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        host, port = free.getsockname()
    server = Controller(
        box, host, port, ready_timeout=20, authenticator=is_portal, auth_required=True, auth_require_tls=False
    )
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = NAME.decode(), PASSWORD.decode()
    yield box
    server.stop()


def posted(to: str) -> Mail:
    words = {"name": "Ada", "username": "ada", "link": "https://example.org/x", "days": 3}
    services.send_mail(to=to, template="password_reset", context=words)
    kept = Mail.objects.get()
    tasks.send_mail(str(kept.pk))
    kept.refresh_from_db()
    return kept


@pytest.mark.django_db
def test_both_forms_of_the_text_arrive(postbox: Postbox) -> None:
    assert posted("ada@example.org").sent_at
    (mail,) = postbox.mails
    assert (mail["To"], mail["Auto-Submitted"]) == ("ada@example.org", "auto-generated")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    for part in mail.iter_parts():
        assert "https://example.org/x" in part.get_content()


@pytest.mark.django_db
@pytest.mark.parametrize(("to", "is_over"), [("nobody@example.org", True), ("busy@example.org", False)])
def test_an_address_is_refused_for_good_or_for_now(postbox: Postbox, to: str, is_over: bool) -> None:
    kept = posted(to)
    assert (kept.sent_at, kept.next_at is None, bool(kept.text)) == (None, is_over, not is_over)
    assert not postbox.mails


@pytest.mark.parametrize(("password", "taken"), [("p%40ss%20word", 1), ("wrong", 0)])
def test_the_url_of_the_server_says_who_signs_in(postbox: Postbox, settings: Any, password: str, taken: int) -> None:
    url = f"smtp://portal:{password}@127.0.0.1:{settings.EMAIL_PORT}"
    ended = subprocess.run(
        [sys.executable, "manage.py", "sendtestemail", "ada@example.org"],
        cwd=ROOT, env=os.environ | {"CLOUDMESH_MAIL_URL": url}, capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.returncode == 0, len(postbox.mails)) == (bool(taken), taken), ended.stderr
