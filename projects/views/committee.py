"""The committee's inbox, and the page where one application is read, voted on and decided."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.views import Signed
from activity.views import needs
from projects import access, quota, services
from projects.forms import DecisionForm
from projects.models import Application, ApplicationKind, ApplicationState, Review, Vote
from projects.services.committee import DECIDED, Decision
from projects.views.applications import told
from projects.views.lists import Filter, Listing, answer, dress

MINE, OVER, ALL = "todo", "decided", "all"


@needs("application.review")
class Committee(Listing):
    """What waits for the committee, the oldest first; and what it decided."""

    model = Application
    template_name = "committee/application_list.html"
    name = "applications"
    words = ("project__name", "project__title", "applicant__username")
    orders = {
        "project": ["project__name"],
        "kind": ["kind"],
        "applicant": ["applicant__username"],
        "submitted_at": ["submitted_at"],
        "state": ["state"],
    }
    usual = ("submitted_at", "pk")

    def dispatch(self, request: Any, *args: Any, **options: Any) -> Any:
        access.require_portal(request.user, "application.review")
        return super().dispatch(request, *args, **options)

    def filters(self) -> Iterable[Filter]:
        shows = [(MINE, "Mine to do"), (OVER, "Decided"), (ALL, "All")]
        yield Filter(name="show", label="Open application", choices=shows, where=lambda show: Q())
        yield Filter(name="kind", label="Kind", choices=ApplicationKind.choices, where=lambda kind: Q(kind=kind))

    def records(self) -> QuerySet[Any]:
        actor, show = self.request.user, self._asked("show")
        there = super().records().exclude(state=ApplicationState.DRAFT).select_related("project", "applicant")
        if show == MINE:
            return services.to_do(actor, there)
        if show == OVER:
            there = there.filter(state__in=DECIDED)
        elif show != ALL:
            there = there.filter(state=ApplicationState.SUBMITTED)
        return services.weighed(actor, there)

    def rows(self, records: list[Any]) -> list[Any]:
        actor = self.request.user
        return [dress(application, standing=services.standing(actor, application)) for application in records]

    def context(self) -> dict[str, Any]:
        return {"quorum": settings.COMMITTEE_QUORUM, "show": self._asked("show")}


@needs("application.review")
@require_safe
def review(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """One application, with all that the committee needs to decide it."""
    application = _fetch(request, pk)
    standing = services.standing(request.user, application)
    reviews = access.visible(Review, request.user).filter(application=application).select_related("reviewer")
    context = {
        **told(application, request.user),
        "standing": standing,
        "reviews": reviews.order_by("-round", "at"),
        "mine": next((each for each in reviews if _is_mine(request, each, application)), None),
        "votes": Vote.choices,
        "is_open": application.state == ApplicationState.SUBMITTED,
        "decisions": _decisions(request, application),
        "why_not_undo": services.why_not_undo(request.user, application) if application.state in DECIDED else "no",
        "form": _form(application),
    }
    return render(request, "committee/application_review.html", context)


@needs("application.review")
@require_POST
def vote(request: Signed, pk: uuid.UUID) -> HttpResponse:
    application = _fetch(request, pk)
    wanted, comment = request.POST.get("vote", ""), request.POST.get("comment", "")
    services.review_application(actor=request.user, application=application, vote=wanted, comment=comment)
    return answer(request, "Your vote is kept", back=_page(application))


@needs("application.review")
@require_POST
def remark(request: Signed, pk: uuid.UUID) -> HttpResponse:
    application = _fetch(request, pk)
    is_internal = request.POST.get("is_internal") == "on"
    services.remark(
        actor=request.user, application=application, text=request.POST.get("text", ""), is_internal=is_internal
    )
    return answer(request, "Sent", detail="" if is_internal else "The applicant was told.", back=_page(application))


@needs("project.decide")
@require_POST
def decide(request: Signed, pk: uuid.UUID) -> HttpResponse:
    application = _fetch(request, pk, "project.decide")
    wish = _form(application, request.POST).wish
    services.decide_application(actor=request.user, application=application, **wish)
    return answer(request, f"{application} is {application.state}", back=_page(application))


@needs("project.decide")
@require_POST
def undo(request: Signed, pk: uuid.UUID) -> HttpResponse:
    application = _fetch(request, pk, "project.decide")
    services.undo_decision(actor=request.user, application=application, reason=request.POST.get("reason", ""))
    return answer(request, f"{application} waits for a decision again", back=_page(application))


def _fetch(request: Signed, pk: uuid.UUID, permission: str = "application.review") -> Application:
    return access.fetch(Application, pk, actor=request.user, permission=permission)


def _decisions(request: Signed, application: Application) -> list[dict[str, str]]:
    """The buttons, each with why it cannot be pressed."""
    return [
        {
            "value": decision.value,
            "label": decision.label,
            "why_not": services.why_not_decide(request.user, application, decision),
        }
        for decision in Decision
    ]


def _form(application: Application, data: Any = None) -> DecisionForm:
    is_allocation = application.kind == ApplicationKind.ALLOCATION
    scopes = quota.scopes(quota.measure(application.project)) if is_allocation else ()
    limits = application.answers.get("allocation", {}).get("limits", [])
    return DecisionForm(application.kind, data, scopes=scopes, limits=limits)


def _is_mine(request: Signed, review: Review, application: Application) -> bool:
    return review.reviewer_id == request.user.pk and review.round == application.round


def _page(application: Application) -> str:
    return reverse("projects:committee-review", args=[application.pk])
