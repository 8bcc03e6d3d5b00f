"""Accounts that were let in: their states, roles, passwords and profiles.

Doors fetch somebody else's account with `account.manage` before they call what is done to it here.
"""

import datetime
from collections.abc import Iterable, Mapping

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.urls import reverse

from accounts.access import require_oneself
from accounts.lifecycle import move
from accounts.models import AccountState, NoticeKind, PortalRole, Profile, Session, User
from accounts.services.applications import PASSWORD_WITHIN, check_advisor, given, one_line, password_link
from accounts.services.mail import send_mail
from accounts.services.notices import notify
from accounts.services.tries import unlock
from accounts.tasks import absolute
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, Invalid, NotAllowed

LOCKED_OUT = "You do not sign in until the portal's staff make it active again. Your things are kept."


@transaction.atomic
def suspend_account(*, actor: User, user: User, reason: str) -> Event:
    """Keep `user` out for a while. Raises Invalid, NotAllowed, IllegalTransition."""
    return _lock(actor, user, AccountState.SUSPENDED, reason)


@transaction.atomic
def block_account(*, actor: User, user: User, reason: str) -> Event:
    """Keep `user` out for good. Raises Invalid, NotAllowed, IllegalTransition."""
    return _lock(actor, user, AccountState.BLOCKED, reason)


@transaction.atomic
def expire_account(*, actor: User, user: User, reason: str) -> Event:
    """End an account whose time is over. Raises Invalid, NotAllowed, IllegalTransition."""
    return _lock(actor, user, AccountState.EXPIRED, reason)


@transaction.atomic
def activate_account(*, actor: User, user: User, until: datetime.datetime | None = None) -> Event:
    """Let back in whoever was suspended, blocked or expired. Raises Conflict, IllegalTransition."""
    if user.state == AccountState.APPROVED:
        raise Conflict(f"{user} becomes active by choosing a password; the mail of the approval says how.")
    event = move(user, AccountState.ACTIVE, actor=actor, expires_at=until)
    has_password = user.has_usable_password() or user.source != User.Source.LOCAL
    link = absolute(reverse("portal:login")) if has_password else password_link(user)
    _mail_state(user, "active again", "", "You sign in as before; make new API tokens where you need them.", link)
    return event


@transaction.atomic
def set_roles(*, actor: User, user: User, roles: Iterable[str]) -> Event:
    """What `user` is in the portal as a whole. Raises Invalid."""
    wanted = sorted(set(roles))
    if unknown := [role for role in wanted if role not in PortalRole.values]:
        raise Invalid(f"There is no role {unknown[0][:40]!r}; there are {', '.join(PortalRole.values)}.", field="roles")
    event = lifecycle.change(user, actor=actor, verb="roles", portal_roles=wanted)
    words = " and ".join(wanted) or "no role any more"
    notify([user], kind=NoticeKind.ACCOUNT, title=f"In the portal you are now: {words}", url=reverse("portal:account"))
    return event


@transaction.atomic
def set_password(*, user: User, password: str) -> User:
    """Keep a new password; an approved account is active from now on. Raises Conflict.

    All sessions of `user` end, since they were signed in with the old one; wrong passwords are forgotten.
    """
    require_oneself(user)
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not may_choose_password(row):
        raise Conflict("This account has no password to choose here. Ask the portal's staff.")
    kept = {"password": make_password(password)}
    if row.state == AccountState.APPROVED:
        move(row, AccountState.ACTIVE, actor=row, **kept)
    else:
        lifecycle.change(row, actor=row, verb="password", **kept)
    Session.objects.filter(user=row).delete()
    unlock(user=row)
    return row


def may_choose_password(user: User) -> bool:
    """Whether this portal keeps a password for them; a directory's is changed there."""
    return user.source == User.Source.LOCAL and user.state in (AccountState.ACTIVE, AccountState.APPROVED)


def mail_password_link(*, email: str) -> None:
    """Mail whoever has this address how to choose a password; nobody else learns whether there was anybody."""
    user = User.objects.filter(email__iexact=email, state__in=[AccountState.ACTIVE, AccountState.APPROVED]).first()
    if user is None:
        return
    link = password_link(user) if may_choose_password(user) else ""
    days = {"days": PASSWORD_WITHIN.days, "name": user.full_name, "username": user.username}
    send_mail(to=user.email, template="password_reset", context={"link": link, **days})


@transaction.atomic
def change_profile(*, actor: User, names: Mapping[str, str], profile: Mapping[str, str]) -> Profile:
    """What `actor` tells of themselves; `names` is empty where a directory says them. Raises Invalid."""
    require_oneself(actor)
    check_advisor(profile)
    kept = {name: one_line(names[name]) for name in ("first_name", "last_name") if names}
    user = User.objects.get(pk=actor.pk)
    lifecycle.change(user, actor=user, verb="profile", **kept)
    return Profile.objects.update_or_create(user=user, defaults=dict(profile))[0]


def _lock(actor: User, user: User, to: AccountState, reason: str) -> Event:
    if actor.pk == user.pk:
        raise NotAllowed("Nobody locks themselves out; ask another administrator.")
    event = move(user, to, actor=actor, reason=given(reason))
    _mail_state(user, event.to_state, event.reason, LOCKED_OUT)
    return event


def _mail_state(user: User, state: str, reason: str, advice: str, link: str = "") -> None:
    words = {"name": user.full_name, "username": user.username, "state": state}
    send_mail(
        to=user.email, template="account_state", context={**words, "reason": reason, "advice": advice, "link": link}
    )
