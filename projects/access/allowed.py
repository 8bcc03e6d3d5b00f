"""Who may do what, with the reason why not; and the only way from a request to an object."""

import difflib
import uuid
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from accounts.models import PortalRole, User, Webhook
from cloudmesh.errors import Ambiguous, NotAllowed, NotFound
from projects.access.people import default_project, is_admin, is_reviewer, may, roles, sees_all, staffing
from projects.access.registry import ANY_STATE, APPLICANT, OWN, PERMISSIONS, PORTAL, REVIEWED, STAFFED
from projects.access.seen import visible
from projects.models import Project, ProjectState, Role

Found = TypeVar("Found", bound=Model)


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
    if actor.only_project not in (None, project.pk):
        return "This API token works in another project."
    if project.state != ProjectState.ACTIVE and not permission.endswith(".view") and permission not in ANY_STATE:
        return f"The project {project} is {project.state}; nothing can be changed in it."
    if is_admin(actor) or (permission in APPLICANT and owner_id == actor.pk):
        return ""
    if permission in REVIEWED and is_reviewer(actor):
        return ""
    if permission in STAFFED and may(actor, STAFFED[permission]):
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


def grantable(actor: User, project: Project) -> list[Role]:
    """The roles that `actor` may give somebody in `project`, the least first."""
    return [role for role in reversed(Role) if not why_not(actor, staffing(role), project)]


def project_named(actor: User, name: str = "", *, permission: str) -> Project:
    """The project of that name or id, or the default one, where `actor` has `permission`."""
    if not name:
        return permitted(default_project(actor), actor=actor, permission=permission)
    return find(visible(Project, actor), name, actor=actor, permission=permission, kind="project")


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
