"""Asking to be let into a project, and what its leaders answer."""

from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts import services as accounts
from accounts.models import NoticeKind, User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound
from projects import access
from projects.models import JoinRequest, Membership, Project, RequestState
from projects.services.members import check_role, give_role, tell

LONGEST = 2000  # characters


@transaction.atomic
def ask_to_join(*, actor: User, project: Project, text: str = "") -> JoinRequest:
    """Ask the leaders of a project that is open to it. Raises NotFound, Invalid, Conflict."""
    if not access.joinable(actor).filter(pk=project.pk).exists():
        raise NotFound(f"There is no project {project.name!r} that you may ask to join.")
    text = text.strip()
    if len(text) > LONGEST:
        raise Invalid(f"Say it in at most {LONGEST} characters; these are {len(text)}.", field="text")
    asked = JoinRequest(project=project, user=actor, text=text, state=RequestState.OPEN)
    try:
        with transaction.atomic():
            lifecycle.begin([asked], actor=actor)
    except IntegrityError as error:
        raise Conflict(f"You have asked to join {project} already; its leaders have yet to answer.") from error
    url = reverse("projects:project-members", args=[project.name])
    accounts.notify(
        access.leaders(project), kind=NoticeKind.MEMBERSHIP, title=f"{actor} asks to join {project}", text=text, url=url
    )
    return asked


@transaction.atomic
def withdraw_request(*, actor: User, asked: JoinRequest) -> JoinRequest:
    """Take one's own request back. Raises NotAllowed, Conflict."""
    if asked.user_id != actor.pk or actor.only_project:
        raise NotAllowed("Only whoever asked can take the request back.")
    return _answer(asked, RequestState.WITHDRAWN, actor)


@transaction.atomic
def accept_request(*, actor: User, asked: JoinRequest, role: str = access.LINKED) -> Membership:
    """Let them in. Raises NotAllowed, Invalid, Conflict."""
    access.require(actor, access.staffing(check_role(role)), asked.project)
    if not access.works(role):
        raise Invalid(f"Nobody is let in as {role}. Choose member, manager or lead.", field="role")
    Project.objects.select_for_update(no_key=True).get(pk=asked.project_id)
    _answer(asked, RequestState.ACCEPTED, actor)
    membership = give_role(project=asked.project, user=asked.user, role=role, actor=actor)
    tell([asked.user], f"You are {role} of {asked.project} now", f"{actor} let you in.", asked.project)
    return membership


@transaction.atomic
def refuse_request(*, actor: User, asked: JoinRequest, reason: str) -> JoinRequest:
    """Say no, and why. Raises NotAllowed, Invalid, Conflict."""
    access.require(actor, access.staffing(access.LINKED), asked.project)
    reason = reason.strip()
    if not reason:
        raise Invalid("Say why: whoever asked is told so.", field="reason")
    _answer(asked, RequestState.REFUSED, actor, reason=reason[:LONGEST])
    tell([asked.user], f"You were not let into {asked.project}", f"{actor}: {reason[:LONGEST]}", None)
    return asked


def _answer(asked: JoinRequest, state: RequestState, actor: User, *, reason: str = "") -> JoinRequest:
    current = JoinRequest.objects.select_for_update(no_key=True).get(pk=asked.pk)
    if current.state != RequestState.OPEN:
        raise Conflict(f"This request is {current.state} already.", state=current.state)
    lifecycle.transition(asked, state, actor=actor, reason=reason, answered_by=actor)
    return asked
