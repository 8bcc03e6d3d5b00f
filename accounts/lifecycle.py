"""The states of an account: `is_active` moves with them, and whoever is not active any more is out at once."""

from typing import Any

from django.db import transaction

from accounts.models import AccountState, ApiToken, LoginLink, Session, User
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import IllegalTransition


@transaction.atomic
def move(user: User, to: str, *, actor: User | None = None, reason: str = "", verb: str = "", **changes: Any) -> Event:
    """Move an account to state `to`; raises IllegalTransition.

    The event is on the user's own topic: their open pages and streams ask again what they may hear, and end.
    """
    before = User.objects.select_for_update(no_key=True).values_list("state", flat=True).get(pk=user.pk)
    if before == to:
        raise IllegalTransition(f"{user} is {to} already.", state=before, wanted=to)
    is_active = to == AccountState.ACTIVE
    event = lifecycle.transition(user, to, actor=actor, reason=reason, verb=verb, is_active=is_active, **changes)
    if not is_active:
        sign_out(user)
    return event


def sign_out(user: User) -> None:
    """Take away all that signs `user` in but a password: API tokens, links, sessions."""
    for kind in (ApiToken, LoginLink, Session):
        kind._default_manager.filter(user=user).delete()
