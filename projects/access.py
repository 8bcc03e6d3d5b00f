"""Who may see and do what: the only place that knows roles.

A model says where its project is (`PROJECT_PATH`, a lookup path) or that it is one user's own (`USER_PATH`); the few
that are seen otherwise stand in `SEEN`. `visible` turns this into one SQL predicate; `fetch` is the only way from a
request to an object.
"""

import difflib
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import F, Model, Q, QuerySet

from accounts.models import AccountState, PortalRole, User, Webhook
from activity.models import Event
from cloudmesh.errors import Ambiguous, NotAllowed, NotFound
from projects.models import (
    Application,
    ApplicationState,
    Membership,
    Policy,
    PolicyState,
    Project,
    ProjectState,
    Remark,
    Review,
    Role,
)

Found = TypeVar("Found", bound=Model)

LEADERS = frozenset({Role.LEAD, Role.MANAGER})
WORKERS = LEADERS | {Role.MEMBER}
SEERS = frozenset({PortalRole.OPERATOR, PortalRole.AUDITOR})  # see every project, and may change none

#: Permission → the roles that have it for everything in their project.
PERMISSIONS: dict[str, frozenset[str]] = {
    "project.view": WORKERS,
    "project.manage": LEADERS,
    "cloud.view": WORKERS,
    "cloud.register": WORKERS,
    "cloud.manage": LEADERS,
    "cloud.refresh": WORKERS,
    "server.view": WORKERS,
    "server.create": WORKERS,
    "server.change": LEADERS,
    "server.delete": LEADERS,
    "server.console": LEADERS,
    "operation.view": WORKERS,
    "operation.cancel": LEADERS,
    "operation.retry": LEADERS,
    "operation.approve": LEADERS,
    "event.view": WORKERS,
    "member.view": WORKERS,
    "member.manage": LEADERS,
    "application.view": LEADERS,
    "application.edit": LEADERS,
    "application.answer": LEADERS,
    "usage.view": WORKERS,
    "quota.share": LEADERS,
    "webhook.manage": LEADERS,
}
#: Permission → the roles that have it for what they own themselves.
OWN: dict[str, frozenset[str]] = {
    name: frozenset({Role.MEMBER})
    for name in (
        "server.change",
        "server.delete",
        "server.console",
        "operation.cancel",
        "operation.retry",
        "cloud.manage",
    )
}
#: Permission that belongs to no project → the portal roles that have it; administrators have all of them.
PORTAL: dict[str, frozenset[PortalRole]] = {
    "application.review": frozenset({PortalRole.REVIEWER}),
    "account.view": frozenset({PortalRole.REVIEWER, PortalRole.OPERATOR, PortalRole.AUDITOR}),
    "account.decide": frozenset({PortalRole.REVIEWER}),
    "account.manage": frozenset(),
    "account.impersonate": frozenset(),
    "project.decide": frozenset({PortalRole.REVIEWER}),
    "project.block": frozenset(),
    "policy.view": frozenset({PortalRole.OPERATOR, PortalRole.AUDITOR}),
    "policy.propose": frozenset({PortalRole.OPERATOR}),
    "policy.approve": frozenset({PortalRole.OPERATOR}),
    "wish.approve": frozenset({PortalRole.OPERATOR}),
    "portal.usage": frozenset({PortalRole.OPERATOR, PortalRole.AUDITOR}),
    "portal.health": frozenset({PortalRole.OPERATOR, PortalRole.AUDITOR}),
}
#: What an applicant may do with their own application though they are in no project yet.
APPLICANT = frozenset({"application.view", "application.edit", "application.answer"})
#: What reviewers may do in any project that was submitted.
REVIEWED = frozenset({"application.view", "project.view", "member.view"})
#: Permissions that do not need the project to be active: it is not yet, or not any more.
ANY_STATE = APPLICANT | {"member.view", "usage.view"}


def visible(model: type[Found], actor: User) -> QuerySet[Found]:
    """The records of `model` that `actor` may see; one predicate for web, API, live, export and search."""
    records = model._default_manager.all()
    return records.filter(predicate(model, actor)) if actor.is_active else records.none()


def predicate(model: type[Model], actor: User) -> Q:
    own = getattr(model, "USER_PATH", "")
    if own:
        return Q(**{own: actor.pk})
    if model in SEEN:
        return SEEN[model](actor)
    if sees_all(actor):
        return Q()
    path = "project_id" if model is Event else model.PROJECT_PATH  # type: ignore[attr-defined]
    mine = Q(**{f"{path}__in": projects_of(actor)})
    return mine | Q(topic=actor.topic) if model is Event else mine


def _seen_users(actor: User) -> Q:
    """Oneself and those one works with; staff see all."""
    if sees_all(actor) or is_reviewer(actor):
        return Q()
    return Q(pk=actor.pk) | Q(memberships__project__in=projects_of(actor), state=AccountState.ACTIVE)


def _seen_projects(actor: User) -> Q:
    """Those where one works or applies; reviewers see what was submitted too."""
    if sees_all(actor):
        return Q()
    mine = Q(pk__in=projects_of(actor)) | Q(pk__in=Application.objects.filter(applicant=actor.pk).values("project"))
    return mine | ~Q(state=ProjectState.DRAFT) if is_reviewer(actor) else mine


def _seen_applications(actor: User) -> Q:
    if sees_all(actor):
        return Q()
    led = Membership.objects.filter(user=actor.pk, role__in=LEADERS).values("project")
    mine = Q(applicant=actor.pk) | Q(project__in=led)
    return mine | ~Q(state=ApplicationState.DRAFT) if is_reviewer(actor) else mine


def _seen_reviews(actor: User) -> Q:
    """The committee's own; applicants read remarks and the reason of a decision."""
    return Q() if sees_all(actor) or is_reviewer(actor) else Q(pk=None)


def _seen_remarks(actor: User) -> Q:
    if sees_all(actor) or is_reviewer(actor):
        return Q()
    return Q(is_internal=False, application__in=Application.objects.filter(_seen_applications(actor)))


def _seen_policies(actor: User) -> Q:
    return Q() if may(actor, "policy.view") else Q(state=PolicyState.APPROVED)


SEEN: dict[type[Model], Callable[[User], Q]] = {
    User: _seen_users,
    Project: _seen_projects,
    Application: _seen_applications,
    Review: _seen_reviews,
    Remark: _seen_remarks,
    Policy: _seen_policies,
    Webhook: lambda actor: Q(owner=actor.pk),
}


def projects_of(actor: User) -> QuerySet[Membership, Any]:
    """The ids of the projects where `actor` works, as a subquery."""
    return Membership.objects.filter(user=actor.pk, role__in=WORKERS).values("project")


def sees_all(actor: User) -> bool:
    return is_admin(actor) or bool(SEERS.intersection(actor.portal_roles))


def is_admin(actor: User) -> bool:
    return bool(actor.is_active and actor.is_superuser)


def is_reviewer(actor: User) -> bool:
    return actor.is_active and PortalRole.REVIEWER in actor.portal_roles


def is_staff(actor: User) -> bool:
    """Whether there is anything for `actor` on the staff pages."""
    return is_admin(actor) or bool(actor.is_active and actor.portal_roles)


def may(actor: User, permission: str) -> bool:
    """Whether `actor` has a permission that belongs to no project."""
    return is_admin(actor) or bool(actor.is_active and PORTAL[permission].intersection(actor.portal_roles))


def require_portal(actor: User, permission: str) -> None:
    """Raises NotAllowed, naming who may, unless `actor` has a permission that belongs to no project."""
    if not may(actor, permission):
        who = [f"{role.label.lower()}s" for role in PortalRole if role in PORTAL[permission]]
        raise NotAllowed(
            f"Only {' and '.join(['administrators', *who])} may do this ({permission}).", permission=permission
        )


def fetch(model: type[Found], pk: uuid.UUID | str, *, actor: User, permission: str) -> Found:
    """The record with this id; NotFound when invisible, NotAllowed when visible but not permitted."""
    return permitted(_one(visible(model, actor), _uuid(pk), model, str(pk)), actor=actor, permission=permission)


def find(
    records: QuerySet[Found], name: str, *, actor: User, permission: str, field: str = "name", kind: str = ""
) -> Found:
    """The record of this id or name among visible `records`, where `actor` has `permission`.

    Raises NotFound with near names, Ambiguous, NotAllowed.
    """
    return permitted(first_named(records, name, field=field, kind=kind), actor=actor, permission=permission)


def first_named(records: QuerySet[Found], name: str, *, field: str = "name", kind: str = "") -> Found:
    """The one record of this id or name. Raises NotFound with near names, Ambiguous."""
    kind = kind or str(records.model._meta.verbose_name)
    wanted = _uuid(name)
    matches = list(records.filter(Q(pk=wanted) | Q(**{field: name}) if wanted else Q(**{field: name}))[:3])
    if not matches:
        close = difflib.get_close_matches(name, list(records.values_list(field, flat=True)[:2000]), n=3, cutoff=0.4)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise NotFound(f"There is no {kind} named {name!r}.{hint}", wanted=name, near=close)
    if len(matches) > 1:
        ids = [str(match.pk) for match in matches]
        raise Ambiguous(
            f"Several {kind}s are named {name!r}; give the id instead: {', '.join(ids)}.", wanted=name, ids=ids
        )
    return matches[0]


def permitted(record: Found, *, actor: User, permission: str) -> Found:
    if getattr(record, "USER_PATH", "") or isinstance(record, Webhook):
        return record  # visible to its user alone, who may do everything with it
    if permission in PORTAL:
        require_portal(actor, permission)
        return record
    require(actor, permission, _project_of(record), owner_id=getattr(record, "owner_id", None))
    return record


def require(actor: User, permission: str, project: Project, *, owner_id: uuid.UUID | None = None) -> None:
    """Raises NotAllowed with the reason unless `actor` may do this in `project`."""
    reason = why_not(actor, permission, project, owner_id=owner_id)
    if reason:
        raise NotAllowed(reason, permission=permission)


def why_not(actor: User, permission: str, project: Project, *, owner_id: uuid.UUID | None = None) -> str:
    """Why `actor` may not do this, as a sentence; empty when it is allowed."""
    if permission in PORTAL:
        return "" if may(actor, permission) else f"This is for the portal's staff ({permission})."
    if project.state != ProjectState.ACTIVE and not permission.endswith(".view") and permission not in ANY_STATE:
        return f"The project {project} is {project.state}; nothing can be changed in it."
    if is_admin(actor) or (permission in APPLICANT and owner_id == actor.pk):
        return ""
    if permission in REVIEWED and is_reviewer(actor):
        return ""
    role = roles(actor).get(project.pk)
    if role in PERMISSIONS[permission] or (permission.endswith(".view") and sees_all(actor)):
        return ""
    if role in OWN.get(permission, ()):
        return "" if owner_id == actor.pk else f"This is somebody else's. Ask a lead or manager of {project}."
    if role is None:
        return f"You are not a member of the project {project}."
    return f"As {role} of {project} you may not do this ({permission}). Ask a lead or manager."


def require_admin(actor: User, what: str) -> None:
    """Raises NotAllowed unless `actor` administrates the portal."""
    if not is_admin(actor):
        raise NotAllowed(f"Only administrators may {what}.")


def memberships(actor: User) -> list[Membership]:
    """Of `actor`, the default project's first; read once for an actor object, that is once in a request."""
    known: list[Membership] | None = actor.__dict__.get("_memberships")
    if known is None:
        mine = Membership.objects.filter(user=actor.pk).select_related("project")
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


def default_project(actor: User) -> Project:
    """Where `actor` works unless told otherwise. Raises NotFound when there is none."""
    active = workplaces(actor)
    if not active:
        raise NotFound("You are not in any active project. Ask to be invited to one, or apply for one.")
    return active[0]


def project_named(actor: User, name: str = "", *, permission: str) -> Project:
    """The project of that name or id, or the default one, where `actor` has `permission`."""
    if not name:
        return permitted(default_project(actor), actor=actor, permission=permission)
    return find(visible(Project, actor), name, actor=actor, permission=permission, kind="project")


def hears(actor: User) -> frozenset[str]:
    """The topics that `actor` may follow live: their own, and those of the projects that they may see.

    `users` and `projects` stand for all topics of that kind; only staff hear them.
    """
    if not actor.is_active:
        return frozenset()
    projects = visible(Project, actor).values_list("pk", flat=True)
    everything = {"users", "projects"} if sees_all(actor) or is_reviewer(actor) else set()
    return frozenset({actor.topic, "portal", *everything, *(f"project:{pk}" for pk in projects)})


def _project_of(record: Any) -> Project:
    if isinstance(record, Project):
        return record
    for step in record.PROJECT_PATH.split("__"):
        record = getattr(record, step)
    project: Project = record
    return project


def _one(records: QuerySet[Found], pk: uuid.UUID | None, model: type[Model], wanted: str) -> Found:
    record = records.filter(pk=pk).first() if pk else None
    if record is None:
        raise NotFound(
            f"There is no {model._meta.verbose_name} {wanted[:80]!r}, or none that you may see.", wanted=wanted[:80]
        )
    return record


def _uuid(text: uuid.UUID | str) -> uuid.UUID | None:
    try:
        return text if isinstance(text, uuid.UUID) else uuid.UUID(text)
    except ValueError:
        return None
