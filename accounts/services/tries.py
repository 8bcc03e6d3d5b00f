"""Wrong passwords and codes in a row, counted in the database: losing Redis unlocks nobody.

A try is counted before the password is looked at, so that many at once are no more than the same one after another.
A name that nobody has is counted and locked like one that somebody has, in the same words and the same time.
"""

import datetime
import hashlib

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Tries, User
from activity import lifecycle

WRONG_IN_A_ROW = 10
LOCK = datetime.timedelta(minutes=15)


def password_key(name: str) -> str:
    """What wrong passwords for this user name or e-mail address are counted under."""
    user = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).only("pk").first()
    return f"user:{user.pk}" if user else f"name:{hashlib.sha256(name.lower().encode()).hexdigest()}"


def code_key(user: User) -> str:
    """What wrong codes of a second factor are counted under."""
    return f"code:{user.pk}"


@transaction.atomic
def claim_try(key: str) -> bool:
    """Count a try, wrong until `forgive` says otherwise; False while there are none left."""
    Tries.objects.bulk_create([Tries(key=key)], ignore_conflicts=True)
    tries, now = Tries.objects.select_for_update().get(key=key), timezone.now()
    if tries.locked_until and tries.locked_until > now:
        return False
    tries.wrong = 1 if tries.locked_until else tries.wrong + 1
    tries.locked_until = now + LOCK if tries.wrong >= WRONG_IN_A_ROW else None
    tries.tried_at, tries.told_at = now, None
    tries.save()
    return True


def forgive(*keys: str) -> None:
    """Count from the beginning again."""
    Tries.objects.filter(key__in=keys).delete()


def locked_until(user: User) -> datetime.datetime | None:
    """Until when no password or code of `user` is looked at."""
    locked = Tries.objects.filter(key__in=_keys(user), locked_until__gt=timezone.now())
    return max((tries.locked_until for tries in locked if tries.locked_until), default=None)


@transaction.atomic
def unlock(*, user: User, actor: User | None = None) -> None:
    """Let `user` try again at once: they chose a new password, or an administrator knows that it was them."""
    if locked_until(user):
        lifecycle.note(
            kind="user", verb="unlocked", topic=user.topic, object_id=user.pk, name=user.username, actor=actor
        )
    forgive(*_keys(user))


def _keys(user: User) -> list[str]:
    return [f"user:{user.pk}", code_key(user)]
