"""Acting as somebody: who may, as whom, and who that is in a session."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Impersonation, User
from cloudmesh.errors import Conflict, NotAllowed
from projects import access

ACTING = "impersonation"  # in the session: the id of the one that is on


@transaction.atomic
def impersonate(*, actor: User, user: User, reason: str, minutes: int, may_write: bool = False) -> Impersonation:
    """Have `actor` act as `user` for some minutes. Raises NotAllowed, Conflict, Invalid."""
    access.require_portal(actor, "account.impersonate")
    if access.is_admin(user):
        raise NotAllowed("Nobody acts as an administrator.")
    if not user.is_active:
        raise Conflict(f"The account of {user} is {user.state}: there is nothing to see with its eyes.")
    return accounts.begin_impersonation(actor=actor, user=user, reason=reason, minutes=minutes, may_write=may_write)


def acting_as(me: Any, session: Any) -> Any:
    """Who acts in this session: whoever `me` acts as while that lasts, else `me`."""
    pk = session.get(ACTING) if isinstance(me, User) else None
    if pk is None:
        return me
    running = Impersonation.objects.select_related("user").filter(
        pk=pk, admin=me.pk, ended_at=None, ends_at__gt=timezone.now(), user__is_active=True
    )
    found = running.first()
    if found is None or access.is_admin(found.user) or not access.may(me, "account.impersonate"):
        return me
    found.admin = me
    found.user.impersonation = found
    return found.user
