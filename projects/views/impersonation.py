"""Acting as somebody: beginning it, ending it, and what may not be done meanwhile."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import auth
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.views import View
from django.views.decorators.http import require_POST

from accounts import services as accounts
from accounts.models import User
from accounts.views import Signed, own_page
from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError
from projects import access, services
from projects.forms.impersonation import ImpersonationForm
from projects.services.impersonation import ACTING

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
LEAVING = ("portal:impersonation-end", "portal:logout")
THEIRS = ("/account/", "/password/")  # pages about what is somebody's own

OVER = "You do not act as somebody else any more; nothing was done. Go back, reload the page and look whose it is."
READ_ONLY = "You only look with the eyes of {}: you change nothing. End it, or begin again and ask to change things."
NOT_YOURS = "You act as {} just now, and this is theirs alone to change."

Answering = Callable[[HttpRequest], HttpResponse]


def acting(get_response: Answering) -> Answering:
    """Middleware: `request.user` is whoever is acted as, and `impersonator` the administrator who does, or None."""

    def pages(request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: _acting(request))  # type: ignore[assignment]
        return get_response(request)

    pages.process_view = _refuse  # type: ignore[attr-defined]
    return pages


def _acting(request: HttpRequest) -> Any:
    """When its time is over, the pages that were opened meanwhile are stale: their forms are not taken any more."""
    me = auth.get_user(request)
    user = services.acting_as(me, request.session)
    is_acting = user is not me
    if not is_acting and request.session.pop(ACTING, None):
        rotate_token(request)
    vars(request)["impersonator"] = me if is_acting else None
    return user


def _refuse(request: HttpRequest, *view: Any) -> None:
    """What an administrator may not do as somebody else; raises PermissionDenied."""
    if request.method in SAFE or ACTING not in request.session:
        return
    page = request.resolver_match.view_name if request.resolver_match else ""
    running = getattr(request.user, "impersonation", None)
    if page in LEAVING:
        return
    if running is None:
        raise PermissionDenied(OVER)
    if not running.may_write:
        raise PermissionDenied(READ_ONLY.format(request.user))
    if request.path.startswith(THEIRS):
        raise PermissionDenied(NOT_YOURS.format(request.user))


@needs("account.impersonate")
class Impersonate(View):
    """A form for the reason, the time and whether to change things."""

    def get(self, request: Signed, user: uuid.UUID) -> HttpResponse:
        return self._page(request, _person(request, user), ImpersonationForm())

    def post(self, request: Signed, user: uuid.UUID) -> HttpResponse:
        person, form = _person(request, user), ImpersonationForm(request.POST)
        if not form.is_valid():
            return self._page(request, person, form, status=400)
        try:
            begun = services.impersonate(actor=request.user, user=person, **form.cleaned_data)
        except CloudmeshError as error:
            form.add_error(error.facts.get("field"), error.message)
            return self._page(request, person, form, status=error.status)
        request.session[ACTING] = str(begun.pk)
        rotate_token(request)
        return redirect("portal:dashboard")

    def _page(self, request: Signed, person: User, form: ImpersonationForm, *, status: int = 200) -> HttpResponse:
        return render(request, "projects/impersonate.html", {"person": person, "form": form}, status=status)


@needs(SIGNED)
@require_POST
def impersonation_end(request: Signed) -> HttpResponse:
    """Be oneself again; the pages opened meanwhile are stale."""
    running = request.user.impersonation
    if running is not None:
        accounts.end_impersonations(admin=running.admin)
    request.session.pop(ACTING, None)
    rotate_token(request)
    return redirect("portal:dashboard")


@needs("account.manage")
@require_POST
def account_unlock(request: Signed, user: uuid.UUID) -> HttpResponse:
    """Let somebody try passwords again at once."""
    person = access.fetch(User, user, actor=request.user, permission="account.manage")
    accounts.unlock(user=person, actor=request.user)
    return redirect(own_page(request))


def _person(request: Signed, pk: uuid.UUID) -> User:
    return access.fetch(User, pk, actor=request.user, permission="account.impersonate")
