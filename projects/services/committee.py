"""What the committee does: review, decide, take a decision back while nothing followed from it."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from accounts.models import NoticeKind, User
from accounts.services import notify
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, Invalid, NotAllowed
from projects import access
from projects.models import Application, ApplicationKind, ApplicationState, Membership, ProjectState, Review, Vote
from projects.services import effects
from projects.services.applications import check_project, concerned, hold, whisper

COMMENT = 8000  # characters of a comment or a reason


class Decision(models.TextChoices):
    APPROVE = "approve"
    DENY = "deny"
    RETURN = "return", "Return for changes"


STATE_AFTER = {
    Decision.APPROVE: ApplicationState.APPROVED,
    Decision.DENY: ApplicationState.DENIED,
    Decision.RETURN: ApplicationState.RETURNED,
}
DECIDED = (ApplicationState.APPROVED, ApplicationState.DENIED)
EXPLAINED = (Vote.DENY, Vote.CHANGE)


@dataclasses.dataclass(frozen=True)
class Standing:
    """How far the votes of the running round are, and what its reader has to do with it."""

    approving: int
    denying: int
    quorum: int
    my_vote: str  # empty: none yet
    conflict: str  # why its reader may not judge it; empty when they may

    @property
    def missing(self) -> str:
        """Why it cannot be approved yet; empty when it can."""
        if self.approving < self.quorum:
            return (
                f"{self.approving} of {self.quorum} approving votes are there; "
                f"{self.quorum - self.approving} more must approve it first."
            )
        if self.approving <= self.denying:
            return f"{self.denying} deny it and {self.approving} approve it; more must approve than deny."
        return ""


# -- reviewing -----------------------------------------------------------------------------------------------------


@transaction.atomic
def review_application(*, actor: User, application: Application, vote: str, comment: str = "") -> Review:
    """Vote in the running round; voting again replaces the vote. A declared conflict of interest stays.

    Raises NotAllowed, Invalid, Conflict.
    """
    access.require_portal(actor, "application.review")
    vote, comment = _vote(vote), comment.replace("\0", "").strip()
    if len(comment) > COMMENT:
        raise Invalid(f"A comment has at most {COMMENT} characters; this one has {len(comment)}.", field="comment")
    if vote in EXPLAINED and not comment:
        raise Invalid("Say in the comment why; the others and the decision build on it.", field="comment")
    hold(application)
    _check_submitted(application)
    _check_unbiased(actor, application)
    review, _ = Review.objects.update_or_create(
        application=application,
        reviewer=actor,
        round=application.round,
        defaults={"vote": vote, "comment": comment, "at": timezone.now()},
    )
    whisper(application, "reviewed", actor=actor)
    return review


def weighed(actor: User, applications: QuerySet[Application]) -> QuerySet[Application]:
    """Applications with what `standing` tells of each, in the same question to the database."""
    here = Review.objects.filter(application=OuterRef("pk"))
    now = here.filter(round=OuterRef("round")).order_by()
    mine = now.filter(reviewer=actor)
    joined = Event.objects.filter(object_id=OuterRef("project"), kind="membership", verb="joined", topic=actor.topic)
    asked = Application.objects.filter(project=OuterRef("project"), applicant=actor)
    return applications.annotate(
        approving=_number(now.filter(vote=Vote.APPROVE)),
        denying=_number(now.filter(vote=Vote.DENY)),
        my_vote=Coalesce(Subquery(mine.values("vote")[:1]), Value("")),
        is_member=Exists(Membership.objects.filter(project=OuterRef("project"), user=actor)),
        was_member=Exists(joined),
        has_applied=Exists(asked),
        has_declared=Exists(here.filter(reviewer=actor, vote=Vote.CONFLICT)),
    )


def standing(actor: User, application: Application) -> Standing:
    """Of an application, best of one that was `weighed`."""
    if "approving" not in vars(application):
        application = weighed(actor, Application.objects.filter(pk=application.pk)).get()
    found: Any = application
    return Standing(
        found.approving, found.denying, settings.COMMITTEE_QUORUM, found.my_vote, _conflict(actor, application)
    )


def to_do(actor: User, applications: QuerySet[Application]) -> QuerySet[Application]:
    """Of applications those that wait for a vote of `actor`."""
    free = {"is_member": False, "was_member": False, "has_applied": False, "has_declared": False, "my_vote": ""}
    return weighed(actor, applications).filter(Q(**free), state=ApplicationState.SUBMITTED)


# -- deciding --------------------------------------------------------------------------------------------------------


@transaction.atomic
def decide_application(
    *,
    actor: User,
    application: Application,
    decision: str,
    reason: str = "",
    ends_at: datetime.datetime | None = None,
    limits: Sequence[Mapping[str, Any]] | None = None,
) -> Application:
    """Approve, deny or return an application; project and application move together.

    `ends_at` and `limits` grant something else than what was asked for. Raises NotAllowed, Invalid, Conflict.
    """
    access.require_portal(actor, "project.decide")
    decided, reason = _decision(decision), reason.replace("\0", "").strip()[:COMMENT]
    if decided != Decision.APPROVE and not reason:
        raise Invalid("Say why; the applicant reads it.", field="reason")
    hold(application)
    _check_submitted(application)
    _check_unbiased(actor, application)
    before = {}
    if decided == Decision.APPROVE:
        _check_votes(actor, application)
        check_project(application)
        before = effects.grant(application, actor=actor, ends_at=ends_at, limits=limits)
    elif decided == Decision.DENY and application.kind == ApplicationKind.NEW:
        lifecycle.transition(application.project, ProjectState.DENIED, actor=actor, reason=reason)
    lifecycle.transition(
        application,
        STATE_AFTER[decided],
        actor=actor,
        reason=reason,
        before=before,
        decided_at=timezone.now(),
        decided_by=actor,
    )
    _tell_decision(application, actor, reason)
    return application


@transaction.atomic
def undo_decision(*, actor: User, application: Application, reason: str = "") -> Application:
    """Take back an approval or a denial from which nothing followed yet; the votes stay.

    Raises NotAllowed, Conflict that names what followed.
    """
    access.require_portal(actor, "project.decide")
    hold(application)
    why = why_not_undo(actor, application)
    if why:
        raise Conflict(why)
    effects.revoke(application, actor=actor, reason=reason)
    lifecycle.transition(
        application,
        ApplicationState.SUBMITTED,
        actor=actor,
        reason=reason.replace("\0", "").strip()[:COMMENT],
        verb="undone",
        before={},
        decided_at=None,
        decided_by=None,
    )
    whisper(application, "undone", actor=actor)
    _notify_decision(application, actor, f"The decision on {application} was taken back", reason)
    return application


def why_not_decide(actor: User, application: Application, decision: str) -> str:
    """Why `actor` cannot decide so now, as a sentence; empty when they can."""
    if not access.may(actor, "project.decide"):
        return "Reviewers and administrators decide."
    if application.state != ApplicationState.SUBMITTED:
        return f"It is {application.state}; only what is submitted is decided."
    found = standing(actor, application)
    return found.conflict or (found.missing if decision == Decision.APPROVE else "")


def why_not_undo(actor: User, application: Application) -> str:
    """Why the decision cannot be taken back, as a sentence; empty when it can."""
    if application.state not in DECIDED:
        return f"It is {application.state}; only an approval or a denial can be taken back."
    if not access.may(actor, "project.decide"):
        return "Reviewers and administrators decide."
    if conflict := standing(actor, application).conflict:
        return conflict
    followed = ", ".join(effects.followed(application))
    return f"This followed from it already: {followed}. Block or complete the project instead." if followed else ""


# -- inside ----------------------------------------------------------------------------------------------------------


def _vote(text: str) -> Vote:
    if text not in Vote.values:
        raise Invalid(f"A vote is one of {', '.join(Vote.values)}; not {text[:40]!r}.", field="vote")
    return Vote(text)


def _decision(text: str) -> Decision:
    if text not in Decision.values:
        raise Invalid(f"A decision is one of {', '.join(Decision.values)}; not {text[:40]!r}.", field="decision")
    return Decision(text)


def _number(reviews: QuerySet[Review]) -> Coalesce:
    counted = reviews.values("application").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), Value(0))


def _conflict(actor: User, application: Any) -> str:
    if application.applicant_id == actor.pk:
        return "You applied for this yourself; others decide."
    if application.is_member:
        return "You belong to this project; others decide."
    if application.was_member:
        return "You belonged to this project once; others decide."
    if application.has_applied:
        return "You applied for something in this project before; others decide."
    return "You declared a conflict of interest; others decide." if application.has_declared else ""


def _check_submitted(application: Application) -> None:
    if application.state != ApplicationState.SUBMITTED:
        by = f" by {application.decided_by}" if application.decided_by else ""
        raise Conflict(f"{application} is {application.state}{by}; only what is submitted is reviewed and decided.")


def _check_unbiased(actor: User, application: Application) -> None:
    reason = standing(actor, application).conflict
    if reason:
        raise NotAllowed(reason, permission="application.review")


def _check_votes(actor: User, application: Application) -> None:
    missing = standing(actor, application).missing
    if missing:
        raise Conflict(f"It cannot be approved yet: {missing}", quorum=settings.COMMITTEE_QUORUM)


def _tell_decision(application: Application, actor: User, reason: str) -> None:
    whisper(application, application.state, actor=actor)
    said = {
        ApplicationState.APPROVED: f"{application} is approved",
        ApplicationState.DENIED: f"{application} is denied",
        ApplicationState.RETURNED: f"{application} came back: changes are asked for",
    }[ApplicationState(application.state)]
    _notify_decision(application, actor, said, reason)


def _notify_decision(application: Application, actor: User, title: str, reason: str) -> None:
    notify(
        [user for user in concerned(application) if user.pk != actor.pk],
        kind=NoticeKind.APPLICATION,
        title=title,
        text=reason,
        url=reverse("projects:application-detail", args=[application.pk]),
    )
    reviewers = User.objects.filter(reviews__application=application, reviews__round=application.round)
    notify(
        reviewers.exclude(pk=actor.pk).distinct(),
        kind=NoticeKind.APPLICATION,
        title=title,
        text=f"{actor} decided. {reason}".strip(),
        url=reverse("projects:committee-review", args=[application.pk]),
    )
