"""The browsers that somebody is signed in with, and ending them: their open pages and streams end at once."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.access import require_oneself
from accounts.models import ApiToken, LoginLink, Session, User
from accounts.services.impersonation import end_impersonations
from accounts.services.people import revoke_token
from activity import lifecycle


def sessions_of(user: User) -> QuerySet[Session]:
    """Those that have not ended, the last used first."""
    return Session.objects.filter(user=user.pk, expire_date__gt=timezone.now()).order_by("-seen_at", "pk")


@transaction.atomic
def end_session(*, session: Session, actor: User) -> None:
    """Sign one browser out; whom it acted as is let go."""
    require_oneself(actor)
    if session.user is not None:
        _note(session, actor)
        end_impersonations(admin=session.user)
    session.delete()


@transaction.atomic
def sign_out_everywhere(*, actor: User, but: str = "", with_tokens: bool = False) -> int:
    """End all sessions of `actor` except the one with id `but`, and unused login links; how many sessions ended."""
    require_oneself(actor)
    others = list(Session.objects.select_for_update().filter(user=actor.pk).exclude(pk=but))
    for session in others:
        _note(session, actor)
    Session.objects.filter(pk__in=[session.pk for session in others]).delete()
    end_impersonations(admin=actor)
    LoginLink.objects.filter(user=actor.pk, used_at=None).delete()
    for token in ApiToken.objects.filter(user=actor.pk) if with_tokens else ():
        revoke_token(token=token, actor=actor)
    return len(others)


def _note(session: Session, actor: User) -> None:
    topic = f"user:{session.user_id}"
    lifecycle.note(kind="session", verb="ended", topic=topic, name=session.device, actor=actor)
