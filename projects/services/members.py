"""Who belongs to a project and as what; whoever stops working there leaves nothing running."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.urls import reverse

from accounts import services as accounts
from accounts.models import NoticeKind, User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotAllowed, NotFound, near
from projects import access
from projects.models import JoinRequest, Membership, Project, ProjectState, RequestState, Role
from projects.services import leaving

ENDED = "Your API tokens of this project have ended, and so have your wishes that had not begun."


@transaction.atomic
def create_project(*, name: str, lead: User, title: str = "", actor: User | None = None) -> Project:
    """A new active project led by `lead`."""
    project = Project(name=name, title=title or name, state=ProjectState.ACTIVE)
    lifecycle.begin([project], actor=actor)
    give_role(project=project, user=lead, role=Role.LEAD, actor=actor)
    return project


@transaction.atomic
def change_project(
    *, actor: User, project: Project, title: str | None = None, join_open: bool | None = None
) -> Project:
    """Set what is given. Raises NotAllowed, Invalid."""
    access.require(actor, "project.manage", project)
    wanted: dict[str, Any] = {"title": title, "join_open": join_open}
    if title is not None and not title.strip():
        raise Invalid("A project has a title: say in a few words what it is about.", field="title")
    changes = {name: value for name, value in wanted.items() if value not in (None, getattr(project, name))}
    if changes:
        lifecycle.change(project, actor=actor, **changes)
    return project


# -- by people who may -----------------------------------------------------------------------------------------


@transaction.atomic
def add_member(*, actor: User, project: Project, user: User, role: str = Role.MEMBER) -> Membership:
    """Let `user` into `project`. Raises NotAllowed, Invalid, Conflict."""
    access.require(actor, access.staffing(check_role(role)), project)
    known = _locked(project, user)
    if known and access.works(known.role):
        raise Conflict(f"{user} is {known.role} of {project} already. Change the role instead.", field="user")
    if not user.is_active:
        raise Conflict(f"The account of {user} is {user.state}: nobody can work with it.", field="user")
    membership = give_role(project=project, user=user, role=role, actor=actor)
    if access.works(role):
        tell([user], f"You are {role} of {project} now", f"{actor} added you to the project.", project)
    return membership


@transaction.atomic
def change_role(*, actor: User, project: Project, user: User, role: str) -> Membership:
    """Make a member something else. Raises NotAllowed, NotFound, Invalid, Conflict for the last lead."""
    known = _locked(project, user)
    access.require(actor, access.staffing(check_role(role), known.role if known else role), project)
    if known is None:
        raise NotFound(f"{user} is not in the project {project}. Add or invite them.")
    if known.role == role:
        return known
    before = known.role
    membership = give_role(project=project, user=user, role=role, actor=actor)
    why = f"{actor} changed your role in the project from {before} to {role}."
    tell([user], f"You are {role} of {project} now", why if access.works(role) else f"{why} {ENDED}", project)
    return membership


@transaction.atomic
def remove_member(*, actor: User, project: Project, user: User) -> None:
    """Take `user` out of `project`. Raises NotAllowed, NotFound, Conflict for the last lead."""
    known = _locked(project, user)
    access.require(actor, access.staffing(known.role if known else Role.MEMBER), project)
    end_membership(project=project, user=user, actor=actor)
    text = f"{actor} took you out of the project. {ENDED}"
    tell([user], f"You are not in {project} any more", text, None)


@transaction.atomic
def leave_project(*, actor: User, project: Project) -> None:
    """Go, whatever state the project is in. Raises NotFound, NotAllowed, Conflict for the last lead."""
    if actor.only_project:
        raise NotAllowed("An API token that is bound to a project cannot leave it. Do it in the web.")
    end_membership(project=project, user=actor, actor=actor)
    tell(access.leaders(project), f"{actor} left {project}", "", project)


@transaction.atomic
def select_project(*, actor: User, project: Project) -> None:
    """Work in `project` from now on, unless told otherwise. Raises NotAllowed."""
    access.require(actor, "project.view", project)
    if actor.only_project:
        raise NotAllowed(f"This API token always works in {project}.")
    Membership.objects.filter(user=actor, is_default=True).exclude(project=project).update(is_default=False)
    Membership.objects.filter(user=actor, project=project).update(is_default=True)
    _note(project, actor, "selected", actor=actor)


# -- by the portal itself, and by what has decided already -----------------------------------------------------


@transaction.atomic
def give_role(*, project: Project, user: User, role: str, actor: User | None = None) -> Membership:
    """Make `user` a `role` of `project`, whatever they were. Raises Conflict for the last lead."""
    known = _locked(project, user)
    before = known.role if known else ""
    if before == role and known:
        return known
    _require_lead(project, user, before, role)
    changes: dict[str, Any] = {"role": role} if access.works(role) else {"role": role, "is_default": False}
    if actor:
        changes["source"] = User.Source.LOCAL  # what somebody gave here no directory takes
    membership, _ = Membership.objects.update_or_create(project=project, user=user, defaults=changes)
    _note(project, user, "role" if access.works(before) else "joined", actor=actor, role=role, tell_all=True)
    _end(project, user, before, role, actor)
    if access.works(role):
        _close_requests(project, user, actor)
    return membership


@transaction.atomic
def end_membership(*, project: Project, user: User, actor: User | None = None) -> None:
    """Take `user` out of `project`; their open pages stop hearing of it at once. Raises NotFound, Conflict."""
    known = _locked(project, user)
    if known is None:
        raise NotFound(f"{user} is not in the project {project}.")
    _require_lead(project, user, known.role, "")
    known.delete()
    _note(project, user, "left", actor=actor, tell_all=True)
    _end(project, user, known.role, "", actor)


def find_user(name: str) -> User:
    """The active account of exactly this user name; e-mail addresses are for invitations. Raises NotFound."""
    name = name.strip()
    found = User.objects.filter(username__iexact=name, is_active=True).first() if name else None
    if found is None:
        raise NotFound(f"There is no account {name[:80]!r}. Invite the person by e-mail.", field="user")
    return found


def check_role(role: str) -> str:
    """Raises Invalid for what is no role."""
    if role not in Role.values:
        known = ", ".join(Role.values)
        raise Invalid(f"A role is one of {known}; not {role[:40]!r}.{near(role[:40], Role.values)}", field="role")
    return role


def tell(users: Iterable[User], title: str, text: str, project: Project | None) -> None:
    """A notice about memberships, which leads to the project's page or to the list of projects."""
    url = reverse("projects:project-detail", args=[project.name]) if project else reverse("projects:project-list")
    accounts.notify(users, kind=NoticeKind.MEMBERSHIP, title=title, text=text, url=url)


def _locked(project: Project, user: User) -> Membership | None:
    """What `user` is in `project`; nobody else changes its members until the transaction ends."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    return Membership.objects.select_for_update().filter(project=project, user=user).first()


def _require_lead(project: Project, user: User, before: str, after: str) -> None:
    is_lead, stays = (access.staffing(role) == "member.lead" for role in (before, after))
    if is_lead and not stays and not access.has_other_lead(project, user):
        raise Conflict(
            f"{user} is the only lead of {project}, and a project always has one. Make somebody else lead first.",
            field="role",
        )


def _end(project: Project, user: User, before: str, after: str, actor: User | None) -> None:
    """End what the new role does not have any more."""
    if access.manages(before) and not access.manages(after):
        leaving.end_leading(project, user)
    if access.works(before) and not access.works(after):
        leaving.end_work(project, user, actor)


def _close_requests(project: Project, user: User, actor: User | None) -> None:
    for asked in JoinRequest.objects.filter(project=project, user=user, state=RequestState.OPEN):
        lifecycle.transition(asked, RequestState.ACCEPTED, actor=actor, answered_by=actor)


def _note(
    project: Project, user: User, verb: str, *, actor: User | None, role: str = "", tell_all: bool = False
) -> None:
    """To the member, whose sockets check their topics again when they hear it; and to the project."""
    access.forget_roles(user)
    lifecycle.note(
        kind="membership",
        verb=verb,
        topic=user.topic,
        object_id=project.pk,
        name=project.name,
        actor=actor,
        data={"user": str(user.pk), "role": role},
    )
    if tell_all:
        lifecycle.note(
            kind="membership",
            verb=verb,
            topic=project.topic,
            object_id=user.pk,
            name=user.username,
            project_id=project.pk,
            actor=actor,
            data={"role": role},
        )
