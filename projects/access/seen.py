"""Who sees what: one SQL predicate for each model."""

from collections.abc import Callable
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from accounts.models import AccountState, SshKey, User, Webhook
from activity.models import Event
from projects.access.people import is_reviewer, led_by, may, projects_of, sees_all
from projects.models import (
    Application,
    ApplicationState,
    Invitation,
    JoinRequest,
    Membership,
    Policy,
    PolicyState,
    Project,
    ProjectState,
    Remark,
    Review,
)

#: One's own that an API token of one project sees too, since it works with it.
TOOLS = frozenset({SshKey})
Found = TypeVar("Found", bound=Model)


def seen(*models: type[Model]) -> Callable[[Callable[[User], Q]], Callable[[User], Q]]:
    """Have records of these models seen by whom the function says."""

    def register(predicate: Callable[[User], Q]) -> Callable[[User], Q]:
        SEEN.update(dict.fromkeys(models, predicate))
        return predicate

    return register


def visible(model: type[Found], actor: User) -> QuerySet[Found]:
    """The records of `model` that `actor` may see; one predicate for web, API, live, export and search."""
    records = model._default_manager.all()
    return records.filter(predicate(model, actor)) if actor.is_active else records.none()


def predicate(model: type[Model], actor: User) -> Q:
    own = getattr(model, "USER_PATH", "")
    if own:
        return Q(**{own: actor.pk}) if actor.only_project is None or model in TOOLS else NOTHING
    if model in SEEN:
        return SEEN[model](actor)
    if sees_all(actor):
        return Q()
    return Q(**{f"{model.PROJECT_PATH}__in": projects_of(actor)})  # type: ignore[attr-defined]


NOTHING = Q(pk__in=())


def _seen_events(actor: User) -> Q:
    """Those of one's projects and of oneself."""
    if sees_all(actor):
        return Q()
    mine = Q(project_id__in=projects_of(actor))
    return mine if actor.only_project else mine | Q(topic=actor.topic)


def _seen_users(actor: User) -> Q:
    """Oneself and those one works with; staff see all."""
    if sees_all(actor) or is_reviewer(actor):
        return Q()
    return Q(pk=actor.pk) | Q(memberships__project__in=projects_of(actor), state=AccountState.ACTIVE)


def _seen_projects(actor: User) -> Q:
    """Those where one works or applies; reviewers see what was submitted too."""
    if sees_all(actor):
        return Q()
    mine = Q(pk__in=projects_of(actor)) | Q(pk__in=_applications_of(actor).values("project"))
    return mine | ~Q(state=ProjectState.DRAFT) if is_reviewer(actor) else mine


def _seen_applications(actor: User) -> Q:
    if sees_all(actor):
        return Q()
    mine = Q(pk__in=_applications_of(actor)) | Q(project__in=led_by(actor))
    return mine | ~Q(state=ApplicationState.DRAFT) if is_reviewer(actor) else mine


def _seen_reviews(actor: User) -> Q:
    """The committee's own; applicants read remarks and the reason of a decision, be they reviewers or not."""
    return ~_about_own(actor) if sees_all(actor) or is_reviewer(actor) else Q(pk=None)


def _seen_remarks(actor: User) -> Q:
    if sees_all(actor) or is_reviewer(actor):
        return Q(is_internal=False) | ~_about_own(actor)
    return Q(is_internal=False, application__in=Application.objects.filter(_seen_applications(actor)))


def _about_own(actor: User) -> Q:
    """What is said of an application of one's own, or of a project where one is or was something."""
    mine = Membership.objects.filter(user=actor.pk).values("project")
    return Q(application__applicant=actor.pk) | Q(application__project__in=mine)


def _seen_invitations(actor: User) -> Q:
    return Q() if sees_all(actor) else Q(project__in=led_by(actor))


def _seen_requests(actor: User) -> Q:
    """One's own, and those to the projects that one leads."""
    if sees_all(actor):
        return Q()
    asked = Q(project__in=led_by(actor))
    return asked if actor.only_project else asked | Q(user=actor.pk)


def _seen_policies(actor: User) -> Q:
    return Q() if may(actor, "policy.view") else Q(state=PolicyState.APPROVED)


SEEN: dict[type[Model], Callable[[User], Q]] = {
    Event: _seen_events,
    User: _seen_users,
    Project: _seen_projects,
    Invitation: _seen_invitations,
    JoinRequest: _seen_requests,
    Application: _seen_applications,
    Review: _seen_reviews,
    Remark: _seen_remarks,
    Policy: _seen_policies,
    Webhook: lambda actor: NOTHING if actor.only_project else Q(owner=actor.pk),
}


def _applications_of(actor: User) -> QuerySet[Application]:
    mine = Application.objects.filter(applicant=actor.pk)
    return mine.filter(project=actor.only_project) if actor.only_project else mine


def joinable(actor: User) -> QuerySet[Project]:
    """The active projects that `actor` may ask to be let into: name and title are told, nothing else."""
    if not actor.is_active or actor.only_project:
        return Project.objects.none()
    return Project.objects.filter(join_open=True, state=ProjectState.ACTIVE).exclude(pk__in=projects_of(actor))


def hears(actor: User) -> frozenset[str]:
    """The topics that `actor` may follow live: their own, and those of the projects that they may see.

    `users` and `projects` stand for all topics of that kind; only staff hear them.
    """
    if not actor.is_active:
        return frozenset()
    projects = visible(Project, actor).values_list("pk", flat=True)
    everything = {"users", "projects"} if sees_all(actor) or is_reviewer(actor) else set()
    own = set() if actor.only_project else {actor.topic}
    return frozenset({"portal", *own, *everything, *(f"project:{pk}" for pk in projects)})
