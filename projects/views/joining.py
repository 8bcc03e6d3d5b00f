"""Coming into a project: by asking, or by a link."""

import uuid

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.views import Signed
from activity.views import PUBLIC, SIGNED, needs, told_nobody
from cloudmesh.errors import NotFound
from projects import access, services
from projects.models import JoinRequest, RequestState
from projects.views.lists import answer

LIST = "projects:project-list"


@needs(SIGNED)
class Join(View):
    """A project that is open: what it is called, and a few words to its leaders."""

    def get(self, request: Signed, name: str) -> HttpResponse:
        project = access.first_named(access.joinable(request.user), name, kind="project")
        mine = JoinRequest.objects.filter(project=project, user=request.user)
        context = {
            "project": project,
            "asked": mine.filter(state=RequestState.OPEN).first(),
            "refused": mine.filter(state=RequestState.REFUSED).first(),
        }
        return render(request, "projects/project_join.html", context)

    def post(self, request: Signed, name: str) -> HttpResponse:
        project = access.first_named(access.joinable(request.user), name, kind="project")
        services.ask_to_join(actor=request.user, project=project, text=request.POST.get("text", ""))
        back = reverse("projects:project-join", args=[project.name])
        return answer(request, f"The leaders of {project} are asked", back=back)


@needs(SIGNED)
@require_POST
def request_withdraw(request: Signed, pk: uuid.UUID) -> HttpResponse:
    asked = JoinRequest.objects.filter(user=request.user, pk=pk).select_related("project", "user").first()
    if asked is None:
        raise NotFound("You have not asked for that.")
    services.withdraw_request(actor=request.user, asked=asked)
    return answer(request, f"You do not ask to join {asked.project} any more", back=reverse(LIST))


@needs(PUBLIC)
@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Where a link leads: what it is for, and a button; a mail scanner that opens it joins nothing."""
    found = services.find_invitation(secret)
    user = request.user if isinstance(request.user, User) else None
    if request.method == "POST":
        if user is None:
            return told_nobody(redirect_to_login(request.path))
        membership = services.accept_invitation(actor=user, secret=secret)
        return told_nobody(redirect("projects:project-detail", name=membership.project.name))
    why = services.why_closed(found)
    context = {
        "invitation": found,
        "why": why,
        "is_other": bool(user and found.email and found.email.lower() != user.email.lower()),
        "sign_in": redirect_to_login(request.path).url,
    }
    return told_nobody(render(request, "projects/invitation.html", context, status=410 if why else 200))


@needs(SIGNED)
@require_POST
def invitation_join(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """Join by an invitation that was mailed to one, from the list of projects."""
    membership = services.accept_mailed(actor=request.user, pk=pk)
    return redirect("projects:project-detail", name=membership.project.name)
