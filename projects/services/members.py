"""What happens to projects and their members."""

from django.db import transaction

from accounts.models import User
from activity import lifecycle
from activity.lifecycle import Actor
from projects import access
from projects.models import Membership, Project, ProjectState, Role


@transaction.atomic
def create_project(*, name: str, lead: User, title: str = "", actor: Actor | None = None) -> Project:
    """A new active project led by `lead`."""
    project = Project(name=name, title=title or name, state=ProjectState.ACTIVE)
    lifecycle.begin([project], actor=actor)
    _join(project, lead, Role.LEAD, actor=actor)
    return project


@transaction.atomic
def add_member(*, actor: User, project: Project, user: User, role: str = Role.MEMBER) -> Membership:
    """Give `user` a role in `project`. Raises NotAllowed."""
    access.require(actor, "project.manage", project)
    return _join(project, user, role, actor=actor)


@transaction.atomic
def remove_member(*, actor: User, project: Project, user: User) -> None:
    """Take `user` out of `project`; their open pages stop hearing of it at once. Raises NotAllowed."""
    access.require(actor, "project.manage", project)
    Membership.objects.filter(project=project, user=user).delete()
    _tell(project, user, "left", actor=actor)


@transaction.atomic
def select_project(*, actor: User, project: Project) -> None:
    """Work in `project` from now on, unless told otherwise. Raises NotAllowed."""
    access.require(actor, "project.view", project)
    Membership.objects.filter(user=actor, is_default=True).exclude(project=project).update(is_default=False)
    Membership.objects.filter(user=actor, project=project).update(is_default=True)
    _tell(project, actor, "selected", actor=actor)


def _join(project: Project, user: User, role: str, *, actor: Actor | None) -> Membership:
    membership, _ = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
    _tell(project, user, "joined", actor=actor, role=role)
    return membership


def _tell(project: Project, user: User, verb: str, *, actor: Actor | None, role: str = "") -> None:
    """To the member, whose sockets check their topics again when they hear it."""
    access.forget_roles(user)
    lifecycle.note(
        kind="membership",
        verb=verb,
        topic=user.topic,
        object_id=project.pk,
        name=project.name,
        project_id=project.pk,
        actor=actor,
        data={"user": str(user.pk), "role": role},
    )
