"""Wishes as pages: what is under way, how far it is, taking it back, trying it again, and deciding about it."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from activity.models import Event
from activity.views import SIGNED, needs
from operations import services
from operations.models import Operation, OperationState
from projects import access
from projects.views import Filter, Listing, Signed, answer, dress, owner_filter, project_filter

STEPS = 60  # of one operation that its page shows
PARTS = 200
HEAVY = ("params", "result")


@needs(SIGNED)
class OperationList(Listing):
    model = Operation
    template_name = "operations/operation_list.html"
    name = "operations"
    words = ("target_name", "kind", "step", "state_reason")
    orders = {"kind": ["kind", "target_name"], "state": ["state"], "created_at": ["created_at"]}
    usual = ("-created_at", "-pk")

    def filters(self) -> Iterable[Filter]:
        states = [(state, str(label).lower()) for state, label in OperationState.choices]
        yield Filter(name="state", label="State", choices=states, where=lambda state: Q(state=state))
        yield owner_filter(self.request.user)
        yield project_filter(self.request.user)

    def records(self) -> QuerySet[Any]:
        return visible(self.request.user).filter(parent=None)

    def rows(self, records: list[Any]) -> list[Any]:
        return shown(self.request.user, records)


@needs("operation.view")
@require_safe
def row(request: Signed, pk: uuid.UUID) -> HttpResponse:
    operation = visible(request.user).filter(pk=pk).first()
    if operation is None:
        return HttpResponse(status=204)
    return render(request, "operations/_operation_row.html", {"operation": shown(request.user, [operation])[0]})


@needs("operation.view")
@require_safe
def detail(request: Signed, pk: uuid.UUID) -> HttpResponse:
    operation = access.fetch(Operation, pk, actor=request.user, permission="operation.view")
    children = visible(request.user).filter(parent=operation).order_by("created_at", "pk")[:PARTS]
    facts = services.operation_facts([operation])[0]
    context = {
        "operation": dress(shown(request.user, [operation])[0], counts=facts.counts),
        "parent": operation.parent,
        "children": shown(request.user, children),
        "steps": Event.objects.filter(object_id=operation.pk).order_by("-pk")[:STEPS],
        "target": operation.target,
        "decision": facts.decision,
        "next_step": facts.next,
        "may_decide": services.waiting_for(request.user).filter(pk=operation.pk).exists(),
        **_result(services.result_of(operation, actor=request.user)),
    }
    return render(request, "operations/operation_detail.html", context)


def _result(rest: dict[str, Any]) -> dict[str, Any]:
    """What came of it: a text to read, a place to open, and whatever else."""
    return {"log": rest.pop("text", ""), "opens": rest.pop("url", ""), "result": rest}


@needs("operation.cancel")
@require_POST
def cancel(request: Signed, pk: uuid.UUID) -> HttpResponse:
    operation = access.fetch(Operation, pk, actor=request.user, permission="operation.cancel")
    return accepted(request, services.cancel(actor=request.user, operation=operation), "Taken back")


@needs("operation.retry")
@require_POST
def retry(request: Signed, pk: uuid.UUID) -> HttpResponse:
    operation = access.fetch(Operation, pk, actor=request.user, permission="operation.retry")
    return accepted(request, services.retry(actor=request.user, operation=operation), "Trying again")


@needs(SIGNED)
class ApprovalList(Listing):
    """The wishes that wait for somebody's approval, of those that the reader may approve."""

    model = Operation
    template_name = "operations/approval_list.html"
    name = "operations"
    words = ("target_name", "kind", "state_reason", "owner__username", "project__name")
    orders = {"created_at": ["created_at"], "project": ["project__name"], "owner": ["owner__username"]}
    usual = ("created_at", "pk")

    def filters(self) -> Iterable[Filter]:
        yield project_filter(self.request.user)

    def records(self) -> QuerySet[Any]:
        return services.waiting_for(self.request.user).defer("result")


@needs("operation.approve")
@require_POST
def approve(request: Signed, pk: uuid.UUID) -> HttpResponse:
    operation = access.fetch(Operation, pk, actor=request.user, permission="operation.approve")
    operation = services.approve(actor=request.user, operation=operation)
    return accepted(request, operation, f"Approved {operation.target_name}")


@needs("operation.approve")
class Reject(View):
    """Why a wish is refused, and that it is."""

    def get(self, request: Signed, pk: uuid.UUID) -> HttpResponse:
        operation = access.fetch(Operation, pk, actor=request.user, permission="operation.approve")
        return render(request, "operations/_reject_dialog.html", {"operation": operation})

    def post(self, request: Signed, pk: uuid.UUID) -> HttpResponse:
        operation = access.fetch(Operation, pk, actor=request.user, permission="operation.approve")
        reason = request.POST.get("reason", "")
        operation = services.reject(actor=request.user, operation=operation, reason=reason)
        return accepted(request, operation, f"Rejected {operation.target_name}")


def accepted(request: Signed, operation: Operation, title: str, *, back: str = "", detail: str = "") -> HttpResponse:
    """Say what was asked for, with a link to how far it is."""
    url = reverse("operations:detail", args=[operation.pk])
    return answer(request, title, detail=detail, url=url, back=back or url)


def visible(actor: User) -> QuerySet[Operation]:
    """Without what no row shows and would be most of what the database sends."""
    return access.visible(Operation, actor).select_related("project", "owner").defer(*HEAVY)


def shown(actor: User, operations: Iterable[Operation]) -> list[Operation]:
    """Operations with what `actor` may do about each."""
    return [
        dress(
            operation,
            may_cancel=operation.is_open and _may(actor, "operation.cancel", operation),
            may_retry=services.is_repeatable(operation) and _may(actor, "operation.retry", operation),
        )
        for operation in operations
    ]


def _may(actor: User, permission: str, operation: Operation) -> bool:
    return not access.why_not(actor, permission, operation.project, owner_id=operation.owner_id)
