"""What the answers of an application amount to: what is missing, what would change, whether that can be."""

import datetime
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from cloudmesh.errors import Invalid, near
from cloudmesh.types import Json
from projects import quota
from projects.models import Application, ApplicationKind, Project, ProjectState
from projects.services import questions
from projects.services.questions import Answers, Difference, Gap
from projects.services.sections import RENEWAL, sections_of

FARTHEST = datetime.timedelta(days=5 * 366)  # an end date can be from today


def application_gaps(application: Application) -> list[Gap]:
    """The questions that must be answered before it can be submitted."""
    found = questions.gaps(sections_of(application.kind), whole_application(application))
    if application.kind != ApplicationKind.CHANGE:
        return found
    return [gap for gap in found if gap.section.name == "reason" or _is_emptied(application, gap)]


def whole_application(application: Application) -> Answers:
    """Its answers; those of a change on top of what was approved before."""
    if application.kind != ApplicationKind.CHANGE:
        return questions.merged({}, application.answers)
    return questions.merged(_approved(application), application.answers)


def application_differences(application: Application) -> list[Difference]:
    """What an application about an existing project would change, or has changed."""
    if application.kind == ApplicationKind.NEW:
        return []
    if application.kind == ApplicationKind.CHANGE:
        asked = {name: said for name, said in application.answers.items() if name != "reason"}
        return questions.differences(sections_of(application.kind), _approved(application), asked)
    if application.kind == ApplicationKind.RENEWAL:
        return questions.differences(
            [RENEWAL], {"renewal": {"ends_at": _end_before(application)}}, _end_asked(application)
        )
    return []


def check_complete(application: Application) -> None:
    """Raises Invalid that names every section and question without an answer."""
    missing = application_gaps(application)
    if missing:
        raise Invalid(
            f"Not everything is answered yet: {_listed(missing)}.",
            gaps=[{"section": gap.section.name, "question": gap.question.name} for gap in missing],
            errors={f"{gap.section.name}.{gap.question.name}": ["This is to be answered."] for gap in missing},
        )
    if application.kind == ApplicationKind.CHANGE and not application_differences(application):
        raise Invalid("Nothing is changed yet. Change at least one answer, or withdraw this.", field="answers")
    if application.kind == ApplicationKind.RENEWAL:
        check_end(end_of(application.answers["renewal"]["ends_at"]), application.project)


def end_of(day: str) -> datetime.datetime:
    """The last minute of a day that was asked for."""
    return datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time(23, 59), datetime.UTC)


def check_end(ends_at: datetime.datetime, project: Project | None = None) -> None:
    """Raises Invalid unless a project can end then; one that is renewed must end later than before."""
    now = timezone.now()
    if not now < ends_at < now + FARTHEST:
        raise Invalid(
            f"The end date {ends_at:%Y-%m-%d} must be in the next five years, after today.", field="renewal.ends_at"
        )
    if project and project.state == ProjectState.ACTIVE and project.ends_at and ends_at <= project.ends_at:
        raise Invalid(
            f"The project runs until {project.ends_at:%Y-%m-%d} already; ask for a later day.", field="renewal.ends_at"
        )


def kept(application: Application, answers: Answers) -> Answers:
    """Of a change only what differs from what was approved; limits at the scopes that their names mean."""
    if limits := answers.get("allocation", {}).get("limits"):
        answers["allocation"]["limits"] = [_placed(limit, application.project) for limit in limits]
    if application.kind != ApplicationKind.CHANGE:
        return answers
    return questions.changed(sections_of(application.kind), application.project.details, answers)


# -- inside -------------------------------------------------------------------------------------------------------


def _placed(limit: Json, project: Project) -> Json:
    """A limit whose scope may have been given by name, such as `india`. Raises Invalid."""
    labels = quota.measure(project).labels if limit["scope"] else {}
    for scope, label in labels.items():
        if limit["scope"] in (scope, label):
            return {**limit, "scope": scope}
    if limit["scope"]:
        raise Invalid(
            f"The project {project} has no {limit['scope']!r} that a limit could be for; leave it empty for the whole "
            f"project.{near(limit['scope'], labels.values())}",
            field="limits",
        )
    return limit


def _approved(application: Application) -> Mapping[str, Any]:
    """What the project's details were before this application."""
    details: Mapping[str, Any] = application.before.get("details", application.project.details)
    return details


def _is_emptied(application: Application, gap: Gap) -> bool:
    return gap.question.name in application.answers.get(gap.section.name, {})


def _end_before(application: Application) -> str:
    before = application.before.get("ends_at", "")
    ends_at = datetime.datetime.fromisoformat(before) if before else application.project.ends_at
    return ends_at.date().isoformat() if ends_at else ""


def _end_asked(application: Application) -> Answers:
    return {"renewal": {"ends_at": application.answers.get("renewal", {}).get("ends_at", "")}}


def _listed(missing: Iterable[Gap]) -> str:
    by_section = itertools.groupby(missing, key=lambda gap: gap.section.label)
    return "; ".join(f"{label}: {', '.join(gap.question.label for gap in found)}" for label, found in by_section)
