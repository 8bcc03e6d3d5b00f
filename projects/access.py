"""Who may see and do what: the only place that knows roles.

A model says where its project is (`PROJECT_PATH`, a lookup path) or that it is one user's own (`USER_PATH`).
`visible` turns this into one SQL predicate; `fetch` is the only way from a request to an object.
"""

import difflib
import uuid
from typing import Any, TypeVar

from django.db.models import F, Model, Q, QuerySet

from accounts.models import PortalRole, User
from activity.models import Event
from cloudmesh.errors import Ambiguous, NotAllowed, NotFound
from projects.models import Membership, Project, ProjectState, Role

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


def visible(model: type[Found], actor: User) -> QuerySet[Found]:
    """The records of `model` that `actor` may see; one predicate for web, API, live, export and search."""
    records = model._default_manager.all()
    return records.filter(predicate(model, actor)) if actor.is_active else records.none()


def predicate(model: type[Model], actor: User) -> Q:
    own = getattr(model, "USER_PATH", "")
    if own:
        return Q(**{own: actor.pk})
    if sees_all(actor):
        return Q()
    path = "pk" if model is Project else "project_id" if model is Event else model.PROJECT_PATH  # type: ignore[attr-defined]
    mine = Q(**{f"{path}__in": projects_of(actor)})
    return mine | Q(topic=actor.topic) if model is Event else mine


def projects_of(actor: User) -> QuerySet[Membership, Any]:
    """The ids of the projects where `actor` works, as a subquery."""
    return Membership.objects.filter(user=actor.pk, role__in=WORKERS).values("project")


def sees_all(actor: User) -> bool:
    return is_admin(actor) or bool(SEERS.intersection(actor.portal_roles))


def is_admin(actor: User) -> bool:
    return bool(actor.is_active and actor.is_superuser)


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
    if getattr(record, "USER_PATH", ""):
        return record  # visible to its user alone, who may do everything with it
    require(actor, permission, _project_of(record), owner_id=getattr(record, "owner_id", None))
    return record


def require(actor: User, permission: str, project: Project, *, owner_id: uuid.UUID | None = None) -> None:
    """Raises NotAllowed with the reason unless `actor` may do this in `project`."""
    reason = why_not(actor, permission, project, owner_id=owner_id)
    if reason:
        raise NotAllowed(reason, permission=permission)


def why_not(actor: User, permission: str, project: Project, *, owner_id: uuid.UUID | None = None) -> str:
    """Why `actor` may not do this, as a sentence; empty when it is allowed."""
    if project.state != ProjectState.ACTIVE and not permission.endswith(".view"):
        return f"The project {project} is {project.state}; nothing can be changed in it."
    if is_admin(actor):
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
    """The topics that `actor` may follow live: their own, and those of the projects that they may see."""
    if not actor.is_active:
        return frozenset()
    projects = visible(Project, actor).values_list("pk", flat=True)
    return frozenset({actor.topic, "portal", *(f"project:{pk}" for pk in projects)})


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
