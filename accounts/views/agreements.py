"""Agreements: read, accepted, and asked for before anything else."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import backends, services
from accounts.models import Agreement, User
from accounts.views.signin import own_page
from activity.views import PUBLIC, SIGNED, needs

Answering = Callable[[HttpRequest], HttpResponse]


def agreed(get_response: Answering) -> Answering:
    """Middleware: whoever has agreements to accept sees those first; the REST API asks for itself."""

    def pages(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    pages.process_view = _agreements_first  # type: ignore[attr-defined]
    return pages


def _agreements_first(request: HttpRequest, view: Any, *rest: Any) -> HttpResponse | None:
    page = request.resolver_match.view_name if request.resolver_match else ""
    if not isinstance(request.user, User) or page.startswith("api:") or page in backends.OPEN:
        return None
    if request.user.impersonation is not None:
        return None  # an administrator accepts nothing for somebody else
    if getattr(view, "permission", "") == PUBLIC or not backends.outstanding(request.user):
        return None
    wanted = request.get_full_path() if request.method == "GET" else ""
    url = reverse("portal:agreements", query={"next": wanted} if wanted else None)
    if "HX-Request" in request.headers:
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("portal:agreements")})
    return redirect(url)


@needs(SIGNED)
@require_safe
def agreements(request: HttpRequest) -> HttpResponse:
    """All that are in force, those to be accepted first."""
    user: Any = request.user
    accepted = dict(user.acceptances.values_list("agreement", "accepted_at"))
    known = backends.newest_agreements()
    for agreement in known:
        vars(agreement)["accepted_at"] = accepted.get(agreement.pk)
    known.sort(key=lambda each: (vars(each)["accepted_at"] is not None, each.title))
    context = {"agreements": known, "next": request.GET.get("next", ""), "tab": "agreements"}
    return render(request, "accounts/agreement_list.html", context)


@needs(SIGNED)
def agreement(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """Its text; a POST accepts it, and goes on to the next one or to the page that was wanted."""
    user: Any = request.user
    known = get_object_or_404(Agreement, name=name, version=version, published_at__isnull=False)
    if request.method == "POST":
        services.accept_agreement(actor=user, agreement=known)
        left = backends.outstanding(user)
        page = "portal:agreements"
        return redirect(reverse(page, query={"next": own_page(request)}) if left else own_page(request))
    acceptance = user.acceptances.filter(agreement=known).first()
    context = {"agreement": known, "acceptance": acceptance, "next": request.GET.get("next", ""), "tab": "agreements"}
    return render(request, "accounts/agreement_detail.html", context)
