"""Applications for tests: made as applicants make them, with answers that are complete."""

from typing import Any

from accounts.models import PortalRole, User
from projects import services
from projects.models import Application, ApplicationKind, Project
from projects.services.questions import Answers, Kind, Question
from projects.services.sections import TEN
from tests import factories


def reviewer(name: str = "") -> User:
    user = factories.make_user(name)
    User.objects.filter(pk=user.pk).update(portal_roles=[PortalRole.REVIEWER])
    return User.objects.get(pk=user.pk)


def complete_answers(**information: str) -> Answers:
    """Something for every question that must be answered."""
    found = {section.name: {each.name: _some(each) for each in section.questions if each.required} for section in TEN}
    found["information"].update(information)
    return found


def _some(question: Question) -> Any:
    if question.kind == Kind.FLAG:
        return True
    if question.kind == Kind.CHOICE:
        return question.choices[0][0]
    return [question.choices[0][0]] if question.kind == Kind.CHOICES else f"About {question.name}"


def draft(actor: User, title: str = "Quantum weather", **options: Any) -> Application:
    return services.start_application(actor=actor, title=title, answers=complete_answers(title=title), **options)


def submitted(actor: User, title: str = "Quantum weather") -> Application:
    return services.submit_application(actor=actor, application=draft(actor, title))


def change(actor: User, project: Project, **details: str) -> Application:
    answers = {"reason": {"text": "We learned more."}, "details": details}
    application = services.start_application(actor=actor, kind=ApplicationKind.CHANGE, project=project, answers=answers)
    return services.submit_application(actor=actor, application=application)


def renewal(actor: User, project: Project, ends_at: str) -> Application:
    answers = {"renewal": {"ends_at": ends_at, "reason": "There is more to measure."}}
    application = services.start_application(
        actor=actor, kind=ApplicationKind.RENEWAL, project=project, answers=answers
    )
    return services.submit_application(actor=actor, application=application)


def allocation(actor: User, project: Project, *limits: dict[str, Any]) -> Application:
    answers = {"allocation": {"limits": list(limits), "reason": "The runs are large."}}
    application = services.start_application(
        actor=actor, kind=ApplicationKind.ALLOCATION, project=project, answers=answers
    )
    return services.submit_application(actor=actor, application=application)


def approve(application: Application, *reviewers: User, **granted: Any) -> Application:
    """Each votes for it, the last decides."""
    for each in reviewers:
        services.review_application(actor=each, application=application, vote="approve")
    return services.decide_application(actor=reviewers[-1], application=application, decision="approve", **granted)
