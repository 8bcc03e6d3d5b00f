"""The course of a project: what it asked of the committee, what it may ask next, and how it ends."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.views import Signed
from activity.views import needs
from projects import access, services
from projects.models import Application, ApplicationKind, Project, ProjectState
from projects.services.applications import STATES_FOR
from projects.views.lists import Listing, answer
from projects.views.projects import about, project_of

GOING = (ProjectState.ACTIVE, ProjectState.EXPIRED)


@needs("application.list")
class ProjectApplications(Listing):
    model = Application
    template_name = "projects/project_applications.html"
    name = "applications"
    usual = ("-created_at", "-pk")
    project: Project

    def get(self, request: Signed, name: str = "") -> HttpResponse:
        self.project = project_of(request, name, "application.list")
        return super().get(request)

    def records(self) -> QuerySet[Any]:
        return super().records().filter(project=self.project).select_related("applicant", "project")

    def context(self) -> dict[str, Any]:
        actor, project = self.request.user, self.project
        may_edit = not access.why_not(actor, "application.edit", project)
        may_block = access.may(actor, "project.block")
        asks = [kind for kind in ApplicationKind if may_edit and project.state in STATES_FOR[kind]]
        return about(self.request, project) | {
            "tab": "applications",
            "asks": [(kind.value, kind.label) for kind in asks if kind != ApplicationKind.NEW],
            "may_complete": not access.why_not(actor, "project.complete", project) and project.state in GOING,
            "may_block": may_block and project.state == ProjectState.ACTIVE,
            "may_unblock": may_block and project.state == ProjectState.BLOCKED,
        }


@needs("project.complete")
@require_POST
def project_complete(request: Signed, name: str) -> HttpResponse:
    project = project_of(request, name, "project.complete")
    services.complete_project(actor=request.user, project=project, reason=request.POST.get("reason", ""))
    return answer(request, f"{project} is completed", back=_page(project))


@needs("project.block")
@require_POST
def project_block(request: Signed, name: str) -> HttpResponse:
    project = project_of(request, name, "project.block")
    services.block_project(actor=request.user, project=project, reason=request.POST.get("reason", ""))
    return answer(request, f"{project} is blocked", back=_page(project))


@needs("project.block")
@require_POST
def project_unblock(request: Signed, name: str) -> HttpResponse:
    project = project_of(request, name, "project.block")
    services.unblock_project(actor=request.user, project=project)
    return answer(request, f"{project} goes on", back=_page(project))


def _page(project: Project) -> str:
    return reverse("projects:project-applications", args=[project.name])
