"""Sessions in the database: whose they are, from where, and when they were last used.

There is no cache in between: a session that was ended while Redis was away must not come back with it. The table
keeps a digest of what the browser shows, so that nobody signs in with what they read there.
"""

import datetime
import hashlib
import ipaddress
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import Session

SEEN_EVERY = datetime.timedelta(minutes=5)


class SessionStore(db.SessionStore):
    address: str | None = None  # of whoever shows the session now
    agent = ""
    _row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:  # type: ignore[override]
        return Session

    @property
    def pk(self) -> str:
        """Of its row; empty for a session that is not stored."""
        return hidden(self.session_key) if self.session_key else ""

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(pk=hidden(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        shown = session_key or self.session_key
        if shown:
            Session.objects.filter(pk=hidden(shown)).delete()

    def save(self, must_create: bool = False) -> None:
        """An existing one keeps what is known of it beside its content."""
        if must_create or self.session_key is None:
            super().save(must_create)
            return
        row = self.create_model_instance(self._get_session())  # type: ignore[attr-defined]
        kept = {"session_data": row.session_data, "expire_date": row.expire_date, "user": row.user_id}
        if not Session.objects.filter(pk=row.pk).update(**kept):
            raise UpdateError

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        return Session(
            session_key=hidden(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=data.get(SESSION_KEY),
            address=self.address,
            agent=self.agent,
        )

    def note_use(self) -> None:
        """Remember that somebody uses it, and from where; once in a while is enough."""
        row, now = self._row, timezone.now()
        if row is not None and row.user_id and now - row.seen_at > SEEN_EVERY:
            Session.objects.filter(pk=row.pk).update(seen_at=now, address=self.address, agent=self.agent)

    def _get_session_from_db(self) -> Session | None:
        self._row = Session.objects.filter(pk=self.pk, expire_date__gt=timezone.now()).first()
        if self._row is None:
            self._session_key = None
        return self._row


class Sessions(SessionMiddleware):
    """Django's, which also knows where a request comes from."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.session.address = address_of(request) or None  # type: ignore[attr-defined]
        request.session.agent = request.headers.get("User-Agent", "").replace("\0", "")[:200]  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        answer = super().process_response(request, response)
        request.session.note_use()  # type: ignore[attr-defined]
        return answer


def session_id(request: HttpRequest) -> str:
    """The id of the session that a request came with; empty without one."""
    return str(getattr(request.session, "pk", ""))


def hidden(session_key: str) -> str:
    """What the table keeps of a session's key: 160 bits that lead nowhere."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


def address_of(request: HttpRequest) -> str:
    """The client's; behind a proxy of ours what that one says, which is the last it appended."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    said = forwarded.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))
    try:
        return str(ipaddress.ip_address(said))
    except ValueError:
        return ""
