"""The second factor: time-based one-time passwords (RFC 6238), and recovery codes for when the device is gone."""

import base64
import datetime
import hmac
import secrets

import pyotp
import segno
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import backends
from accounts import secrets as sealing
from accounts.access import require_oneself
from accounts.models import Authenticator, NoticeKind, RecoveryCode, User
from accounts.services.notices import notify
from accounts.services.tries import claim_try, code_key, forgive
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound

RECOVERY_CODES = 10
DRIFT = (0, -1, 1)  # time steps that a device's clock may be off
WRONG_CODE = "This code is not right, or was used already. Wait for the next one; a device's clock must be right, too."
LOCKED_CODES = "Too many wrong codes. Wait 15 minutes, then try again."


def has_second_factor(user: User) -> bool:
    return Authenticator.objects.filter(user=user.pk).exclude(confirmed_at=None).exists()


@transaction.atomic
def prepare_authenticator(*, actor: User) -> Authenticator:
    """A new secret for `actor`'s device, of no effect before a first code confirmed it. Raises Conflict."""
    require_oneself(actor)
    known = Authenticator.objects.select_for_update().filter(user=actor.pk).first()
    if known and known.confirmed_at:
        raise Conflict("You have a second factor already. Turn it off before you set up another device.")
    sealed = sealing.seal(sealing.ring(), {"secret": pyotp.random_base32()}, **_place(actor))
    return Authenticator.objects.update_or_create(user=actor, defaults={"secret": sealed, "last_step": 0})[0]


def enrolment(*, actor: User) -> dict[str, str] | None:
    """What a device needs to know, as text and as a picture; None unless a secret waits for its first code."""
    require_oneself(actor)
    waiting = Authenticator.objects.filter(user=actor.pk, confirmed_at=None).first()
    if waiting is None:
        return None
    uri = _totp(waiting).provisioning_uri(name=actor.username, issuer_name=settings.PORTAL_NAME)
    picture = segno.make_qr(uri, error="m").svg_data_uri(scale=5, border=4, light="#fff", dark="#000")
    return {"secret": _totp(waiting).secret, "uri": uri, "picture": picture}


@transaction.atomic
def _confirm(actor: User, code: str) -> list[str]:
    waiting = Authenticator.objects.select_for_update().filter(user=actor.pk, confirmed_at=None).first()
    if waiting is None:
        raise NotFound("No device waits to be confirmed. Begin again under Security.")
    if not _is_right(waiting, code):
        return []
    Authenticator.objects.filter(pk=waiting.pk).update(confirmed_at=timezone.now())
    _told(actor, "enabled", "A second factor was set up", "From now on signing in asks for a code of your device.")
    return _new_recovery_codes(actor)


def confirm_authenticator(*, actor: User, code: str) -> list[str]:
    """Turn the second factor on with a first code; the recovery codes, which are shown this once.

    Raises Invalid, NotFound, NotAllowed.
    """
    require_oneself(actor)
    _claim(actor)
    codes = _confirm(actor, code)
    if not codes:
        raise Invalid(WRONG_CODE, field="code")
    forgive(code_key(actor))
    return codes


def renew_recovery_codes(*, actor: User, code: str) -> list[str]:
    """Ten new recovery codes instead of those left. Raises Invalid, NotAllowed."""
    require_oneself(actor)
    check_code(user=actor, code=code)
    with transaction.atomic():
        _told(actor, "recovery codes", "You have new recovery codes", "Those you had before do not work any more.")
        return _new_recovery_codes(actor)


def disable_authenticator(*, actor: User, code: str) -> None:
    """Turn the second factor off, which needs a code or a recovery code. Raises Invalid, NotAllowed."""
    require_oneself(actor)
    check_code(user=actor, code=code)
    with transaction.atomic():
        Authenticator.objects.filter(user=actor.pk).delete()
        RecoveryCode.objects.filter(user=actor.pk).delete()
        _told(actor, "disabled", "The second factor was turned off", "From now on your password alone signs you in.")


@transaction.atomic
def remove_second_factor(*, actor: User, user: User, reason: str) -> Event:
    """Let somebody in without codes who lost theirs; they are told. Raises Invalid, Conflict."""
    if not reason.strip():
        raise Invalid("Say how you know that it is they who ask; it is kept.", field="reason")
    if not Authenticator.objects.filter(user=user).delete()[0]:
        raise Conflict(f"{user} has no second factor.")
    RecoveryCode.objects.filter(user=user).delete()
    notify(
        [user],
        kind=NoticeKind.ACCOUNT,
        title="An administrator removed your second factor",
        text=f"{reason} Set up another one under Security. Did you not ask for it? Tell the administrators at once.",
    )
    return lifecycle.note(
        kind="second factor", verb="removed", topic=user.topic, object_id=user.pk, name="", actor=actor, reason=reason
    )


def check_code(*, user: User, code: str) -> None:
    """Take a code of the device, or a recovery code; each works once. Raises Invalid, NotAllowed."""
    _claim(user)
    if not (_take_code(user, code) or _take_recovery_code(user, code)):
        raise Invalid(WRONG_CODE, field="code")
    forgive(code_key(user))


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user.pk, used_at=None).count()


def _claim(user: User) -> None:
    """In a transaction of its own: a wrong code stays counted."""
    if not claim_try(code_key(user)):
        raise NotAllowed(LOCKED_CODES)


@transaction.atomic
def _take_code(user: User, code: str) -> bool:
    known = Authenticator.objects.select_for_update().filter(user=user.pk).exclude(confirmed_at=None).first()
    return known is not None and _is_right(known, code)


@transaction.atomic
def _take_recovery_code(user: User, code: str) -> bool:
    digest = backends.digest(_plain(code))
    unused = RecoveryCode.objects.select_for_update().filter(user=user.pk, used_at=None, digest=digest)
    if not unused.update(used_at=timezone.now()):
        return False
    left = recovery_codes_left(user)
    _told(user, "recovery code", "A recovery code was used", f"You have {left} left.")
    return True


def _is_right(authenticator: Authenticator, code: str) -> bool:
    """Whether it is the code of this time, and none of a step that was taken before; the row is locked."""
    totp = _totp(authenticator)
    now = totp.timecode(datetime.datetime.now(datetime.UTC))
    shown = code.replace(" ", "")
    for step in (now + drift for drift in DRIFT):
        if step > authenticator.last_step and hmac.compare_digest(totp.generate_otp(step).encode(), shown.encode()):
            Authenticator.objects.filter(pk=authenticator.pk).update(last_step=step)
            return True
    return False


def _new_recovery_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user.pk).delete()
    plain = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=backends.digest(code)) for code in plain)
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in plain]


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _totp(authenticator: Authenticator) -> pyotp.TOTP:
    plain = sealing.unseal(sealing.ring(), authenticator.secret, **_place(authenticator.user_id))
    return pyotp.TOTP(plain["secret"])


def _place(user: object) -> dict[str, str]:
    pk = str(user.pk if isinstance(user, User) else user)
    return {"tenant": f"user:{pk}", "record": f"authenticator:{pk}", "field": "secret"}


def place_of_code(authenticator: Authenticator) -> dict[str, str]:
    """What the sealed secret is bound to."""
    return _place(authenticator.user_id)


def _told(user: User, verb: str, title: str, text: str) -> None:
    lifecycle.note(kind="second factor", verb=verb, topic=user.topic, object_id=user.pk, name="", actor=user)
    notify([user], kind=NoticeKind.ACCOUNT, title=title, text=f"{text} Was it not you? Change your password at once.")
