"""How much a project may have, and each of its members."""

from typing import Any

from django.db import transaction

from accounts.models import User
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotFound, near
from projects import access, quota
from projects.models import Membership, Project, Quota
from projects.policy import RESOURCES

MOST = 2**40


@transaction.atomic
def set_quota(*, actor: User, project: Project, resource: str, limit: int | None, scope: str = "") -> None:
    """Let `project` have at most `limit` of a resource, in one scope or in all; None takes the limit away.

    `scope` is empty, a scope such as `cloud:ID`, or its name such as `india`. Raises NotAllowed, Invalid, NotFound.
    """
    access.require_portal(actor, "quota.limit")
    _store(project, None, resource, limit, scope, actor)


@transaction.atomic
def set_share(*, actor: User, project: Project, user: User, resource: str, limit: int | None, scope: str = "") -> None:
    """Let one member have at most `limit` of what the project has; None takes the limit away.

    Raises NotAllowed, Invalid, NotFound, Conflict.
    """
    access.require(actor, "quota.share", project)
    if not Membership.objects.filter(project=project, user=user).exists():
        raise Conflict(f"{user} is no member of the project {project}.", field="user")
    _store(project, user, resource, limit, scope, actor)


def _store(project: Project, user: User | None, resource: str, limit: int | None, scope: str, actor: User) -> None:
    quota.hold(project)
    scope, label = _scope(project, scope)
    _check(resource, limit)
    place: dict[str, Any] = {
        "project": project,
        "user": user,
        "scope": scope,
        "resource": resource,
        "source": Quota.Source.PORTAL,
    }
    if limit is None:
        Quota.objects.filter(**place).delete()
    else:
        Quota.objects.update_or_create(**place, defaults={"limit": limit})
    lifecycle.note(
        kind="quota",
        verb="changed" if limit is not None else "removed",
        topic=project.topic,
        object_id=project.pk,
        name=project.name,
        project_id=project.pk,
        actor=actor,
        data={"user": user.username if user else "", "where": label, "resource": resource, "limit": limit},
    )


def _scope(project: Project, text: str) -> tuple[str, str]:
    """The scope that a text means, and what it is called. Raises NotFound with near names."""
    if not text:
        return "", ""
    labels = quota.measure(project).labels
    for scope, label in labels.items():
        if text in (scope, label):
            return scope, label
    hint = near(text[:60], labels.values())
    raise NotFound(f"The project {project} has no {text[:60]!r} that a quota could be of.{hint}", wanted=text[:60])


def _check(resource: str, limit: int | None) -> None:
    if resource not in RESOURCES:
        raise Invalid(
            f"There is no resource {resource[:40]!r}; there are: {', '.join(RESOURCES)}.{near(resource, RESOURCES)}",
            field="resource",
        )
    if limit is not None and not 0 <= limit <= MOST:
        raise Invalid(f"The limit of {resource} must be from 0 to {MOST}, not {limit}.", field="limit")
