"""Programs that somebody lets in from a browser, as RFC 8628 has it: docs/decisions/0023-device-login.md."""

import datetime
import secrets
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts import backends
from accounts.access import require_oneself
from accounts.models import ApiToken, DeviceLogin, NoticeKind, User
from accounts.services.limits import may_ask
from accounts.services.notices import notify
from accounts.services.people import issue_token, require_scopes
from accounts.services.signin import TOO_MANY, TooOften
from activity import lifecycle
from cloudmesh.errors import Invalid, NotAllowed, NotFound

DEVICE_LIFE = datetime.timedelta(minutes=10)
DEVICE_INTERVAL = datetime.timedelta(seconds=2)  # between two questions of a program
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # none is taken for another, none make words (RFC 8628, 6.1)
LENGTH = 8  # 34 bits, for ten minutes and a few tries
TRIES = 20  # codes that somebody may look at in ten minutes

UNKNOWN = "There is no such code, or it is over. A code is good for 10 minutes and once; cm shows a new one."
EXPIRED = "The code is over, or its token was fetched already. Begin again with: cm login URL"
DENIED = "The sign-in was denied in the browser."
PENDING = "Nobody has decided in the browser yet."
SLOW_DOWN = f"This is asked too often; wait {DEVICE_INTERVAL.seconds} seconds in between."


def ask_to_enter(
    *, client: str, host: str, address: str, scopes: Sequence[str], days: int
) -> tuple[DeviceLogin, str, str]:
    """What a program begins with: the secret that fetches its token, and the code for its person.

    Raises Invalid, TooOften.
    """
    require_scopes(scopes)
    if not (client + host).isprintable():
        raise Invalid("The names of program and host are for people to read: no control characters.", field="host")
    if not may_ask("device", address, most=TRIES, seconds=DEVICE_LIFE.seconds):
        raise TooOften(TOO_MANY)
    DeviceLogin.objects.filter(expires_at__lte=timezone.now()).delete()
    secret, code = backends.new_secret(), _new_code()
    device = DeviceLogin.objects.create(
        digest=backends.digest(secret),
        code_digest=_code_digest(code),
        client=client,
        host=host,
        address=address or None,
        scopes=sorted(set(scopes)),
        days=days,
        expires_at=timezone.now() + DEVICE_LIFE,
    )
    return device, secret, code


def find_device(*, actor: User, code: str) -> DeviceLogin:
    """The program that waits under this code. Raises NotFound, TooOften, NotAllowed."""
    require_oneself(actor)
    if not may_ask("device-code", str(actor.pk), most=TRIES, seconds=DEVICE_LIFE.seconds):
        raise TooOften("You tried many codes. Wait ten minutes, then begin again with: cm login URL")
    live = DeviceLogin.objects.filter(is_allowed=None, expires_at__gt=timezone.now())
    found = live.filter(code_digest=_code_digest(code)).first()
    if found is None:
        raise NotFound(UNKNOWN)
    return found


@transaction.atomic
def decide_device(*, actor: User, device: DeviceLogin, is_allowed: bool) -> None:
    """Let a program in, or not. Raises NotFound where somebody else decided first, NotAllowed."""
    require_oneself(actor)
    live = DeviceLogin.objects.filter(pk=device.pk, is_allowed=None, expires_at__gt=timezone.now())
    if not live.update(is_allowed=is_allowed, user=actor):
        raise NotFound(UNKNOWN)
    lifecycle.note(
        kind="device login",
        verb="allowed" if is_allowed else "denied",
        topic=actor.topic,
        object_id=device.pk,
        name=str(device),
        actor=actor,
        data={"address": device.address, "scopes": device.scopes},
    )


def fetch_token(*, secret: str) -> tuple[ApiToken, str]:
    """The token of a program that was let in, and its secret, once.

    Raises Invalid or NotAllowed with an `error` of RFC 8628, 3.5.
    """
    known = DeviceLogin.objects.filter(digest=backends.digest(secret), expires_at__gt=timezone.now())
    device = known.select_related("user").first()
    if device is None:
        raise Invalid(EXPIRED, error="expired_token")
    if device.is_allowed is None:
        raise _pending(device)
    if device.is_allowed and device.user is not None and device.user.is_active:
        return _made(device, device.user)
    device.delete()
    raise NotAllowed(DENIED, error="access_denied")


@transaction.atomic
def _made(device: DeviceLogin, user: User) -> tuple[ApiToken, str]:
    """Whoever removes the row has the token: of two who ask at the same instant one."""
    if not DeviceLogin.objects.filter(pk=device.pk).delete()[0]:
        raise Invalid(EXPIRED, error="expired_token")
    where = f" from {device.address}" if device.address else ""
    notify(
        [user],
        kind=NoticeKind.ACCOUNT,
        title=f"{device} signed in as you",
        text=f"You let it in{where}. Was it not you? Revoke its token under API tokens and change your password.",
    )
    life = datetime.timedelta(days=device.days)
    return issue_token(user=user, name=str(device), scopes=device.scopes, life=life)


def _pending(device: DeviceLogin) -> Invalid:
    now = timezone.now()
    is_in_time = Q(asked_at=None) | Q(asked_at__lte=now - DEVICE_INTERVAL * 0.8)  # networks hurry and tarry
    if DeviceLogin.objects.filter(is_in_time, pk=device.pk).update(asked_at=now):
        return Invalid(PENDING, error="authorization_pending")
    return Invalid(SLOW_DOWN, error="slow_down")


def _new_code() -> str:
    """Four letters, a dash, four letters, which nobody else has just now."""
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        if not DeviceLogin.objects.filter(code_digest=_code_digest(code)).exists():
            return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def _code_digest(code: str) -> str:
    """Keyed, since a table of all codes is quickly made; however a person writes it."""
    letters = "".join(sign for sign in code.upper() if sign in LETTERS)
    return salted_hmac("accounts.devices", letters, algorithm="sha256").hexdigest()
