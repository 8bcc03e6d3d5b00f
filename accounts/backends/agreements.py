"""Which agreements somebody has still to accept before they work; asked at every request, so it is remembered."""

from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from accounts.models import Agreement, User
from cloudmesh.errors import NotAllowed

PUBLISHED = "agreements:published"
A_MINUTE, AN_HOUR = 60, 3600
#: What one may do before: accept, leave, and what programs ask to know whose token they have.
OPEN = frozenset(
    {
        "portal:agreements", "portal:agreement", "portal:logout", "portal:impersonation-end", "portal:health",
        "api:me", "api:agreement-list", "api:agreement-detail", "api:agreement-accept",
    }
)  # fmt: skip


def outstanding(user: User) -> list[Agreement]:
    """The newest published version of each agreement that `user` has not accepted.

    Nobody accepts for somebody else: an administrator who acts as them is not asked.
    """
    newest = published() if user.impersonation is None else []
    if not newest or cache.get(_key(user, newest)):
        return []
    mine = user.acceptances.filter(agreement__in=newest).values_list("agreement", flat=True)
    left = list(Agreement.objects.filter(pk__in=set(newest) - set(mine)).order_by("name"))
    if not left:
        cache.set(_key(user, newest), True, AN_HOUR)
    return left


def require_agreements(user: User, view: str) -> None:
    """Raises NotAllowed with the page to go to, unless `user` has accepted all, or may do without in `view`."""
    left = [] if view in OPEN else outstanding(user)
    if left:
        page = reverse("portal:agreements")
        names = " and ".join(map(str, left))
        raise NotAllowed(f"Accept {names} first, on the page {page} of the portal.", url=page)


def published() -> list[int]:
    """The ids of the newest published versions; at most a minute old, at once after `forget_published`."""
    known: list[int] | None = cache.get(PUBLISHED)
    if known is None:
        known = [agreement.pk for agreement in newest_agreements()]
        cache.set(PUBLISHED, known, A_MINUTE)
    return known


def newest_agreements() -> list[Agreement]:
    """The newest published version of each agreement, by name."""
    due = Agreement.objects.filter(published_at__lte=timezone.now())
    return list(due.order_by("name", "-version").distinct("name"))


def forget_published() -> None:
    """Look again: an agreement was published or withdrawn."""
    cache.delete(PUBLISHED)


def _key(user: User, newest: list[Any]) -> str:
    return f"agreements:{user.pk}:{'-'.join(map(str, newest))}"
