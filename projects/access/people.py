"""What somebody is: in the portal, and in which project."""

import uuid
from typing import Any

from django.db.models import F, Q, QuerySet

from accounts.models import PortalRole, User
from cloudmesh.errors import NotAllowed, NotFound
from projects.access.registry import LEADERS, PERMISSIONS, PORTAL, RESPONSIBLE, SEERS, STAFFED, WORKERS
from projects.models import Membership, Project, ProjectState


def is_admin(actor: User) -> bool:
    return bool(actor.is_active and actor.is_superuser and not actor.only_project)


def portal_roles(actor: User) -> frozenset[str]:
    """An API token that is bound to one project has none: they are for all projects."""
    return frozenset() if actor.only_project or not actor.is_active else frozenset(actor.portal_roles)


def is_reviewer(actor: User) -> bool:
    return PortalRole.REVIEWER in portal_roles(actor)


def is_staff(actor: User) -> bool:
    """Whether there is anything for `actor` on the staff pages."""
    return is_admin(actor) or bool(portal_roles(actor))


def sees_all(actor: User) -> bool:
    return is_admin(actor) or bool(SEERS.intersection(portal_roles(actor)))


def may(actor: User, permission: str) -> bool:
    """Whether `actor` has a permission that belongs to no project."""
    return is_admin(actor) or bool(PORTAL[permission].intersection(portal_roles(actor)))


def works(role: str) -> bool:
    """Whether somebody of this role works in their project, or did once."""
    return role in WORKERS


def manages(role: str) -> bool:
    return role in LEADERS


def staffing(*roles: str) -> str:
    """The permission to give and to take these roles."""
    return "member.lead" if RESPONSIBLE.intersection(roles) else "member.manage"


def memberships(actor: User) -> list[Membership]:
    """Of `actor`, the default project's first; read once for an actor object, that is once in a request."""
    known: list[Membership] | None = actor.__dict__.get("_memberships")
    if known is None:
        mine = _memberships_of(actor).select_related("project")
        known = actor.__dict__["_memberships"] = list(mine.order_by(F("is_default").desc(), "joined_at", "pk"))
    return known


def forget_roles(actor: User) -> None:
    """Read the memberships of this actor object again when they are next asked for."""
    actor.__dict__.pop("_memberships", None)


def roles(actor: User) -> dict[uuid.UUID, str]:
    """Project id → role."""
    return {membership.project_id: membership.role for membership in memberships(actor)}


def workplaces(actor: User) -> list[Project]:
    """The active projects where `actor` may work, the default one first."""
    mine = [membership.project for membership in memberships(actor) if membership.role in WORKERS]
    return [project for project in mine if project.state == ProjectState.ACTIVE]


def works_in(actor: User, project: Project) -> bool:
    """Whether that is where `actor` works unless told otherwise."""
    return workplaces(actor)[:1] == [project]


def default_project(actor: User) -> Project:
    """Where `actor` works unless told otherwise. Raises NotFound when there is none."""
    active = workplaces(actor)
    if not active:
        raise NotFound("You are not in any active project. Ask to be invited to one, or apply for one.")
    return active[0]


def projects_of(actor: User) -> QuerySet[Membership, Any]:
    """The ids of the projects where `actor` works, as a subquery."""
    return _memberships_of(actor).filter(role__in=WORKERS).values("project")


def led_by(actor: User) -> QuerySet[Membership, Any]:
    """The ids of the projects that `actor` leads or manages, as a subquery."""
    return _memberships_of(actor).filter(role__in=LEADERS).values("project")


def _memberships_of(actor: User) -> QuerySet[Membership]:
    """All of them; with an API token that is bound to one project that one alone."""
    mine = Membership.objects.filter(user=actor.pk)
    return mine.filter(project=actor.only_project) if actor.only_project else mine


def leaders(project: Project) -> QuerySet[User]:
    """Who answers for `project`: whoever can sign in and may manage its members."""
    return User.objects.filter(memberships__project=project, memberships__role__in=LEADERS, is_active=True)


def holders(project: Project, permission: str) -> QuerySet[User]:
    """Who has a permission for everything in `project`, by their role there or as staff; administrators left out."""
    there = Membership.objects.filter(project=project, role__in=PERMISSIONS[permission]).values("user")
    staff = PORTAL[STAFFED[permission]] if permission in STAFFED else frozenset()
    return User.objects.filter(Q(pk__in=there) | Q(portal_roles__overlap=list(staff)), is_active=True)


def staff(permission: str) -> QuerySet[User]:
    """Who has a permission that belongs to no project."""
    roles_ = list(PORTAL[permission])
    return User.objects.filter(Q(is_superuser=True) | Q(portal_roles__overlap=roles_), is_active=True)


def places(actor: User, permission: str) -> QuerySet[Project]:
    """The active projects where `actor` has a permission for everything."""
    active = Project.objects.filter(state=ProjectState.ACTIVE)
    if is_admin(actor) or (permission in STAFFED and may(actor, STAFFED[permission])):
        return active
    mine = _memberships_of(actor).filter(role__in=PERMISSIONS[permission])
    return active.filter(pk__in=mine.values("project"))


def has_other_lead(project: Project, user: User) -> bool:
    others = project.memberships.exclude(user=user)
    return others.filter(role__in=RESPONSIBLE, user__is_active=True).exists()


def hold(actor: User, project: Project) -> None:
    """Keep what `actor` is in `project` until the transaction ends; raises NotAllowed when they have just left it.

    So no wish slips in while its owner is being removed: one of the two waits for the other.
    """
    mine = Membership.objects.select_for_update(no_key=True).filter(user=actor.pk, project=project)
    known = roles(actor).get(project.pk, "")
    now = mine.values_list("role", flat=True).first() or ""
    if works(known) and not works(now) and not is_admin(actor):
        raise NotAllowed(f"You do not work in the project {project} any more.")
