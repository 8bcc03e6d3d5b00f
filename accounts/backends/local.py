"""How somebody is recognised: password, API token, one-time link."""

import datetime
import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework import authentication, exceptions, permissions

from accounts.backends.agreements import require_agreements
from accounts.models import ApiToken, LoginLink, User
from activity.views import OWN, PUBLIC, SIGNED

if TYPE_CHECKING:  # rest_framework.views imports this module while it is being imported itself
    from rest_framework.request import Request
    from rest_framework.views import APIView

PREFIX = "cm_"
USED_EVERY = datetime.timedelta(minutes=1)


class LocalBackend(ModelBackend):
    """A user name or e-mail address with the password that this portal keeps."""

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **_: Any
    ) -> User | None:
        if not username or not password:
            return None
        user = User.objects.filter(
            Q(username__iexact=username) | Q(email__iexact=username), source=User.Source.LOCAL
        ).first()
        if user is None:
            User().set_password(password)  # as slow as a wrong password, so that names cannot be probed
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer cm_…`."""

    def authenticate(self, request: "Request") -> tuple[User, ApiToken] | None:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = find_token(secret.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(
                "This API token is unknown, expired or revoked. Make a new one under your profile, or run: cm login"
            )
        return token.user, token

    def authenticate_header(self, request: "Request") -> str:
        return 'Bearer realm="cloudmesh"'


class ScopedPermission(permissions.IsAuthenticated):
    """Signed in; a token that may only read does not write, and one of a single project changes nothing beside it."""

    message = ""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        token, user = request.auth, request.user
        if not super().has_permission(request, view) or not isinstance(user, User):
            return False
        require_agreements(user, request.resolver_match.view_name if request.resolver_match else "")
        if not isinstance(token, ApiToken) or request.method in permissions.SAFE_METHODS:
            return True
        if "write" not in token.scopes:
            self.message = "This API token may only read."
        elif token.project_id and _is_personal(view, request.method or ""):
            self.message = "This API token works in one project; change what is your own in the web."
        return not self.message


def _is_personal(view: "APIView", method: str) -> bool:
    """Whether the end point is not about something in a project, by what it declares of itself (`activity.views`).

    `by_project` says so of one whose declaration does not.
    """
    said = getattr(view, "permissions", {})
    declared = said.get(getattr(view, "action", "")) or said.get(method) or getattr(view, "permission", "")
    return declared in ("", PUBLIC, SIGNED, OWN) and not getattr(view, "by_project", False)


def find_token(secret: str) -> ApiToken | None:
    """The live token behind a secret; notes its use, at most once a minute."""
    if not secret.startswith(PREFIX):
        return None
    token = ApiToken.objects.select_related("user").filter(digest=digest(secret), user__is_active=True).first()
    now = timezone.now()
    if token is None or (token.expires_at and token.expires_at <= now):
        return None
    if token.last_used_at is None or now - token.last_used_at > USED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    token.user.only_project = token.project_id
    return token


@transaction.atomic
def redeem_link(secret: str) -> User | None:
    """The user of a one-time link that is used for the first time and in time."""
    link = (
        LoginLink.objects.select_for_update().select_related("user").filter(digest=digest(secret), used_at=None).first()
    )
    if link is None or link.expires_at <= timezone.now() or not link.user.is_active:
        return None
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    return link.user


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Plain SHA-256: the secrets are random, there is nothing to slow a guesser down for."""
    return hashlib.sha256(secret.encode()).hexdigest()
