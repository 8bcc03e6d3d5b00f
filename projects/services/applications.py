"""What applicants do: begin an application, keep drafts of it, submit it, talk with the committee, take it back."""

import itertools
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import NoticeKind, User
from accounts.services import notify
from activity import lifecycle
from cloudmesh.errors import Conflict, Invalid, NotAllowed
from projects import access
from projects.models import (
    Application,
    ApplicationKind,
    ApplicationState,
    Project,
    ProjectState,
    Remark,
    Role,
)
from projects.services import questions
from projects.services.answers import check_complete, kept
from projects.services.members import give_role
from projects.services.questions import Answers
from projects.services.sections import sections_of

COMMITTEE = "projects"  # the topic that reviewers and other staff hear, and applicants do not
OPEN = (ApplicationState.DRAFT, ApplicationState.SUBMITTED, ApplicationState.RETURNED)
EDITABLE = (ApplicationState.DRAFT, ApplicationState.RETURNED)
DRAFTS = 10  # that one person may have open for new projects
#: What a project must be for each kind of application about one that is there already.
STATES_FOR: Mapping[str, tuple[ProjectState, ...]] = {
    ApplicationKind.NEW: (ProjectState.DRAFT, ProjectState.DENIED),
    ApplicationKind.CHANGE: (ProjectState.ACTIVE,),
    ApplicationKind.RENEWAL: (ProjectState.ACTIVE, ProjectState.EXPIRED, ProjectState.COMPLETED),
    ApplicationKind.ALLOCATION: (ProjectState.ACTIVE,),
}


# -- beginning, keeping, submitting, taking back ---------------------------------------------------------------


@transaction.atomic
def start_application(
    *,
    actor: User,
    kind: str = ApplicationKind.NEW,
    project: Project | None = None,
    title: str = "",
    name: str = "",
    answers: Mapping[str, Any] | None = None,
) -> Application:
    """A new draft: for a project to be, or for a change, a renewal or an allocation of one that is there.

    A new project is called `name`, or after its `title`. Raises Invalid, NotAllowed, Conflict.
    """
    given = questions.read(sections_of(kind), answers or {})
    if kind == ApplicationKind.NEW:
        title = title.strip() or given.get("information", {}).get("title", "")
        project, known = _again(actor, project) if project else (_begin_project(actor, title, name), {})
        given = questions.merged(known or {"information": {"title": title}}, given)
    elif project is None:
        raise Invalid(f"Say which project the {kind} is for.", field="project")
    access.require(actor, "application.edit", project)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    _check_state(kind, project)
    if other := Application.objects.filter(project=project, kind=kind, state__in=OPEN).first():
        raise Conflict(
            f"There is an open application already ({other}, {other.state}). Go on with that one, or withdraw it.",
            ids=[str(other.pk)],
        )
    draft = Application(kind=kind, project=project, applicant=actor, state=ApplicationState.DRAFT)
    draft.answers = kept(draft, given)
    return lifecycle.begin([draft], actor=actor)[0]


@transaction.atomic
def save_draft(
    *, actor: User, application: Application, answers: Mapping[str, Any], version: int | None = None
) -> Application:
    """Keep answers, complete or not; what is not spoken of stays. `version` is that which the actor had before them.

    Raises NotAllowed, Invalid, Conflict.
    """
    access.require(actor, "application.edit", application.project, owner_id=application.owner_id)
    hold(application)
    _check_editable(application)
    given = questions.read(sections_of(application.kind), answers)
    news = kept(application, questions.merged(application.answers, given))
    if news == application.answers:
        return application
    if version is not None and version != application.version:
        raise Conflict(
            f"Somebody else saved this application meanwhile (version {application.version}, you have {version}). "
            "Load it again, so that nothing of theirs is lost, and repeat your last answer.",
            version=application.version,
        )
    lifecycle.change(application, actor=actor, verb="saved", answers=news)
    _retitle(application, actor)
    return application


@transaction.atomic
def submit_application(*, actor: User, application: Application) -> Application:
    """Hand a draft in; each time begins a new round of votes. Raises Invalid that names all that is missing."""
    access.require(actor, "application.edit", application.project, owner_id=application.owner_id)
    hold(application)
    _check_editable(application)
    project = application.project
    if application.kind != ApplicationKind.NEW or application.state == ApplicationState.DRAFT:
        _check_state(application.kind, project)
    check_complete(application)
    if project.state in STATES_FOR[ApplicationKind.NEW]:
        lifecycle.transition(project, ProjectState.PENDING, actor=actor)
    lifecycle.transition(
        application,
        ApplicationState.SUBMITTED,
        actor=actor,
        submitted_at=timezone.now(),
        round=application.round + 1,
    )
    _tell_committee(application, actor)
    return application


@transaction.atomic
def withdraw_application(*, actor: User, application: Application, reason: str = "") -> Application:
    """Take an application back, whether it was submitted or not. Raises NotAllowed, Conflict."""
    access.require(actor, "application.edit", application.project, owner_id=application.owner_id)
    hold(application)
    if application.state not in OPEN:
        raise Conflict(f"{application} is {application.state}; there is nothing to take back.")
    lifecycle.transition(application, ApplicationState.WITHDRAWN, actor=actor, reason=reason.strip()[:2000])
    if application.kind == ApplicationKind.NEW and application.project.state == ProjectState.PENDING:
        lifecycle.transition(application.project, ProjectState.DRAFT, actor=actor)
    whisper(application, "withdrawn", actor=actor)
    return application


@transaction.atomic
def remark(*, actor: User, application: Application, text: str, is_internal: bool = False) -> Remark:
    """Ask or answer something about an application; internal ones stay among reviewers. Raises NotAllowed, Invalid."""
    is_theirs = (
        not access.why_not(actor, "application.answer", application.project, owner_id=application.owner_id)
        and not is_internal
    )
    if not is_theirs:
        access.require_portal(actor, "application.review")
    text = text.replace("\0", "").strip()
    if not 0 < len(text) <= 8000:
        raise Invalid(f"A remark has 1 to 8000 characters; this one has {len(text)}.", field="text")
    if application.state == ApplicationState.DRAFT:
        raise Conflict("Nobody but you reads a draft. Submit it first.")
    said = Remark.objects.create(application=application, author=actor, text=text, is_internal=is_internal)
    if is_internal:
        whisper(application, "remarked", actor=actor)
        return said
    tell(application, "remarked", actor=actor)
    _tell_others(application, actor, text)
    return said


# -- for the committee's half -----------------------------------------------------------------------------------


def hold(application: Application) -> None:
    """Lock an application until the transaction ends, and bring it and its project up to date."""
    Application.objects.select_for_update(no_key=True).get(pk=application.pk)
    application.refresh_from_db()


def whisper(application: Application, verb: str, *, actor: User) -> None:
    """Let the committee's open pages know; nobody else hears it."""
    lifecycle.note(
        kind=Application.KIND,
        verb=verb,
        topic=COMMITTEE,
        object_id=application.pk,
        name=str(application),
        actor=actor,
    )


def tell(application: Application, verb: str, *, actor: User) -> None:
    """Let the open pages of applicants and committee know of something that changed no state."""
    lifecycle.note(
        kind=Application.KIND,
        verb=verb,
        topic=application.topic,
        object_id=application.pk,
        name=str(application),
        project_id=application.project_id,
        actor=actor,
    )


def concerned(application: Application) -> list[User]:
    """The applicant and whoever leads the project."""
    return [application.applicant, *access.leaders(application.project)]


def check_project(application: Application) -> None:
    """Raises Conflict when its project is no longer what the application was about."""
    wanted = (ProjectState.PENDING,) if application.kind == ApplicationKind.NEW else STATES_FOR[application.kind]
    if application.project.state not in wanted:
        raise Conflict(
            f"The project {application.project} is {application.project.state} by now, which an application for a "
            f"{application.get_kind_display().lower()} cannot follow. Deny it, or return it to the applicant."
        )


# -- inside ------------------------------------------------------------------------------------------------------


def _begin_project(actor: User, title: str, name: str) -> Project:
    """A draft that `actor` leads, under a name that nobody has."""
    if actor.only_project:
        raise NotAllowed("This API token is for one project; apply for another one with a token that is for all.")
    if not title:
        raise Invalid("A project needs a title.", field="title")
    if Application.objects.filter(applicant=actor, kind=ApplicationKind.NEW, state__in=OPEN).count() >= DRAFTS:
        raise Conflict(f"You have {DRAFTS} open applications for projects. Submit or withdraw some of them first.")
    project = _named(title[:200], _slug(name or title), actor, exactly=bool(name))
    give_role(project=project, user=actor, role=Role.LEAD, actor=actor)
    return project


def _named(title: str, stem: str, actor: User, *, exactly: bool) -> Project:
    for number in itertools.count(1):
        name = stem if number == 1 else f"{stem[:36]}-{number}"
        if Project.objects.filter(name=name).exists():
            if exactly:
                raise Conflict(f"There is a project named {name!r} already. Choose another name.", field="name")
            continue
        try:
            with transaction.atomic():
                return lifecycle.begin([Project(name=name, title=title, state=ProjectState.DRAFT)], actor=actor)[0]
        except IntegrityError:  # somebody took the name just now
            continue
    raise AssertionError("numbers do not end")


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-") or "project"


def _again(actor: User, project: Project) -> tuple[Project, Answers]:
    """Apply once more for a project that was withdrawn or denied, with the answers of the last time."""
    last = Application.objects.filter(project=project, kind=ApplicationKind.NEW).first()
    return project, questions.merged({}, last.answers) if last else {}


def _check_editable(application: Application) -> None:
    if application.state not in EDITABLE:
        raise Conflict(
            f"{application} is {application.state}; answers change only in a draft, or when it was returned."
        )


def _check_state(kind: str, project: Project) -> None:
    wanted = STATES_FOR[ApplicationKind(kind)]
    if project.state not in wanted:
        label = ApplicationKind(kind).label.lower()
        raise Conflict(
            f"The project {project} is {project.state}; an application for a {label} needs one that is "
            f"{' or '.join(wanted)}.",
            state=project.state,
        )


def _retitle(application: Application, actor: User) -> None:
    """A project that is not yet is called what its application calls it."""
    title = application.answers.get("information", {}).get("title", "")
    if application.kind == ApplicationKind.NEW and title and title != application.project.title:
        lifecycle.change(application.project, actor=actor, title=title)


def _tell_committee(application: Application, actor: User) -> None:
    whisper(application, "submitted", actor=actor)
    again = f", round {application.round}" if application.round > 1 else ""
    notify(
        access.staff("application.review").exclude(pk__in=[actor.pk, application.applicant_id]),
        kind=NoticeKind.APPLICATION,
        title=f"{application} waits for reviews{again}",
        text=f"{actor} submitted it: {application.project.title}",
        url=reverse("projects:committee-review", args=[application.pk]),
    )


def _tell_others(application: Application, actor: User, text: str) -> None:
    """A remark goes to the other side: the applicant's to those who take part in the review, theirs to applicants."""
    people = {user.pk: user for user in concerned(application)}
    if actor.pk in people:
        spoke = Q(pk__in=application.reviews.values("reviewer")) | Q(pk__in=application.remarks.values("author"))
        to, page = list(User.objects.filter(spoke).exclude(pk__in=people)), "projects:committee-review"
    else:
        to, page = list(people.values()), "projects:application-detail"
    notify(
        [user for user in to if user.pk != actor.pk],
        kind=NoticeKind.APPLICATION,
        title=f"{actor} wrote about {application}",
        text=text,
        url=reverse(page, args=[application.pk]),
    )
