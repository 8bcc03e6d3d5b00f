"""Another e-mail address for an account: its own once the link in a mail to it is followed."""

import datetime
from typing import Any

from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.access import require_oneself
from accounts.models import AccountState, User
from accounts.services.mail import send_mail
from accounts.services.tries import claim_try, forgive, password_key
from accounts.tasks import absolute
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotAllowed

CHANGE_WITHIN = datetime.timedelta(days=1)
CHANGE = "accounts.change-email"  # salt: a link for this is one for nothing else


def ask_for_email(*, actor: User, email: str, password: str) -> None:
    """Mail `email` the link that makes it the address of `actor`. Raises Invalid, Conflict, NotAllowed.

    An address that somebody has gets no link, and the answer does not say so.
    """
    require_oneself(actor)
    _check_owner(actor, password)
    email = User.objects.normalize_email(email.strip())
    if email.lower() == actor.email.lower():
        raise Invalid("This is your address already.", field="email")
    if User.objects.filter(email__iexact=email).exists():
        send_mail(to=email, template="email_taken", context=_words(actor))
        return
    token = signing.dumps([str(actor.pk), actor.email, email], salt=CHANGE)
    link = absolute(reverse("portal:email-confirm", args=[token]))
    send_mail(to=email, template="email_confirm", context={**_words(actor), "link": link})


def asked_email(token: str) -> tuple[User, str]:
    """Whose address a link changes, and to what. Raises Invalid with what to do."""
    try:
        pk, before, email = signing.loads(token, salt=CHANGE, max_age=CHANGE_WITHIN)
    except signing.SignatureExpired as error:
        raise Invalid("This link is too old. Ask for another one in your profile.") from error
    except signing.BadSignature as error:
        raise Invalid("This link is not complete: was it cut in your mail? Copy all of it.") from error
    user = User.objects.filter(pk=pk, email=before, state=AccountState.ACTIVE).first()
    if user is None:
        raise Invalid("This link was used already, or the account changed since.")
    return user, email


def change_email(*, token: str) -> User:
    """Keep the address that a link proves, and tell the one before. Raises Invalid, Conflict."""
    try:
        with transaction.atomic():
            user, email = asked_email(token)
            before = user.email
            lifecycle.change(user, actor=user, verb="email", email=email)
            send_mail(to=before, template="email_changed", context=_words(user))
    except IntegrityError as error:
        raise Conflict("Another account took this address meanwhile.") from error
    return user


def _check_owner(user: User, password: str) -> None:
    """Whoever finds a browser open does not take the account with it."""
    if user.source != User.Source.LOCAL:
        raise Conflict("Your organisation's directory says your address. Have it changed there.")
    if not user.has_usable_password():
        return
    key = password_key(user.username)
    if not claim_try(key):
        raise NotAllowed("There were too many wrong passwords for your account. Try again in 15 minutes.")
    if not user.check_password(password):
        raise Invalid("This is not your password.", field="password")
    forgive(key)


def _words(user: User) -> dict[str, Any]:
    return {"name": user.full_name, "username": user.username}
