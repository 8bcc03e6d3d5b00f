"""What happens to users, their keys and their tokens."""

import base64
import binascii
import datetime
import hashlib
import itertools
import re
import uuid
from collections.abc import Collection, Sequence

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import backends
from accounts.access import require_oneself
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
MOST_KEYS = 50  # in one file
KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


@transaction.atomic
def create_user(*, username: str, email: str, password: str | None = None, is_admin: bool = False) -> User:
    """A new local user; without a password only links and tokens sign in."""
    user = User.objects.create_user(username, email, password, is_staff=is_admin, is_superuser=is_admin)
    lifecycle.note(kind="user", verb="created", topic=user.topic, object_id=user.pk, name=user.username)
    return user


@transaction.atomic
def issue_token(
    *,
    user: User,
    name: str,
    scopes: Sequence[str] = ("read", "write"),
    life: datetime.timedelta | None = TOKEN_LIFE,
    project_id: uuid.UUID | None = None,
) -> tuple[ApiToken, str]:
    """A new API token and its secret, which is shown this once; with `project_id` it works there alone.

    Raises Invalid.
    """
    require_oneself(user)
    require_scopes(scopes)
    secret = backends.new_secret()
    token = ApiToken.objects.create(
        user=user,
        name=name[:64] or "token",
        digest=backends.digest(secret),
        scopes=sorted(set(scopes)),
        expires_at=timezone.now() + life if life else None,
        project_id=project_id,
    )
    lifecycle.note(kind="token", verb="created", topic=user.topic, object_id=token.pk, name=token.name, actor=user)
    return token, secret


def require_scopes(scopes: Sequence[str]) -> None:
    """Raises Invalid unless there are some, and all are known."""
    if not scopes or set(scopes) - set(ApiToken.Scope.values):
        raise Invalid(
            f"A token's scopes are {' and '.join(ApiToken.Scope.values)}; got {', '.join(scopes) or 'none'}.",
            field="scopes",
        )


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: User | None) -> None:
    if actor is not None:
        require_oneself(actor)
    lifecycle.note(
        kind="token", verb="revoked", topic=token.user.topic, object_id=token.pk, name=token.name, actor=actor
    )
    token.delete()


def revoke_secret(*, secret: str) -> None:
    """End the token of this secret, by whoever has it (RFC 7009); of one that is none nothing is said."""
    token = ApiToken.objects.select_related("user").filter(digest=backends.digest(secret)).first()
    if token is not None:
        revoke_token(token=token, actor=token.user)


def issue_login_link(*, user: User) -> str:
    """The path of a link that signs `user` in once within the next hour."""
    secret = backends.new_secret()
    LoginLink.objects.filter(expires_at__lt=timezone.now()).delete()
    LoginLink.objects.create(user=user, digest=backends.digest(secret), expires_at=timezone.now() + LINK_LIFE)
    return reverse("portal:login-link", args=[secret])


@transaction.atomic
def add_ssh_key(*, actor: User, name: str, public_key: str) -> SshKey:
    """Keep a public key of `actor`. Raises Invalid, Conflict."""
    require_oneself(actor)
    kind, body, comment = parse_ssh_key(public_key)
    name = name.strip() or key_name(comment)
    if not KEY_NAME.match(name):
        raise Invalid(
            f"The key name {name[:70]!r} is not possible: use up to 64 letters, digits, dots, dashes and underscores.",
            field="name",
        )
    try:
        with transaction.atomic():
            key = SshKey.objects.create(
                user=actor, name=name, public_key=f"{kind} {body}", fingerprint=fingerprint(body), comment=comment[:255]
            )
    except IntegrityError as error:
        raise Conflict(f"You have a key named {name!r}, or this very key, already.", field="name") from error
    lifecycle.note(kind="key", verb="created", topic=actor.topic, object_id=key.pk, name=key.name, actor=actor)
    return key


@transaction.atomic
def add_ssh_keys(*, actor: User, text: str, name: str = "") -> list[SshKey]:
    """Keep every key of a text with one on each line, as `.pub`, `.keys` and `authorized_keys` files are.

    Keys that `actor` has already are left out. All or none are kept: raises Invalid naming the line, Conflict.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if len(lines) < 2 or "PRIVATE KEY" in text:
        return [add_ssh_key(actor=actor, name=name, public_key=text)]
    if len(lines) > MOST_KEYS:
        raise Invalid(f"These are {len(lines)} keys; bring at most {MOST_KEYS} at a time.", field="public_key")
    known = {(key.name, key.fingerprint) for key in SshKey.objects.filter(user=actor)}
    names, prints = {each for each, _ in known}, {each for _, each in known}
    added = []
    for number, line in lines:
        body, comment = _line(number, line)
        if fingerprint(body) not in prints:
            free = _free_name(name or key_name(comment), names)
            added.append(add_ssh_key(actor=actor, name=free, public_key=line))
            names.add(free)
            prints.add(added[-1].fingerprint)
    if not added:
        raise Conflict("You have all of these keys already.", field="public_key")
    return added


def _line(number: int, line: str) -> tuple[str, str]:
    """Body and comment of the key on a line of a file."""
    try:
        _, body, comment = parse_ssh_key(line)
    except Invalid as error:
        raise Invalid(f"Line {number}: {error.message}", field="public_key") from error
    return body, comment


def key_name(comment: str) -> str:
    """What a key is called that nobody named."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", comment.partition("@")[0]).lstrip("-._")[:64] or "key"


def fingerprint(body: str) -> str:
    """As `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(body)).digest()).decode().rstrip("=")


def _free_name(wanted: str, taken: Collection[str]) -> str:
    numbered = (f"{wanted[:60]}-{number}" for number in itertools.count(2))
    return wanted if wanted not in taken else next(name for name in numbered if name not in taken)


@transaction.atomic
def remove_ssh_key(*, key: SshKey, actor: User) -> None:
    require_oneself(actor)
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
