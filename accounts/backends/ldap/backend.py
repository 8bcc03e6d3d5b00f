"""The login with a directory: the second try, after the portal's own accounts."""

import logging
from typing import Any

from django.contrib.auth.backends import BaseBackend

from accounts.backends.ldap import config, people
from accounts.backends.ldap.directory import directory
from accounts.backends.ldap.wire import Bound
from accounts.models import User
from cloudmesh.errors import DriverError, Invalid, NotAllowed, Unreachable

OUTAGE = (
    "The directory does not answer, so its accounts cannot sign in just now. Try again in a few minutes. Accounts of "
    "this portal's own still work: if yours is one, check the password."
)
SAYS = {
    Bound.LOCKED: "The directory has locked this account, for a while after many wrong passwords, or until its "
    "administrators unlock it. Try again in some minutes, then ask them.",
    Bound.PASSWORD_EXPIRED: "Your password has expired in the directory. Set a new one there, then sign in here.",
    Bound.MUST_CHANGE: "The directory wants you to choose a new password first. Set it there, then sign in here.",
}

log = logging.getLogger(__name__)


class LdapBackend(BaseBackend):
    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **_: Any
    ) -> User | None:
        """Raises Unreachable while the directory is down, and NotAllowed, Conflict and Invalid to say why not."""
        if not username or not password:
            return None
        try:
            settings = config.current()
            answer = directory(settings).sign_in(username, password)
        except (DriverError, Invalid) as error:
            log.error("Nobody can sign in with the directory: %s", error)
            raise Unreachable(OUTAGE) from error
        if answer.bound in SAYS:
            raise NotAllowed(SAYS[answer.bound])
        if answer.person is None or answer.bound is not Bound.WELCOME:
            return None
        return people.welcome(answer.person, settings)

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()
