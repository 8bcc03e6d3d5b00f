"""Applying for an account, and what the committee makes of it.

Whoever asks learns nothing of who has an account: the answer is always the same, and a mail to the address says
the rest. Doors fetch the account with `account.decide` before they call what is decided here.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.lifecycle import move
from accounts.models import STUDENTS, AccountState, NoticeKind, Profile, User
from accounts.services.mail import send_mail
from accounts.services.notices import notify
from accounts.tasks import absolute
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, IllegalTransition, Invalid

CONFIRM_WITHIN = datetime.timedelta(days=7)
PASSWORD_WITHIN = datetime.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
USERNAME = re.compile(r"[a-z][a-z0-9-]{2,23}\Z")
RESERVED = frozenset({"admin", "administrator", "anonymous", "cloudmesh", "nobody", "portal", "postmaster", "root"})
NO_NAME = re.compile(r"[<>@/\\:\x00-\x1f]")  # a mail tells names to whoever's address was given
TRIES = 5  # for a user name that somebody else takes at the same instant

CONFIRM, STATUS = "accounts.confirm", "accounts.status"  # salts: a link for one is none for the other


def apply_for_account(
    *, username: str, email: str, first_name: str, last_name: str, profile: Mapping[str, str]
) -> None:
    """Keep an application and mail its applicant how to confirm the address. Raises Invalid.

    A known address gets a mail that says so instead; a taken user name gets a number. Neither shows here.
    """
    username, email = username.strip().lower(), User.objects.normalize_email(email.strip())
    names = {"first_name": one_line(first_name), "last_name": one_line(last_name)}
    _check(username, profile, **names)
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                known = User.objects.select_for_update(no_key=True).filter(email__iexact=email).first()
                if known is None or known.state == AccountState.APPLIED:
                    name = free_username(username, but=known)
                    _ask_to_confirm(_apply(known, name, email, names, profile))
                else:
                    _tell_known(known)
        except IntegrityError:
            continue  # the same name or address at the same instant: the next look finds it
        return
    raise Conflict("Many people apply with this user name right now. Choose another one.", field="username")


@transaction.atomic
def confirm_email(*, token: str, committee: Iterable[User]) -> User:
    """The applicant whose address this token confirms; `committee` is told. Raises Invalid. Twice does nothing."""
    user = applicant(token)
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.state == AccountState.APPLIED:
        move(user, AccountState.CONFIRMED, actor=user)
        notify(
            committee,
            kind=NoticeKind.APPLICATION,
            title=f"{user.full_name} applies for an account",
            text=f"The address {user.email} is theirs. The application waits for a decision.",
            url=reverse("projects:person-detail", args=[user.pk]),
        )
    return user


def applicant(token: str) -> User:
    """Whose address a token of a mail confirms. Raises Invalid with what to do."""
    try:
        pk, _, version = signing.TimestampSigner(salt=CONFIRM).unsign(token, max_age=CONFIRM_WITHIN).partition(":")
    except signing.SignatureExpired as error:
        raise Invalid("This link is too old. Apply again, and you get another one.") from error
    except signing.BadSignature as error:
        raise Invalid("This link is not complete: was it cut in your mail? Copy all of it.") from error
    user = User.objects.select_related("profile").filter(pk=pk).first()
    if user is None or (user.state == AccountState.APPLIED and str(user.version) != version):
        raise Invalid("Somebody applied with your address again since. Use the link in the newest mail.")
    return user


def followed(token: str) -> User | None:
    """Whose application a status page is about."""
    try:
        return User.objects.filter(pk=signing.Signer(salt=STATUS).unsign(token)).first()
    except signing.BadSignature:
        return None


@transaction.atomic
def approve_account(*, actor: User, user: User) -> Event:
    """Let the applicant in: the mail's link sets the password, which makes the account active."""
    event = move(user, AccountState.APPROVED, actor=actor)
    _mail(user, "account_approved", link=password_link(user), days=PASSWORD_WITHIN.days)
    return event


@transaction.atomic
def deny_account(*, actor: User, user: User, reason: str) -> Event:
    """Refuse the application; `reason` is what the applicant reads. Raises Invalid."""
    event = move(user, AccountState.DENIED, actor=actor, reason=given(reason))
    _mail(user, "account_denied", link=status_link(user), reason=event.reason)
    return event


@transaction.atomic
def reconsider_account(*, actor: User, user: User) -> Event:
    """Take back a denial, or an approval that nothing followed from yet. Raises IllegalTransition."""
    if user.state not in (AccountState.DENIED, AccountState.APPROVED):
        raise IllegalTransition(f"{user} is {user.state}; there is no decision to take back.", state=user.state)
    was = Event.objects.filter(object_id=user.pk, to_state=AccountState.DENIED).exclude(from_state=AccountState.DENIED)
    before = was.order_by("-pk").values_list("from_state", flat=True).first()
    is_unproven = user.state == AccountState.DENIED and before == AccountState.APPLIED
    event = move(
        user, AccountState.APPLIED if is_unproven else AccountState.CONFIRMED, actor=actor, verb="reconsidered"
    )
    _mail(
        user,
        "account_state",
        state="being looked at again",
        advice="The decision about your application was taken back. You are told of the next one.",
        link=status_link(user),
    )
    return event


def password_link(user: User) -> str:
    """The address of the page where `user` chooses a password; it works once and for a few days."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return absolute(reverse("portal:password-choose", args=[uid, default_token_generator.make_token(user)]))


def status_link(user: User) -> str:
    return absolute(reverse("portal:apply-status", args=[signing.Signer(salt=STATUS).sign(str(user.pk))]))


def free_username(wanted: str, *, but: User | None = None) -> str:
    """`wanted`, or with the first number that makes it free."""
    others = User.objects.exclude(pk=but.pk) if but else User.objects.all()
    stem = wanted[:20]
    taken = {name.lower() for name in others.filter(username__istartswith=stem).values_list("username", flat=True)}
    numbered = (f"{stem}{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(name for name in numbered if name not in taken)


def given(reason: str) -> str:
    """Raises Invalid for none: whoever is refused something reads why."""
    if not reason.strip():
        raise Invalid("Give a reason: the person concerned reads it.", field="reason")
    return reason.strip()[:2000]


def one_line(text: str) -> str:
    return " ".join(text.split())


def _check(username: str, profile: Mapping[str, str], *, first_name: str, last_name: str) -> None:
    if not USERNAME.match(username):
        raise Invalid(
            "A user name has 3 to 24 small letters, digits and dashes, and begins with a letter.", field="username"
        )
    if username in RESERVED:
        raise Invalid(f"The user name {username} is kept for the portal itself. Choose another one.", field="username")
    for field, name in (("first_name", first_name), ("last_name", last_name)):
        if not name or NO_NAME.search(name):
            raise Invalid("Write your name as people read it, without addresses and odd signs.", field=field)
    check_advisor(profile)


def check_advisor(profile: Mapping[str, str]) -> None:
    """Raises Invalid for a student without one."""
    if profile.get("institution_role") in STUDENTS and not profile.get("advisor", "").strip():
        raise Invalid("Students name their advisor: name, department, phone, e-mail, web page.", field="advisor")


def _apply(known: User | None, username: str, email: str, names: Mapping[str, str], profile: Mapping[str, str]) -> User:
    """A new application, or instead of one whose address nobody confirmed: then the last one counts."""
    if known is None:
        user = User(username=username, email=email, state=AccountState.APPLIED, is_active=False, **names)
        user.set_unusable_password()
        lifecycle.begin([user], actor=user, verb="applied")
    else:
        user = known
        lifecycle.change(user, actor=user, verb="applied", username=username, **names)
    Profile.objects.update_or_create(user=user, defaults=dict(profile))
    return user


def _ask_to_confirm(user: User) -> None:
    token = signing.TimestampSigner(salt=CONFIRM).sign(f"{user.pk}:{user.version}")
    link = absolute(reverse("portal:apply-confirm", args=[token]))
    _mail(user, "confirm_email", link=link, status=status_link(user), days=CONFIRM_WITHIN.days)


def _tell_known(user: User) -> None:
    """To whom it concerns alone: that there is an account, how it is, and how to go on."""
    login, reset = absolute(reverse("portal:login")), absolute(reverse("portal:password-reset"))
    going_on = {
        AccountState.ACTIVE: ("Sign in, or choose a new password if you forgot yours.", login, "Sign in"),
        AccountState.APPROVED: ("Choose a password, and you are in.", reset, "Choose a password"),
    }
    usual = ("The page of your application says more.", status_link(user), "See where it stands")
    advice, link, action = going_on.get(AccountState(user.state), usual)
    _mail(user, "known_email", state=user.get_state_display().lower(), advice=advice, link=link, action=action)


def _mail(user: User, template: str, **words: Any) -> None:
    send_mail(to=user.email, template=template, context={"name": user.full_name, "username": user.username, **words})
