"""Accounts, for those who decide about them and look after them."""

import dataclasses
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.models import AccountState, PortalRole, Profile, User
from accounts.views import Signed
from activity.models import Event
from activity.views import PUBLIC, needs
from cloudmesh.errors import NotFound
from projects import access
from projects.models import Membership
from projects.views.lists import Filter, Listing, answer

STATE = AccountState
PAST = 30  # events shown of an account


@dataclasses.dataclass(frozen=True)
class Deed:
    """What can be done to an account in some states."""

    name: str
    label: str
    done: str
    permission: str
    froms: frozenset[str]
    do: Callable[..., Event]
    with_reason: bool = False
    css: str = ""
    when: Callable[[User], bool] = lambda person: True

    @property
    def url_name(self) -> str:
        return f"projects:person-{self.permission.partition('.')[2]}"


DEEDS = {
    deed.name: deed
    for deed in (
        Deed(
            "approve", "Approve", "approved", "account.decide", frozenset({STATE.CONFIRMED}),
            services.approve_account, css="btn-primary",
        ),
        Deed(
            "deny", "Deny", "denied", "account.decide", frozenset({STATE.APPLIED, STATE.CONFIRMED, STATE.APPROVED}),
            services.deny_account, with_reason=True,
        ),
        Deed(
            "reconsider", "Take the decision back", "to be decided again", "account.decide",
            frozenset({STATE.DENIED, STATE.APPROVED}), services.reconsider_account,
        ),
        Deed(
            "activate", "Activate", "active", "account.manage",
            frozenset({STATE.SUSPENDED, STATE.BLOCKED, STATE.EXPIRED}), services.activate_account, css="btn-primary",
        ),
        Deed(
            "suspend", "Suspend", "suspended", "account.manage", frozenset({STATE.ACTIVE}),
            services.suspend_account, with_reason=True,
        ),
        Deed(
            "remove-code", "Remove the second factor", "without a second factor", "account.manage",
            frozenset({STATE.ACTIVE}), services.remove_second_factor, with_reason=True, when=services.has_second_factor,
        ),
        Deed(
            "block", "Block", "blocked", "account.manage", frozenset({STATE.ACTIVE, STATE.SUSPENDED}),
            services.block_account, with_reason=True, css="btn-danger",
        ),
        Deed(
            "expire", "End", "ended", "account.manage", frozenset({STATE.ACTIVE, STATE.SUSPENDED}),
            services.expire_account, with_reason=True,
        ),
    )
}  # fmt: skip


@needs(PUBLIC)
@method_decorator([never_cache, login_not_required], name="dispatch")
class ApplyConfirm(View):
    """The link of a mail: a button, since programs that look into mails follow links and press nothing."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        user = services.applicant(token)
        if user.state != STATE.APPLIED:
            return redirect(services.status_link(user))
        return render(request, "accounts/apply_confirm.html", {"applicant": user})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        user = services.confirm_email(token=token, committee=access.staff("account.decide"))
        return redirect(services.status_link(user))


@needs("account.view")
class PersonList(Listing):
    model = User
    template_name = "accounts/person_list.html"
    name = "people"
    words = ("username", "email", "first_name", "last_name", "profile__institution")
    orders = {
        "username": ("username",),
        "name": ("last_name", "first_name"),
        "state": ("state",),
        "created_at": ("created_at",),
        "last_login": ("last_login",),
    }
    usual = ("-created_at", "-pk")

    def get(self, request: Signed) -> HttpResponse:
        access.require_portal(request.user, "account.view")
        return super().get(request)

    def filters(self) -> Iterable[Filter]:
        yield Filter(name="state", label="State", choices=STATE.choices, where=lambda state: Q(state=state))
        roles = [("admin", "Administrator"), *PortalRole.choices]
        yield Filter(name="role", label="Role", choices=roles, where=_of_role)
        sources = User.Source.choices
        yield Filter(name="source", label="Source", choices=sources, where=lambda source: Q(source=source))

    def records(self) -> QuerySet[Any]:
        return super().records().select_related("profile")

    def context(self) -> dict[str, Any]:
        counts = User.objects.order_by().values("state").annotate(count=Count("pk")).order_by("state")
        waiting = [each for each in counts if each["state"] == STATE.CONFIRMED]
        return {"waiting": waiting[0]["count"] if waiting else 0, "counts": counts}


@needs("account.view")
@require_safe
def person_detail(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """One account: who it is, what happened to it, and what its reader may do about it."""
    person = access.fetch(User, pk, actor=request.user, permission="account.view")
    context = {
        "person": person,
        "profile": Profile.objects.filter(user=person).first(),
        "sees_private": access.may(request.user, "account.decide"),
        "deeds": _deeds(request.user, person),
        "roles": _roles(person) if access.may(request.user, "account.manage") else [],
        "memberships": Membership.objects.filter(user=person).select_related("project").order_by("project__name"),
        "events": Event.objects.filter(topic=person.topic).exclude(kind="notice").order_by("-pk")[:PAST],
    }
    return render(request, "accounts/person_detail.html", context)


@needs("account.decide")
@require_POST
def person_decide(request: Signed, pk: uuid.UUID, deed: str) -> HttpResponse:
    return _do(request, pk, deed, "account.decide")


@needs("account.manage")
@require_POST
def person_manage(request: Signed, pk: uuid.UUID, deed: str) -> HttpResponse:
    return _do(request, pk, deed, "account.manage")


@needs("account.manage")
@require_POST
def person_roles(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """What somebody is in the portal as a whole."""
    person = access.fetch(User, pk, actor=request.user, permission="account.manage")
    services.set_roles(actor=request.user, user=person, roles=request.POST.getlist("roles"))
    return answer(request, f"The roles of {person} are set.", back=reverse("projects:person-detail", args=[pk]))


def _do(request: Signed, pk: uuid.UUID, name: str, permission: str) -> HttpResponse:
    person = access.fetch(User, pk, actor=request.user, permission=permission)
    deed = DEEDS.get(name)
    if deed is None or deed.permission != permission:
        raise NotFound(f"Nothing of the name {name[:40]!r} can be done to an account here.")
    reason = {"reason": request.POST.get("reason", "").replace("\0", "")} if deed.with_reason else {}
    deed.do(actor=request.user, user=person, **reason)
    return answer(request, f"{person} is {deed.done}.", back=reverse("projects:person-detail", args=[pk]))


def _deeds(actor: User, person: User) -> Sequence[Deed]:
    """What `actor` may do to `person` as they are now."""
    if actor.pk == person.pk:
        return []
    possible = [deed for deed in DEEDS.values() if person.state in deed.froms and access.may(actor, deed.permission)]
    return [deed for deed in possible if deed.when(person)]


def _roles(person: User) -> list[tuple[str, str, bool]]:
    return [(role.value, role.label, role in person.portal_roles) for role in PortalRole]


def _of_role(role: str) -> Q:
    return Q(is_superuser=True) if role == "admin" else Q(portal_roles__contains=[role])
