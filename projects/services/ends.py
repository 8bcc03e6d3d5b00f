"""How projects end and stop: completed by those who lead them, blocked and let go on by administrators."""

from django.db import transaction
from django.urls import reverse

from accounts.models import NoticeKind, User
from accounts.services import notify
from activity import lifecycle
from cloudmesh.errors import Invalid
from projects import access
from projects.models import Application, ApplicationState, Project, ProjectState
from projects.services.applications import OPEN


@transaction.atomic
def complete_project(*, actor: User, project: Project, reason: str = "") -> None:
    """Say that a project is done; what it still asks for is taken back. Raises NotAllowed, IllegalTransition."""
    access.require(actor, "project.complete", project)
    if project.state == ProjectState.BLOCKED:
        access.require_portal(actor, "project.block")
    lifecycle.transition(project, ProjectState.COMPLETED, actor=actor, reason=reason.strip()[:2000])
    for application in Application.objects.filter(project=project, state__in=OPEN).select_for_update(no_key=True):
        lifecycle.transition(application, ApplicationState.WITHDRAWN, actor=actor, reason="The project was completed.")
    _tell_members(project, actor, f"The project {project} is completed", reason)


@transaction.atomic
def block_project(*, actor: User, project: Project, reason: str) -> None:
    """Let nothing be changed in a project any more. Raises NotAllowed, Invalid, IllegalTransition."""
    access.require_portal(actor, "project.block")
    if not reason.strip():
        raise Invalid("Say why the project is blocked; its members read it.", field="reason")
    lifecycle.transition(project, ProjectState.BLOCKED, actor=actor, reason=reason.strip()[:2000])
    _tell_members(project, actor, f"The project {project} is blocked", reason)


@transaction.atomic
def unblock_project(*, actor: User, project: Project, reason: str = "") -> None:
    """Let a blocked project go on. Raises NotAllowed, IllegalTransition."""
    access.require_portal(actor, "project.block")
    if project.state != ProjectState.BLOCKED:
        raise Invalid(f"The project {project} is {project.state}, not blocked.", field="state")
    lifecycle.transition(project, ProjectState.ACTIVE, actor=actor, reason=reason.strip()[:2000])
    _tell_members(project, actor, f"The project {project} goes on", reason)


def _tell_members(project: Project, actor: User, title: str, text: str) -> None:
    notify(
        access.holders(project, "project.view").exclude(pk=actor.pk),
        kind=NoticeKind.QUOTA,
        title=title,
        text=text,
        url=reverse("projects:project-detail", args=[project.name]),
    )
