"""What happens to users, their keys and their tokens."""

import base64
import binascii
import datetime
import hashlib
import re
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import backends
from accounts.models import ApiToken, LoginLink, SshKey, User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid

LINK_LIFE = datetime.timedelta(hours=1)
TOKEN_LIFE = datetime.timedelta(days=365)
KEY_TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
)
KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


@transaction.atomic
def create_user(*, username: str, email: str, password: str | None = None, is_admin: bool = False) -> User:
    """A new local user; without a password only links and tokens sign in."""
    user = User.objects.create_user(username, email, password, is_staff=is_admin, is_superuser=is_admin)
    lifecycle.note(kind="user", verb="created", topic=user.topic, object_id=user.pk, name=user.username)
    return user


@transaction.atomic
def issue_token(
    *, user: User, name: str, scopes: Sequence[str] = ("read", "write"), life: datetime.timedelta | None = TOKEN_LIFE
) -> tuple[ApiToken, str]:
    """A new API token and its secret, which is shown this once. Raises Invalid."""
    if not scopes or set(scopes) - set(ApiToken.Scope.values):
        raise Invalid(
            f"A token's scopes are {' and '.join(ApiToken.Scope.values)}; got {', '.join(scopes) or 'none'}.",
            field="scopes",
        )
    secret = backends.new_secret()
    token = ApiToken.objects.create(
        user=user,
        name=name[:64] or "token",
        digest=backends.digest(secret),
        scopes=sorted(set(scopes)),
        expires_at=timezone.now() + life if life else None,
    )
    lifecycle.note(kind="token", verb="created", topic=user.topic, object_id=token.pk, name=token.name, actor=user)
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: User | None) -> None:
    lifecycle.note(
        kind="token", verb="revoked", topic=token.user.topic, object_id=token.pk, name=token.name, actor=actor
    )
    token.delete()


def issue_login_link(*, user: User) -> str:
    """The path of a link that signs `user` in once within the next hour."""
    secret = backends.new_secret()
    LoginLink.objects.filter(expires_at__lt=timezone.now()).delete()
    LoginLink.objects.create(user=user, digest=backends.digest(secret), expires_at=timezone.now() + LINK_LIFE)
    return reverse("portal:login-link", args=[secret])


@transaction.atomic
def add_ssh_key(*, actor: User, name: str, public_key: str) -> SshKey:
    """Keep a public key of `actor`. Raises Invalid, Conflict."""
    kind, body, comment = parse_ssh_key(public_key)
    name = name.strip() or re.sub(r"[^A-Za-z0-9_.-]", "-", comment.partition("@")[0])[:64] or "key"
    if not KEY_NAME.match(name):
        raise Invalid(
            f"The key name {name[:70]!r} is not possible: use up to 64 letters, digits, dots, dashes and underscores.",
            field="name",
        )
    blob = base64.b64decode(body)
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    try:
        with transaction.atomic():
            key = SshKey.objects.create(
                user=actor, name=name, public_key=f"{kind} {body}", fingerprint=fingerprint, comment=comment[:255]
            )
    except IntegrityError as error:
        raise Conflict(f"You have a key named {name!r}, or this very key, already.", field="name") from error
    lifecycle.note(kind="key", verb="created", topic=actor.topic, object_id=key.pk, name=key.name, actor=actor)
    return key


@transaction.atomic
def remove_ssh_key(*, key: SshKey, actor: User) -> None:
    lifecycle.note(kind="key", verb="deleted", topic=key.user.topic, object_id=key.pk, name=key.name, actor=actor)
    key.delete()


def parse_ssh_key(text: str) -> tuple[str, str, str]:
    """Type, base64 body and comment of an OpenSSH public key (RFC 4253, 6.6). Raises Invalid."""
    if "PRIVATE KEY" in text:
        raise Invalid(
            "This is a private key. Keep it secret and give the public one, usually the file that ends in .pub.",
            field="public_key",
        )
    parts = text.strip().split(None, 2)
    if len(parts) < 2 or parts[0] not in KEY_TYPES or "\n" in text.strip():
        raise Invalid(
            "This is no OpenSSH public key: it should be one line such as 'ssh-ed25519 AAAA… you@host'.",
            field="public_key",
        )
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except binascii.Error as error:
        raise Invalid("The key's middle part is not base64: was it cut while copying?", field="public_key") from error
    length = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + length].decode("ascii", "replace") != parts[0]:
        raise Invalid(
            f"The key says {parts[0]} but holds something else: was it cut while copying?", field="public_key"
        )
    return parts[0], parts[1], parts[2] if len(parts) > 2 else ""
