"""The staff's pages of policies: all editions, what differs between them, writing one, and deciding about it."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.views import Signed
from activity.models import Event
from activity.views import needs
from cloudmesh.errors import CloudmeshError
from projects import access, services
from projects.forms.policies import PolicyForm
from projects.models import Effect, Policy, PolicyState, SubjectKind
from projects.policy import Decision
from projects.views.lists import Filter, Listing, answer, dress, is_htmx

KINDS = [("cloud", "Clouds"), ("queue", "Queues"), ("machines", "Machines")]
LABELS = {"propose": "Proposed", "approve": "Approved", "return": "Returned", "retire": "Retired"}
STEPS = 40


@needs("policy.view")
class PolicyList(Listing):
    model = Policy
    template_name = "projects/policy_list.html"
    name = "policies"
    words = ("name", "subject", "service", "note")
    orders = {"name": ["name", "-edition"], "state": ["state", "name"], "service": ["service", "name"]}
    usual = ("name", "-edition", "pk")

    def filters(self) -> Iterable[Filter]:
        yield _choices("state", "State", PolicyState.choices)
        yield _choices("effect", "Effect", Effect.choices)
        yield Filter(name="kind", label="Kind", choices=KINDS, where=lambda kind: Q(service__startswith=f"{kind}:"))

    def records(self) -> QuerySet[Any]:
        access.require_portal(self.request.user, "policy.view")
        return super().records().select_related("proposed_by", "approved_by")

    def rows(self, records: list[Any]) -> list[Any]:
        return [shown(policy) for policy in records]

    def context(self) -> dict[str, Any]:
        return {"may_propose": access.may(self.request.user, "policy.propose")}


@needs("policy.view")
@require_safe
def policy_detail(request: Signed, policy: uuid.UUID) -> HttpResponse:
    found = access.fetch(Policy, policy, actor=request.user, permission="policy.view")
    editions = [shown(each) for each in services.editions_of(found.series)]
    against = _against(found, editions, request.GET.get("against", ""))
    context = {
        "policy": dress(shown(found), **_doable(request.user, found)),
        "editions": editions,
        "against": against,
        "changes": services.changes_between(against, found) if against else [],
        "events": Event.objects.filter(object_id=found.pk).order_by("-pk")[:STEPS],
        **check(found.subject_kind, found.subject),
    }
    return render(request, "projects/policy_detail.html", context)


@needs("policy.propose")
class PolicyEdit(View):
    """A new policy, or what an edition says; of one that was approved a new edition is made."""

    def get(
        self, request: Signed, policy: uuid.UUID | None = None, form: PolicyForm | None = None, status: int = 200
    ) -> HttpResponse:
        access.require_portal(request.user, "policy.propose")
        found = _found(request, policy)
        form = form or (PolicyForm.of(found) if found else PolicyForm())
        context = {"policy": found, "form": form, "checked": _checked(form)}
        return render(request, "projects/policy_edit.html", context, status=status)

    def post(self, request: Signed, policy: uuid.UUID | None = None) -> HttpResponse:
        access.require_portal(request.user, "policy.propose")
        found = _found(request, policy)
        form = PolicyForm(request.POST)
        form.fields["name"].required = found is None
        if form.is_valid():
            try:
                return redirect("projects:policy-detail", policy=_saved(request.user, found, form.wish()).pk)
            except CloudmeshError as error:
                about = str(error.facts.get("field", ""))
                form.add_error(about if about in form.fields else None, error.message)
        if found:
            form.fields["name"].disabled, form.initial = True, {"name": found.name}
        return self.get(request, policy, form, status=400)


@needs("policy.propose")
@require_safe
def policy_check(request: Signed) -> HttpResponse:
    """How a subject is understood, and whom it would concern, while it is being written."""
    access.require_portal(request.user, "policy.propose")
    kind, subject = request.GET.get("subject_kind", SubjectKind.EVERYONE), request.GET.get("subject", "")
    return render(request, "projects/_policy_check.html", check(kind, subject.replace("\0", "")))


@needs("policy.propose")
@require_POST
def policy_propose(request: Signed, policy: uuid.UUID) -> HttpResponse:
    found = access.fetch(Policy, policy, actor=request.user, permission="policy.propose")
    return _said(request, "propose", services.propose_policy(actor=request.user, policy=found))


@needs("policy.approve")
@require_POST
def policy_approve(request: Signed, policy: uuid.UUID) -> HttpResponse:
    found = access.fetch(Policy, policy, actor=request.user, permission="policy.approve")
    return _said(request, "approve", services.approve_policy(actor=request.user, policy=found))


@needs("policy.propose")
class PolicyEnd(View):
    """Returning or retiring a policy: asks why, then does it."""

    deed = ""

    def get(self, request: Signed, policy: uuid.UUID) -> HttpResponse:
        found = access.fetch(Policy, policy, actor=request.user, permission="policy.propose")
        return render(request, "projects/_policy_reason.html", {"policy": found, "deed": self.deed})

    def post(self, request: Signed, policy: uuid.UUID) -> HttpResponse:
        found = access.fetch(Policy, policy, actor=request.user, permission="policy.propose")
        end = services.return_policy if self.deed == "return" else services.retire_policy
        return _said(request, self.deed, end(actor=request.user, policy=found, reason=request.POST.get("reason", "")))


@needs("policy.view")
@require_safe
def policy_effective(request: Signed) -> HttpResponse:
    """What all policies together say to somebody in a project about a service."""
    access.require_portal(request.user, "policy.view")
    asked = {name: request.GET.get(name, "").replace("\0", "").strip()[:200] for name in ("user", "project", "service")}
    context: dict[str, Any] = {"asked": asked}
    if all(asked.values()):
        try:
            context["decision"] = _effective(request.user, **asked)
        except CloudmeshError as error:
            context["problem"] = error.message
    return render(request, "projects/policy_effective.html", context)


def shown(policy: Policy) -> Any:
    """With what a row says beside the record."""
    return dress(
        policy,
        whom="everyone" if policy.subject_kind == SubjectKind.EVERYONE else policy.subject,
        limits_text=services.limits_text(policy),
    )


def check(kind: str, subject: str) -> dict[str, Any]:
    """Whom a subject is about, or what is wrong with it and where."""
    try:
        return {"concerned": services.concerned(subject_kind=kind, subject=subject)}
    except CloudmeshError as error:
        position = error.facts.get("position")
        mark = {"before": subject[:position], "after": subject[position:]} if isinstance(position, int) else {}
        return {"problem": error.message, **mark}


def _checked(form: PolicyForm) -> dict[str, Any]:
    kind = str(form["subject_kind"].value() or SubjectKind.EVERYONE)
    return check(kind, str(form["subject"].value() or ""))


def _found(request: Signed, pk: uuid.UUID | None) -> Policy | None:
    return access.fetch(Policy, pk, actor=request.user, permission="policy.propose") if pk else None


def _saved(actor: User, found: Policy | None, wish: dict[str, Any]) -> Policy:
    if found is None:
        return services.draft_policy(actor=actor, **wish)
    wish.pop("name")
    return services.edit_policy(actor=actor, policy=found, **wish)


def _said(request: Signed, deed: str, policy: Policy) -> HttpResponse:
    back = reverse("projects:policy-detail", args=[policy.pk])
    return answer(request, f"{LABELS[deed]} {policy}", back=back, url=back if is_htmx(request) else "")


def _doable(actor: User, policy: Policy) -> dict[str, bool]:
    propose, approve = access.may(actor, "policy.propose"), access.may(actor, "policy.approve")
    is_own = policy.proposed_by_id == actor.pk
    state = policy.state
    return {
        "may_edit": propose and state != PolicyState.PROPOSED,
        "may_propose": propose and state == PolicyState.DRAFT,
        "may_approve": approve and state == PolicyState.PROPOSED and not is_own,
        "may_return": (approve or is_own) and state == PolicyState.PROPOSED,
        "may_retire": (approve if state == PolicyState.APPROVED else propose) and state != PolicyState.RETIRED,
        "waits_for_others": state == PolicyState.PROPOSED and is_own,
    }


def _against(policy: Policy, editions: list[Policy], wanted: str) -> Policy | None:
    """The edition to compare with: the one asked for, else the one in force, else the one before."""
    others = [each for each in editions if each.pk != policy.pk]
    asked = [each for each in others if str(each.edition) == wanted]
    in_force = [each for each in others if each.state == PolicyState.APPROVED]
    before = [each for each in others if each.edition < policy.edition]
    return next(iter([*asked, *in_force, *before]), None)


def _effective(actor: User, *, user: str, project: str, service: str) -> Decision:
    person = access.first_named(access.visible(User, actor), user, field="username", kind="user")
    place = access.project_named(actor, project, permission="project.view")
    return services.effective_policy(actor=actor, user=person, project=place, service=service)


def _choices(name: str, label: str, choices: Any) -> Filter:
    return Filter(name=name, label=label, choices=choices, where=lambda value: Q(**{name: value}))
