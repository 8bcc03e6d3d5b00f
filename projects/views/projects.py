"""Projects: those where one works, those that one may ask to join, and a page for each."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.views import Signed
from activity.models import Event
from activity.views import SIGNED, needs
from projects import access, services
from projects.models import (
    ApplicationKind,
    JoinRequest,
    Membership,
    Project,
    ProjectState,
    RequestState,
    Role,
    Span,
)
from projects.services.questions import Kind, Section
from projects.services.sections import sections_of
from projects.views.lists import Filter, Listing, answer, dress, is_htmx

#: What a state means for those who work in the project.
MEANINGS: Mapping[str, str] = {
    ProjectState.DRAFT: "Its application is being written. Nothing can be used yet.",
    ProjectState.PENDING: "Its application waits for the committee. Nothing can be used yet.",
    ProjectState.ACTIVE: "Its members can use what it has.",
    ProjectState.COMPLETED: "It has ended as planned. It can be looked at; nothing can be changed in it.",
    ProjectState.DENIED: "Its application was denied.",
    ProjectState.BLOCKED: "The portal's staff stopped it. It can be looked at; nothing can be changed in it.",
    ProjectState.EXPIRED: "Its end date has passed. Nothing can be changed in it until it is renewed.",
}
INVITATIONS = 10  # to oneself, above the list
RECENT = 8  # events on the first page


@dataclasses.dataclass(frozen=True)
class Tab:
    label: str
    url: str
    name: str


# -- the list --------------------------------------------------------------------------------------------------


@needs(SIGNED)
class ProjectList(Listing):
    model = Project
    template_name = "projects/project_list.html"
    name = "projects"
    words = ("name", "title")
    orders = {"name": ["name"], "title": ["title"], "state": ["state"], "ends_at": ["ends_at"]}
    usual = ("name", "pk")

    def filters(self) -> Iterable[Filter]:
        states = [(state.value, state.label) for state in ProjectState]
        yield Filter(name="state", label="State", choices=states, where=lambda state: Q(state=state))
        yield Filter(name="role", label="Role", choices=Role.choices, where=self._of_role)

    def _of_role(self, role: str) -> Q:
        mine = Membership.objects.filter(user=self.request.user, role=role)
        return Q(pk__in=mine.values("project"))

    def records(self) -> QuerySet[Any]:
        counts = {"member_count": Membership.objects.all(), "running": Span.objects.filter(ends_at=None)}
        counted = {name: _count(records) for name, records in counts.items()}
        mine: QuerySet[Project] = access.visible(Project, self.request.user).defer("details")
        return mine.annotate(**counted)

    def rows(self, records: list[Any]) -> list[Any]:
        return shown(self.request.user, records)

    def context(self) -> dict[str, Any]:
        pages = (("All" if access.is_staff(self.request.user) else "Mine", "list"), ("Open to join", "open"))
        tabs = [Tab(label, reverse(f"projects:project-{name}"), name) for label, name in pages]
        return {"tabs": tabs, "tab": "list", "invitations": services.invitations_for(self.request.user)[:INVITATIONS]}


@needs(SIGNED)
class OpenProjects(ProjectList):
    """Those that one may ask to be let into."""

    def filters(self) -> Iterable[Filter]:
        return ()

    def records(self) -> QuerySet[Any]:
        asked = JoinRequest.objects.filter(project=OuterRef("pk"), user=self.request.user, state=RequestState.OPEN)
        return access.joinable(self.request.user).defer("details").annotate(asked=Exists(asked))

    def rows(self, records: list[Any]) -> list[Any]:
        return records

    def context(self) -> dict[str, Any]:
        return super().context() | {"tab": "open", "is_open": True, "invitations": []}


def shown(actor: User, projects: Sequence[Project]) -> list[Project]:
    """Projects with what their reader is in them and may do."""
    roles = access.roles(actor)
    return [
        dress(
            project,
            role=roles.get(project.pk, ""),
            is_default=access.works_in(actor, project),
            may_use=project in access.workplaces(actor)[1:],
            may_view=not access.why_not(actor, "project.view", project),
        )
        for project in projects
    ]


def _count(records: QuerySet[Any]) -> Coalesce:
    """How many of `records` there are in each project; counted for the rows of a page alone."""
    there = records.filter(project=OuterRef("pk")).order_by().values("project")
    return Coalesce(Subquery(there.annotate(count=Count("pk")).values("count")), 0)


# -- one project -----------------------------------------------------------------------------------------------


def about(request: Signed, project: Project) -> dict[str, Any]:
    """What all pages of a project show around their own."""
    actor = request.user
    may_manage = not access.why_not(actor, "project.manage", project)
    pages = [("Overview", "detail"), ("Members", "members"), ("Activity", "activity")]
    pages += [] if access.why_not(actor, "usage.view", project) else [("Usage", "usage"), ("Quotas", "quotas")]
    pages += [] if access.why_not(actor, "application.view", project) else [("Applications", "applications")]
    pages += [("Settings", "settings")] if may_manage else []
    return {
        "project": project,
        "role": access.roles(actor).get(project.pk, ""),
        "is_default": access.works_in(actor, project),
        "may_manage": may_manage,
        "may_staff": not access.why_not(actor, "member.manage", project),
        "tabs": [Tab(label, reverse(f"projects:project-{name}", args=[project.name]), name) for label, name in pages],
    }


def project_of(request: Signed, name: str, permission: str = "project.view") -> Project:
    """The project of a page, by name or id. Raises NotFound, NotAllowed."""
    return access.project_named(request.user, name, permission=permission)


@needs("project.view")
@require_safe
def project_detail(request: Signed, name: str) -> HttpResponse:
    project = project_of(request, name)
    events = access.visible(Event, request.user).filter(project_id=project.pk)
    context = about(request, project) | {
        "tab": "detail",
        "meaning": MEANINGS[ProjectState(project.state)],
        "sections": _details(project),
        "leaders": access.leaders(project).order_by("username")[:10],
        "member_count": project.memberships.count(),
        "events": events.exclude(verb="progress").order_by("-pk")[:RECENT],
    }
    return render(request, "projects/project_detail.html", context)


def _details(project: Project) -> list[tuple[Section, list[dict[str, Any]]]]:
    """What was approved and is answered, section by section."""
    said = project.details
    found = [(each, _told(each, said.get(each.name, {}))) for each in sections_of(ApplicationKind.NEW)]
    return [(section, rows) for section, rows in found if rows]


def _told(section: Section, answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "label": question.label,
            "text": question.shown(answers[question.name]),
            "is_long": question.kind == Kind.LINES,
        }
        for question in section.questions
        if answers.get(question.name) and question.kind != Kind.FLAG
    ]


@needs("event.view")
class ProjectActivity(Listing):
    model = Event
    template_name = "projects/project_activity.html"
    name = "events"
    words = ("name", "verb", "reason", "actor_name")
    usual = ("-pk",)
    project: Project

    def get(self, request: Signed, name: str = "") -> HttpResponse:
        self.project = project_of(request, name, "event.view")
        return super().get(request)

    def records(self) -> QuerySet[Any]:
        return super().records().filter(project_id=self.project.pk).exclude(verb="progress")

    def context(self) -> dict[str, Any]:
        return about(self.request, self.project) | {"tab": "activity"}


@needs("project.manage")
class ProjectSettings(View):
    def get(self, request: Signed, name: str) -> HttpResponse:
        project = project_of(request, name, "project.manage")
        return render(request, "projects/project_settings.html", about(request, project) | {"tab": "settings"})

    def post(self, request: Signed, name: str) -> HttpResponse:
        project = project_of(request, name, "project.manage")
        title = request.POST.get("title", "")[:200]
        services.change_project(actor=request.user, project=project, title=title, join_open="join_open" in request.POST)
        return answer(request, "Saved", back=reverse("projects:project-settings", args=[project.name]))


@needs("project.view")
@require_POST
def project_use(request: Signed, name: str) -> HttpResponse:
    """Work in this project from now on."""
    project = project_of(request, name)
    services.select_project(actor=request.user, project=project)
    url = reverse("projects:project-detail", args=[project.name])
    return HttpResponse(status=204, headers={"HX-Redirect": url}) if is_htmx(request) else redirect(url)


@needs("project.view")
@require_POST
def project_leave(request: Signed, name: str) -> HttpResponse:
    project = project_of(request, name)
    services.leave_project(actor=request.user, project=project)
    url = reverse("projects:project-list")
    return HttpResponse(status=204, headers={"HX-Redirect": url}) if is_htmx(request) else redirect(url)
