"""The members of a project, and everything that makes one a member."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.views import Signed
from activity.views import needs
from cloudmesh.errors import Invalid, NotFound
from projects import access, services
from projects.models import Invitation, JoinRequest, Membership, Project, RequestState, Role
from projects.services.invitations import DAYS, MOST_DAYS, MOST_USES, USES
from projects.views.lists import Filter, Listing, answer, dress
from projects.views.projects import about, project_of

MOST = 100  # invitations and requests that are shown


@needs("member.view")
class MemberList(Listing):
    model = Membership
    template_name = "projects/project_members.html"
    name = "members"
    words = ("user__username", "user__first_name", "user__last_name")
    orders = {"name": ["user__username"], "role": ["role", "user__username"], "joined": ["joined_at"]}
    usual = ("user__username", "pk")
    project: Project

    def get(self, request: Signed, name: str = "") -> HttpResponse:
        self.project = project_of(request, name, "member.view")
        return super().get(request)

    def filters(self) -> Iterable[Filter]:
        yield Filter(name="role", label="Role", choices=Role.choices, where=lambda role: Q(role=role))

    def records(self) -> QuerySet[Any]:
        return self.project.memberships.select_related("user")

    def rows(self, records: list[Any]) -> list[Any]:
        actor, project = self.request.user, self.project
        roles = access.grantable(actor, project)
        able = {role.value: not access.why_not(actor, access.staffing(role), project) for role in Role}
        return [
            dress(each, choices=roles if able[each.role] else [], is_me=each.user_id == actor.pk) for each in records
        ]

    def context(self) -> dict[str, Any]:
        grantable = [role for role in access.grantable(self.request.user, self.project) if access.works(role)]
        offers = {"days": DAYS, "most_days": MOST_DAYS, "uses": USES, "most_uses": MOST_USES}
        return about(self.request, self.project) | {"tab": "members", "grantable": grantable, **offers}


@needs("member.manage")
@require_safe
def member_waiting(request: Signed, name: str) -> HttpResponse:
    """Who asks to come in and who is invited: a part of the members' page."""
    project = project_of(request, name, "member.manage")
    asked = JoinRequest.objects.filter(project=project, state=RequestState.OPEN).select_related("user")
    context = {
        "project": project,
        "requests": asked.order_by("created_at")[:MOST],
        "invitations": services.open_invitations(project).select_related("invited_by")[:MOST],
        "grantable": [role for role in access.grantable(request.user, project) if access.works(role)],
    }
    return render(request, "projects/_waiting.html", context)


# -- what is done to members -----------------------------------------------------------------------------------


@needs("member.manage")
@require_POST
def member_add(request: Signed, name: str) -> HttpResponse:
    project = project_of(request, name, "member.manage")
    role = request.POST.get("role", "") or access.LINKED
    user = services.find_user(request.POST.get("user", ""))
    services.add_member(actor=request.user, project=project, user=user, role=role)
    return _done(request, project, f"{user} is {role} now")


@needs("member.manage")
@require_POST
def member_role(request: Signed, name: str, pk: uuid.UUID) -> HttpResponse:
    project = project_of(request, name, "member.manage")
    member, role = _member(project, pk), request.POST.get("role", "")
    services.change_role(actor=request.user, project=project, user=member.user, role=role)
    return _done(request, project, f"{member.user} is {role} now")


@needs("member.manage")
@require_POST
def member_remove(request: Signed, name: str, pk: uuid.UUID) -> HttpResponse:
    project = project_of(request, name, "member.manage")
    member = _member(project, pk)
    services.remove_member(actor=request.user, project=project, user=member.user)
    return _done(request, project, f"{member.user} is removed")


# -- invitations and requests ----------------------------------------------------------------------------------


@needs("member.manage")
@require_POST
def project_invite(request: Signed, name: str) -> HttpResponse:
    project = project_of(request, name, "member.manage")
    email, role = request.POST.get("email", ""), request.POST.get("role", "") or access.LINKED
    days = whole(request, "days", DAYS)
    made = services.invite(actor=request.user, project=project, email=email, role=role, days=days)
    return _done(request, project, f"An invitation is on its way to {made.email}")


@needs("member.manage")
@require_POST
def project_link(request: Signed, name: str) -> HttpResponse:
    """A new join link; its address is in this answer and nowhere else."""
    project = project_of(request, name, "member.manage")
    uses, days = whole(request, "uses", USES), whole(request, "days", DAYS)
    made, link = services.make_link(actor=request.user, project=project, uses=uses, days=days)
    return render(request, "projects/_link.html", {"invitation": made, "link": link})


@needs("member.manage")
@require_POST
def invitation_revoke(request: Signed, pk: uuid.UUID) -> HttpResponse:
    made = access.fetch(Invitation, pk, actor=request.user, permission="member.manage")
    services.revoke_invitation(actor=request.user, invitation=made)
    return _done(request, made.project, "The invitation is taken back")


@needs("member.manage")
@require_POST
def request_accept(request: Signed, pk: uuid.UUID) -> HttpResponse:
    asked = access.fetch(JoinRequest, pk, actor=request.user, permission="member.manage")
    role = request.POST.get("role", "") or access.LINKED
    services.accept_request(actor=request.user, asked=asked, role=role)
    return _done(request, asked.project, f"{asked.user} is {role} now")


@needs("member.manage")
@require_POST
def request_refuse(request: Signed, pk: uuid.UUID) -> HttpResponse:
    asked = access.fetch(JoinRequest, pk, actor=request.user, permission="member.manage")
    services.refuse_request(actor=request.user, asked=asked, reason=request.POST.get("reason", ""))
    return _done(request, asked.project, f"{asked.user} is told no")


# -- what they share -------------------------------------------------------------------------------------------


def whole(request: Signed, name: str, usual: int) -> int:
    text = request.POST.get(name, "").strip()
    if not text:
        return usual
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise Invalid(f"{name} is a whole number, not {text[:20]!r}.", field=name)
    return int(text)


def _member(project: Project, pk: uuid.UUID) -> Membership:
    member = project.memberships.select_related("user").filter(user=pk).first()
    if member is None:
        raise NotFound("That person is not in this project any more.")
    return member


def _done(request: Signed, project: Project, title: str) -> HttpResponse:
    return answer(request, title, back=reverse("projects:project-members", args=[project.name]))
