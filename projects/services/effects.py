"""What an approval does to the project, and how it is undone while nothing followed from it."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Invalid
from cloudmesh.types import Json
from projects.models import Application, ApplicationKind, ApplicationState, Project, ProjectState, Quota
from projects.services import questions
from projects.services.answers import check_end, end_of
from projects.services.sections import ALLOCATION

TOLD = 5  # things that followed, by name
BEGUN = ("created", "registered", "found")


def grant(
    application: Application,
    *,
    actor: User,
    ends_at: datetime.datetime | None = None,
    limits: Sequence[Mapping[str, Any]] | None = None,
) -> Json:
    """Do what was asked for, or as much of it as is granted; answers what it replaced. Raises Invalid."""
    if ends_at and application.kind not in (ApplicationKind.NEW, ApplicationKind.RENEWAL):
        raise Invalid("Only a new project and a renewal are granted an end date.", field="ends_at")
    if limits is not None and application.kind != ApplicationKind.ALLOCATION:
        raise Invalid("Only an allocation is granted limits.", field="limits")
    match application.kind:
        case ApplicationKind.NEW:
            return _activate(application, actor, ends_at)
        case ApplicationKind.CHANGE:
            return _rewrite(application, actor)
        case ApplicationKind.RENEWAL:
            return _renew(application, actor, ends_at or end_of(application.answers["renewal"]["ends_at"]))
    return _allot(application, actor, application.answers["allocation"]["limits"] if limits is None else limits)


def revoke(application: Application, *, actor: User, reason: str = "") -> None:
    """Put back what the approval replaced, or a denial ended."""
    project, before = application.project, application.before
    if application.state == ApplicationState.DENIED:
        if application.kind == ApplicationKind.NEW:
            lifecycle.transition(project, ProjectState.PENDING, actor=actor, reason=reason)
    elif application.kind == ApplicationKind.ALLOCATION:
        store_limits(project, before["limits"], actor=actor)
    elif application.kind == ApplicationKind.CHANGE:
        lifecycle.change(project, actor=actor, details=before["details"], **_named_in(before["details"], project))
    else:
        ends_at = datetime.datetime.fromisoformat(before["ends_at"]) if before["ends_at"] else None
        details = before.get("details", project.details)
        lifecycle.transition(project, before["state"], actor=actor, reason=reason, ends_at=ends_at, details=details)


def followed(application: Application) -> list[str]:
    """What was done on the ground of the decision, by name: `server gregor_1 created`; a few of it."""
    mine = Event.objects.filter(object_id=application.pk)
    decided = mine.filter(to_state=application.state).exclude(from_state=application.state).order_by("-pk").first()
    if decided is None:
        return []
    later = Event.objects.filter(topic=application.project.topic, pk__gt=decided.pk).exclude(object_id=application.pk)
    moved = Q(kind=Project.KIND, verb__in=[state for state in ProjectState if state != ProjectState.PENDING])
    things = later.filter(Q(verb__in=BEGUN) | Q(kind="quota") | moved).order_by("pk")
    return [event.summary for event in things[:TOLD]]


def store_limits(project: Project, limits: Sequence[Mapping[str, Any]], *, actor: User) -> None:
    """Set the portal's own limits of a project; a limit of None is taken away."""
    for each in limits:
        mine: Json = {"project": project, "user": None, "source": Quota.Source.PORTAL}
        place = {"scope": each["scope"], "resource": each["resource"]}
        if each["limit"] is None:
            Quota.objects.filter(**mine, **place).delete()
        else:
            Quota.objects.update_or_create(**mine, **place, defaults={"limit": each["limit"]})
    lifecycle.note(
        kind="quota",
        verb="changed",
        topic=project.topic,
        object_id=project.pk,
        name=project.name,
        project_id=project.pk,
        actor=actor,
        data={"limits": [dict(each) for each in limits]},
    )


# -- each kind ---------------------------------------------------------------------------------------------------


def _activate(application: Application, actor: User, ends_at: datetime.datetime | None) -> Json:
    project, details = application.project, application.answers
    ends_at = ends_at or timezone.now() + datetime.timedelta(weeks=settings.PROJECT_WEEKS)
    check_end(ends_at)
    before = {"state": ProjectState.PENDING, "ends_at": _text(project.ends_at), "details": project.details}
    lifecycle.transition(
        project, ProjectState.ACTIVE, actor=actor, details=details, ends_at=ends_at, **_named_in(details, project)
    )
    return before


def _rewrite(application: Application, actor: User) -> Json:
    project = application.project
    before = {"details": project.details}
    asked = {name: said for name, said in application.answers.items() if name != "reason"}
    details = questions.merged(project.details, asked)
    lifecycle.change(project, actor=actor, details=details, **_named_in(details, project))
    return before


def _renew(application: Application, actor: User, ends_at: datetime.datetime) -> Json:
    project = application.project
    check_end(ends_at, project)
    before = {"state": project.state, "ends_at": _text(project.ends_at)}
    lifecycle.transition(project, ProjectState.ACTIVE, actor=actor, verb="renewed", ends_at=ends_at)
    return before


def _allot(application: Application, actor: User, limits: Sequence[Mapping[str, Any]]) -> Json:
    project = application.project
    granted = ALLOCATION.question("limits").read([dict(each) for each in limits])
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = limits_now(project, granted)
    store_limits(project, granted, actor=actor)
    return {"limits": before, "granted": granted}


@dataclasses.dataclass(frozen=True)
class AskedLimit:
    """One limit of an allocation: what it is or was, what is asked for, and what was granted."""

    where: str
    resource: str
    before: int | None
    asked: int
    granted: int | None


def asked_limits(application: Application, labels: Mapping[str, str]) -> list[AskedLimit]:
    """What an allocation asks for; `labels` are what people call the scopes."""
    asked = application.answers.get("allocation", {}).get("limits", [])
    before = application.before.get("limits") or limits_now(application.project, asked)
    known, granted = _by_place(before), _by_place(application.before.get("granted", []))
    return [
        AskedLimit(
            where=labels.get(scope, scope),
            resource=resource,
            before=known.get((scope, resource)),
            asked=limit,
            granted=granted.get((scope, resource)),
        )
        for (scope, resource), limit in _by_place(asked).items()
    ]


def limits_now(project: Project, asked: Sequence[Mapping[str, Any]]) -> list[Json]:
    """The portal's limits in force where `asked` asks for others; None where there is none."""
    mine = Quota.objects.filter(project=project, user=None, source=Quota.Source.PORTAL)
    known = {(quota.scope, quota.resource): quota.limit for quota in mine}
    return [
        {"scope": scope, "resource": resource, "limit": known.get((scope, resource))}
        for scope, resource in _by_place(asked)
    ]


def _named_in(details: Mapping[str, Any], project: Project) -> Json:
    """What of a project's details has a column of its own."""
    title = details.get("information", {}).get("title") or project.title
    return {"title": title, "join_open": bool(details.get("membership", {}).get("join_open", project.join_open))}


def _text(when: datetime.datetime | None) -> str:
    return when.isoformat() if when else ""


def _by_place(limits: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Any]:
    return {(each["scope"], each["resource"]): each["limit"] for each in limits}
