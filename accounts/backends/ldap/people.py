"""Users whom the directory knows: made at their first login, brought up to date, suspended, and back again.

An account of the portal's own is never taken over, whatever name or address the directory has.
"""

import logging
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.backends import persons
from accounts.backends.ldap.config import ADMINISTRATOR, Config
from accounts.backends.persons import Person, Sighting
from accounts.lifecycle import move
from accounts.models import AccountState, Profile, User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotAllowed

SUSPENDED_BY_US = "Directory: "
GONE = SUSPENDED_BY_US + "it does not have this account any more."
LOCKED = SUSPENDED_BY_US + "an administrator locked this account there."
EXPIRED = SUSPENDED_BY_US + "this account expired there."

log = logging.getLogger(__name__)


@transaction.atomic
def welcome(person: Person, config: Config) -> User:
    """The user of somebody whose password was right. Raises Conflict, Invalid, NotAllowed with the reason."""
    if problem := reason_against(person):
        raise NotAllowed(f"You cannot sign in. {problem}")
    user = _locked(person) or _create(person, config)
    if user.source != User.Source.LDAP:
        raise _taken(person, user)
    if is_suspended_by_us(user):
        resume(user)
    if not user.is_active:
        because = f" {user.state_reason}" if user.state_reason else ""
        raise NotAllowed(f"Your account in this portal is {user.state}.{because} Ask the portal's administrators.")
    refresh(user, person, config)
    persons.tell([Sighting(user, person)])
    return user


def refresh(user: User, person: Person, config: Config) -> bool:
    """Take over what the directory says; whether anything was new."""
    changes = {name: value for name, value in wanted(user, person, config).items() if value != getattr(user, name)}
    if _has_other(changes.get("email", ""), user):
        log.warning("%s keeps the old address: somebody else has %s here already.", user, changes.pop("email"))
    if changes:
        lifecycle.change(user, verb="refreshed", **changes)
    return bool(changes) | _set_phone(user, person)


def wanted(user: User, person: Person, config: Config) -> dict[str, Any]:
    """The fields of `user` as the directory has them; what it does not say stays."""
    said = {
        "directory_dn": person.dn[:255],
        "first_name": person.first_name[:150],
        "last_name": person.last_name[:150],
        "email": person.email if _is_address(person.email) else "",
    }
    given = config.given_roles
    kept = set(user.portal_roles) - given
    roles = sorted(kept | (person.portal_roles - {ADMINISTRATOR}))
    changes: dict[str, Any] = {name: value for name, value in said.items() if value}
    if roles != sorted(user.portal_roles):
        changes["portal_roles"] = roles
    if ADMINISTRATOR in given:
        changes |= dict.fromkeys(("is_superuser", "is_staff"), ADMINISTRATOR in person.portal_roles)
    return changes


def suspend(user: User, reason: str) -> None:
    """Let `user` in no more; their tokens and sessions end."""
    move(user, AccountState.SUSPENDED, reason=reason)


def resume(user: User) -> None:
    move(user, AccountState.ACTIVE, verb="resumed")


def is_suspended_by_us(user: User) -> bool:
    """Not by an administrator of the portal, who alone lets such a user in again."""
    return user.state == AccountState.SUSPENDED and user.state_reason.startswith(SUSPENDED_BY_US)


def reason_against(person: Person) -> str:
    """Why the directory does not want this person to work, or nothing."""
    if person.is_locked:
        return LOCKED
    return EXPIRED if person.is_expired(timezone.now().date()) else ""


def problem_with(person: Person) -> str:
    """Why there can be no user for this entry, or nothing."""
    try:
        User._meta.get_field("username").clean(person.username, None)  # type: ignore[union-attr]
    except ValidationError:
        return (
            f"The directory calls you {person.username[:80]!r}, and user names here have up to 150 letters, digits and "
            "@ . + - _ only."
        )
    if not _is_address(person.email):
        return (
            "The directory has no e-mail address of yours, and this portal needs one. Ask those who run the "
            "directory to enter it."
        )
    return ""


def _create(person: Person, config: Config) -> User:
    problem = problem_with(person)
    if problem:
        raise Invalid(problem)
    if owner := User.objects.filter(email__iexact=person.email).first():
        raise _taken(person, owner)
    user = User(username=person.username, email=person.email, source=User.Source.LDAP)
    user.set_unusable_password()
    for name, value in wanted(user, person, config).items():
        setattr(user, name, value)
    try:
        with transaction.atomic():
            lifecycle.begin([user])
    except IntegrityError:  # the same first login in another window
        return _locked(person) or user
    return user


def _locked(person: Person) -> User | None:
    return User.objects.select_for_update(no_key=True).filter(username__iexact=person.username).first()


def _taken(person: Person, user: User) -> Conflict:
    log.warning(
        "%s of the directory cannot sign in: the account %s (%s) has that name or address.",
        person.dn,
        user,
        user.source,
    )
    same = "name" if user.username.casefold() == person.username.casefold() else f"e-mail address ({person.email})"
    return Conflict(
        f"The directory knows you as {person.username}, but another account of this portal has the same {same}. It "
        "was not touched, and you cannot sign in until the portal's administrators have renamed one of the two."
    )


def _has_other(email: str, user: User) -> bool:
    return bool(email) and User.objects.filter(email__iexact=email).exclude(pk=user.pk).exists()


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254


def _set_phone(user: User, person: Person) -> bool:
    phone = person.phone[:64]
    if not phone:
        return False
    profile = getattr(user, "profile", None) or Profile(user=user)
    if profile.phone == phone:
        return False
    profile.phone = phone
    profile.save()
    return True


def known_users() -> list[User]:
    """Those of the directory who may work, or whom it alone keeps from it."""
    states = (AccountState.ACTIVE, AccountState.SUSPENDED)
    users = User.objects.select_related("profile").filter(source=User.Source.LDAP, state__in=states)
    return [user for user in users if user.is_active or is_suspended_by_us(user)]
