"""Ways into a project: a link that is mailed to one person, or one to give around; secrets are shown once."""

import datetime
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import backends
from accounts import services as accounts
from accounts.models import User
from accounts.tasks import absolute
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound
from projects import access
from projects.models import Invitation, Membership, Project, ProjectState
from projects.services.members import check_role, give_role, tell

DAYS, MOST_DAYS = 14, 90
USES, MOST_USES = 10, 1000
MOST_OPEN = 200  # of one project


@transaction.atomic
def invite(*, actor: User, project: Project, email: str, role: str = access.LINKED, days: int = DAYS) -> Invitation:
    """Mail a link to `email`, which alone may use it, once; an earlier one to the same address ends.

    Raises NotAllowed, Invalid, Conflict.
    """
    email = _address(email)
    if not access.works(check_role(role)):
        raise Invalid(f"Nobody is invited as {role}. Invite a member, a manager or a lead.", field="role")
    access.require(actor, access.staffing(role), project)
    member = Membership.objects.select_related("user").filter(project=project, user__email__iexact=email).first()
    if member and access.works(member.role):
        raise Conflict(
            f"{member.user} has that address and is {member.role} of {project} already. Change the role instead.",
            field="email",
        )
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    for earlier in Invitation.objects.filter(project=project, email=email, revoked_at=None):
        _end(earlier)
    invitation, secret = _make(actor, project, days, email=email, role=role)
    url = absolute(reverse("projects:invitation", args=[secret]))
    facts = {"project": project, "role": role, "inviter": actor.full_name, "link": url, "until": invitation.expires_at}
    accounts.send_mail(to=email, template="invitation", context=facts)
    known = User.objects.filter(email__iexact=email, is_active=True)
    tell(known, f"You are invited to {project}", f"{actor.full_name} invites you as {role}: join there.", None)
    return invitation


@transaction.atomic
def make_link(*, actor: User, project: Project, uses: int = USES, days: int = DAYS) -> tuple[Invitation, str]:
    """A link that lets `uses` people in as members, and its address, which is shown this once.

    Raises NotAllowed, Invalid.
    """
    access.require(actor, access.staffing(access.LINKED), project)
    if not 1 <= uses <= MOST_USES:
        raise Invalid(f"A join link works 1 to {MOST_USES} times, not {uses}.", field="uses")
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    invitation, secret = _make(actor, project, days, role=access.LINKED, uses_left=uses)
    return invitation, absolute(reverse("projects:invitation", args=[secret]))


@transaction.atomic
def revoke_invitation(*, actor: User, invitation: Invitation) -> None:
    """End an invitation before its time. Raises NotAllowed."""
    access.require(actor, access.staffing(invitation.role), invitation.project)
    if invitation.revoked_at is None:
        _end(invitation)
        _note(invitation, "revoked", actor)


def find_invitation(secret: str) -> Invitation:
    """What a link leads to, whether it still works or not; raises NotFound for what was never one."""
    found = Invitation.objects.select_related("project", "invited_by").filter(digest=backends.digest(secret)).first()
    if found is None:
        raise NotFound("There is no such invitation. Check that the whole link was copied, or ask for a new one.")
    return found


def why_closed(invitation: Invitation) -> str:
    """Why it lets nobody in any more; empty while it does."""
    if invitation.revoked_at:
        return "This invitation was taken back."
    if invitation.expires_at <= timezone.now():
        return f"This invitation ended on {invitation.expires_at:%Y-%m-%d}."
    if not invitation.uses_left:
        return "This invitation is used up."
    if invitation.project.state != ProjectState.ACTIVE:
        return f"The project {invitation.project} is {invitation.project.state}; nobody can join it now."
    return ""


@transaction.atomic
def accept_invitation(*, actor: User, secret: str) -> Membership:
    """Join by a link; whoever works in the project already stays what they are, and uses nothing up.

    Raises NotFound, NotAllowed, Conflict.
    """
    return _accept(find_invitation(secret), actor)


def invitations_for(actor: User) -> QuerySet[Invitation]:
    """The open ones that were mailed to the address of `actor`, which the portal knows to be theirs."""
    if actor.only_project or not actor.is_active:
        return Invitation.objects.none()
    mine = _open(Invitation.objects.filter(email=actor.email.lower(), project__state=ProjectState.ACTIVE))
    return mine.exclude(email="").select_related("project", "invited_by")


@transaction.atomic
def accept_mailed(*, actor: User, pk: uuid.UUID) -> Membership:
    """Join by an invitation that was mailed to one, without opening the mail. Raises NotFound, NotAllowed, Conflict."""
    invitation = invitations_for(actor).filter(pk=pk).first()
    if invitation is None:
        raise NotFound("There is no such invitation to you, or it has ended. Ask for a new one.")
    return _accept(invitation, actor)


def _accept(invitation: Invitation, actor: User) -> Membership:
    project = Project.objects.select_for_update(no_key=True).get(pk=invitation.project_id)
    known = Membership.objects.filter(project=project, user=actor).first()
    if known and access.works(known.role):
        return known
    invitation.refresh_from_db()
    if why := why_closed(invitation):
        raise Conflict(f"{why} Ask a lead of the project for another one.")
    _check_guest(invitation, actor, known)
    _use_up(invitation)
    membership = give_role(project=project, user=actor, role=invitation.role, actor=actor)
    text = f"{actor.full_name} accepted {'your invitation' if invitation.email else 'by a join link'}."
    tell(_hosts(invitation), f"{actor} joined {project} as {invitation.role}", text, project)
    return membership


def _check_guest(invitation: Invitation, actor: User, known: Membership | None) -> None:
    if actor.only_project or not actor.is_active:
        raise NotAllowed("Only a person who is signed in can accept an invitation.")
    if invitation.email and invitation.email.lower() != actor.email.lower():
        raise NotAllowed(
            "This invitation was mailed to another address than that of your account, and only that one may use it. "
            f"You are signed in as {actor}."
        )
    if not invitation.email and (known or _was_removed(invitation, actor)):
        raise NotAllowed("You were in this project before. Ask one of its leads to take you back.")


def _was_removed(invitation: Invitation, actor: User) -> bool:
    """Whether somebody took `actor` out of the project after this link was made: it shall not lead back in."""
    left = Event.objects.filter(topic=actor.topic, kind="membership", verb="left", object_id=invitation.project_id)
    return left.filter(at__gte=invitation.created_at).exclude(actor_id=actor.pk).exists()


def _use_up(invitation: Invitation) -> None:
    """One statement, so that a link with ten uses lets in ten."""
    left = Invitation.objects.filter(pk=invitation.pk, uses_left__gt=0, revoked_at=None)
    if not left.update(uses_left=F("uses_left") - 1):
        raise Conflict("This invitation is used up. Ask a lead of the project for another one.")
    _note(invitation, "used", None)


def _make(actor: User, project: Project, days: int, **fields: Any) -> tuple[Invitation, str]:
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"An invitation is good for 1 to {MOST_DAYS} days, not {days}.", field="days")
    if open_invitations(project).count() >= MOST_OPEN:
        raise Conflict(f"{project} has {MOST_OPEN} open invitations. Take some back first.")
    secret = backends.new_secret()
    until = timezone.now() + datetime.timedelta(days=days)
    invitation = Invitation.objects.create(
        project=project, invited_by=actor, digest=backends.digest(secret), expires_at=until, **fields
    )
    _note(invitation, "created", actor)
    return invitation, secret


def open_invitations(project: Project) -> QuerySet[Invitation]:
    """Those that let somebody in."""
    return _open(Invitation.objects.filter(project=project))


def _open(invitations: QuerySet[Invitation]) -> QuerySet[Invitation]:
    return invitations.filter(revoked_at=None, uses_left__gt=0, expires_at__gt=timezone.now())


def _end(invitation: Invitation) -> None:
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])


def _note(invitation: Invitation, verb: str, actor: User | None) -> None:
    project = invitation.project
    lifecycle.note(
        kind="invitation",
        verb=verb,
        topic=project.topic,
        object_id=invitation.pk,
        name=invitation.email or "join link",
        project_id=project.pk,
        actor=actor,
        data={"role": invitation.role},
    )


def _hosts(invitation: Invitation) -> list[User]:
    """Whoever invited, while they still may; else all who lead."""
    leaders = list(access.leaders(invitation.project))
    return [user for user in leaders if user.pk == invitation.invited_by_id] or leaders


def _address(email: str) -> str:
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid(f"{email[:80]!r} is no e-mail address.", field="email") from None
    return email.lower()
