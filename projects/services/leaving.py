"""What ends at once with somebody's work in a project, in the transaction that ends it."""

from collections.abc import Callable

from django.db.models import Q
from django.utils import timezone

from accounts import services as accounts
from accounts.models import ApiToken, User, Webhook
from projects.models import Invitation, Project

Ending = Callable[[Project, User, User | None], None]

#: Of the apps above: what each ends of a user in a project, and who made it end.
ENDINGS: list[Ending] = []


def on_leave(end: Ending) -> Ending:
    """Have `end(project, user, actor)` called whenever somebody stops working in a project."""
    ENDINGS.append(end)
    return end


def end_work(project: Project, user: User, actor: User | None) -> None:
    """Their tokens of this project, and whatever else the apps above know of."""
    for token in ApiToken.objects.filter(user=user, project_id=project.pk).select_related("user"):
        accounts.revoke_token(token=token, actor=None)  # the portal's own rule, whoever acts for whom
    for end in ENDINGS:
        end(project, user, actor)


def end_leading(project: Project, user: User) -> None:
    """The links by which they could come back in, and what would go on telling them."""
    theirs = Q(invited_by=user, email="") | Q(email__iexact=user.email)
    Invitation.objects.filter(theirs, project=project, revoked_at=None).update(revoked_at=timezone.now())
    Webhook.objects.filter(owner=user, topic=project.topic).update(
        is_enabled=False, problem=f"Its owner does not lead the project {project} any more."
    )
