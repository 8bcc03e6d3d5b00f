"""Whose name and password these are; and a token for a program whose person typed them there."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import update_last_login
from django.views.decorators.debug import sensitive_variables

from accounts.models import ApiToken, User
from accounts.services.codes import check_code, has_second_factor
from accounts.services.limits import may_ask
from accounts.services.people import issue_token
from accounts.services.tries import claim_try, forgive, password_key
from cloudmesh.errors import NotAllowed

TRIES = 10  # to sign in from one address
A_MINUTE = 60

WRONG = "This user name and password do not go together."
TOO_MANY = "Too many tries. Wait a minute, then try again."
LOCKED = (
    "Too many wrong passwords for this name: for 15 minutes none is looked at. Try again then, or set a new password."
)
OWES_CODE = "This account asks for a code of your device, too; a recovery code does as well."
NO_PASSWORDS = "This portal takes passwords on its own pages alone. Sign in with your browser: cm login URL"


class TooOften(NotAllowed):
    """As often as this somebody is guessing."""

    status, title = 429, "Too many tries"


@sensitive_variables("password")
def recognise(*, name: str, password: str, address: str) -> User:
    """Whose name and password these are. Raises TooOften, NotAllowed, and what a directory says."""
    if not may_ask("login", address, most=TRIES, seconds=A_MINUTE):
        raise TooOften(TOO_MANY)
    key = password_key(name)
    if not claim_try(key):
        raise NotAllowed(LOCKED)
    user: Any = auth.authenticate(None, username=name, password=password)
    if user is None:
        raise NotAllowed(WRONG)
    forgive(key)
    return user  # type: ignore[no-any-return]


@sensitive_variables("password", "code")
def enter_program(
    *, name: str, password: str, code: str, address: str, program: str, scopes: Sequence[str], life: datetime.timedelta
) -> tuple[ApiToken, str]:
    """A token for a program whose person typed user name, password and perhaps a code there, and its secret.

    Raises NotAllowed, with `needs="code"` where only the code is missing; Invalid for a wrong code.
    """
    if not settings.PROGRAM_PASSWORDS:
        raise NotAllowed(NO_PASSWORDS)
    user = recognise(name=name, password=password, address=address)
    if has_second_factor(user):
        if not code:
            raise NotAllowed(OWES_CODE, needs="code")
        check_code(user=user, code=code)
    made = issue_token(user=user, name=program, scopes=scopes, life=life)
    update_last_login(User, user)
    return made
