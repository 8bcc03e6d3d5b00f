"""Who may come in, and what they may hear: by session cookie or API token, asked anew whenever in doubt."""

import dataclasses
import importlib
import urllib.parse
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host

from accounts import backends
from accounts.models import User
from projects import access, services

Scope = Mapping[str, Any]  # of ASGI


@dataclasses.dataclass(frozen=True)
class Credential:
    """What a connection came in with, kept while it lasts."""

    token: str = dataclasses.field(default="", repr=False)
    session: str = dataclasses.field(default="", repr=False)


def credential(scope: Scope) -> Credential:
    kind, _, secret = header(scope, "authorization").partition(" ")
    if kind.lower() == "bearer":
        return Credential(token=secret.strip())
    cookies = parse_cookie(header(scope, "cookie"))
    return Credential(session=cookies.get(settings.SESSION_COOKIE_NAME, ""))


def user_of(shown: Credential) -> User | None:
    """Whose credential this is; None when the session or token has ended, or its user was locked out."""
    if shown.token:
        token = backends.find_token(shown.token)
        return token.user if token else None
    request = HttpRequest()
    request.session = importlib.import_module(settings.SESSION_ENGINE).SessionStore(shown.session or None)
    user = services.acting_as(auth.get_user(request), request.session)
    return user if isinstance(user, User) and user.is_active else None


def topics_of(shown: Credential) -> frozenset[str] | None:
    """The topics that whoever this is may hear at this moment; None when nobody is."""
    user = user_of(shown)
    return access.hears(user) if user else None


def is_from_here(scope: Scope) -> bool:
    """Whether the page that asks is one of ours: browsers send cookies along for pages of others, too."""
    host = header(scope, "host")
    if not validate_host(split_domain_port(host.lower())[0], settings.ALLOWED_HOSTS):
        return False
    origin = header(scope, "origin")
    if not origin:
        return scope["type"] == "http" or bool(header(scope, "authorization"))
    return origin in settings.CSRF_TRUSTED_ORIGINS or urllib.parse.urlsplit(origin).netloc == host


def header(scope: Scope, name: str) -> str:
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), "")
