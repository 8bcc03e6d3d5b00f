"""Clouds as cards and pages, and what is done about them."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from activity.models import Event
from activity.views import SIGNED, needs
from cloudmesh.errors import CloudmeshError
from cloudmesh.types import ServerState
from clouds import services
from clouds.models import CloudAccount, Limit
from projects import access
from projects.views import Signed, answer, dress, is_htmx

RECENT = 20
ORDER = [state.value for state in ServerState]


@needs(SIGNED)
@require_safe
def cloud_list(request: Signed) -> HttpResponse:
    clouds = access.visible(CloudAccount, request.user)
    return render(request, "clouds/cloud_list.html", {"clouds": _choosable(request, cloud_cards(request, clouds))})


@needs("cloud.view")
@require_safe
def cloud_row(request: Signed, pk: uuid.UUID) -> HttpResponse:
    cards = _choosable(request, cloud_cards(request, access.visible(CloudAccount, request.user).filter(pk=pk)))
    return render(request, "clouds/_cloud_card.html", {"cloud": cards[0]}) if cards else HttpResponse(status=204)


@needs("cloud.view")
@require_safe
def cloud_detail(request: Signed, pk: uuid.UUID) -> HttpResponse:
    account = access.fetch(CloudAccount, pk, actor=request.user, permission="cloud.view")
    cloud = _card(request, services.account_facts([account])[0])
    context = {
        "cloud": cloud,
        "states": cloud.states,
        "syncs": account.syncs.order_by("kind"),
        "facts": _facts(account),
        "events": _events(request, account)[:RECENT],
        "defaults": _defaults(request, account),
        "told": services.limit_facts([limit for limit in _limits(account) if limit.resource not in cloud.limits]),
        "lacks": account.lacks,
    }
    return render(request, "clouds/cloud_detail.html", context)


def _limits(account: CloudAccount) -> QuerySet[Limit]:
    return Limit.objects.filter(account=account).select_related("account__cloud", "account__project")


@needs("cloud.refresh")
@require_POST
def cloud_refresh(request: Signed, pk: uuid.UUID) -> HttpResponse:
    account = access.fetch(CloudAccount, pk, actor=request.user, permission="cloud.refresh")
    services.refresh_account(actor=request.user, account=account)
    return answer(request, f"Reading {account} now", back=_page(account))


@needs("cloud.manage")
@require_POST
def cloud_toggle(request: Signed, pk: uuid.UUID) -> HttpResponse:
    account = access.fetch(CloudAccount, pk, actor=request.user, permission="cloud.manage")
    services.switch_account(actor=request.user, account=account, on=not account.is_enabled)
    return answer(request, f"{account} is switched {'on' if account.is_enabled else 'off'}", back=_page(account))


@needs("cloud.manage")
@require_http_methods(["GET", "POST"])
def cloud_rename(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """The dialog, and what it sends."""
    account = access.fetch(CloudAccount, pk, actor=request.user, permission="cloud.manage")
    if request.method == "GET":
        return render(request, "clouds/_cloud_rename.html", {"cloud": account})
    old = str(account)
    services.rename_account(actor=request.user, account=account, name=request.POST.get("name", "").strip())
    return answer(request, f"{old} is now called {account}", back=_page(account))


@needs("cloud.manage")
@require_POST
def cloud_remove(request: Signed, pk: uuid.UUID) -> HttpResponse:
    account = access.fetch(CloudAccount, pk, actor=request.user, permission="cloud.manage")
    name, page, rest = str(account), _page(account), reverse("clouds:cloud-list")
    services.remove_account(actor=request.user, account=account)
    if is_htmx(request) and request.headers.get("HX-Current-URL", "").endswith(page):
        return HttpResponse(status=204, headers={"HX-Redirect": rest})
    return answer(request, f"{name} is removed", detail="Nothing was deleted there.", back=rest)


def cloud_cards(request: Signed, accounts: QuerySet[CloudAccount]) -> list[CloudAccount]:
    """Clouds with what their cards show, in a constant number of questions."""
    found = accounts.select_related("cloud").defer("credential", "pending").order_by("cloud__name", "pk")
    return [
        _card(request, facts)
        for facts in services.account_facts(list(found), known=services.known_clouds(request.user))
    ]


def _choosable(request: Signed, clouds: list[CloudAccount]) -> list[Any]:
    """With which is the default where one works now, and whether it can be made so."""
    here = {place.pk for place in access.workplaces(request.user)[:1]}
    usual = services.usual_cloud(request.user, services.known_clouds(request.user))
    return [
        dress(
            cloud,
            is_default=cloud == usual,
            may_default=cloud.project_id in here and cloud.is_usable,
        )
        for cloud in clouds
    ]


def _card(request: Signed, facts: services.AccountFacts) -> Any:
    account = facts.account
    driver = services.drivers().get(account.cloud.driver)
    return dress(
        account,
        driver_label=driver.label if driver else account.cloud.driver,
        states=_tally(facts),
        server_count=facts.servers,
        limits=facts.limits,
        operation=facts.operation,
        seen_at=facts.seen_at,
        may_manage=not access.why_not(request.user, "cloud.manage", account.project, owner_id=account.owner_id),
    )


def _tally(facts: services.AccountFacts) -> Sequence[dict[str, Any]]:
    known = sorted(facts.states, key=lambda state: ORDER.index(state) if state in ORDER else len(ORDER))
    return [{"state": state, "count": facts.states[state]} for state in known]


def _facts(account: CloudAccount) -> list[tuple[str, str]]:
    """What was given with its credential and is no secret, under the names that the form has."""
    driver = services.drivers().get(account.cloud.driver)
    labels = {field.name: field.label for field in driver.fields} if driver else {}
    return [(labels.get(name, name), value) for name, value in account.facts.items()]


def _events(request: Signed, account: CloudAccount) -> QuerySet[Event]:
    return access.visible(Event, request.user).filter(object_id=account.pk).exclude(kind="credential").order_by("-pk")


def _defaults(request: Signed, account: CloudAccount) -> list[dict[str, str]]:
    """What a boot on this cloud would use; nothing while none could."""
    try:
        boot = services.next_boot(actor=request.user, project=account.project, wanted={"cloud": str(account.cloud)})
    except CloudmeshError:
        return []
    choice = boot.choice
    shown = {
        "image": choice.image,
        "flavor": choice.flavor,
        "key": choice.key,
        "network": choice.network or "as the cloud chooses",
    }
    return [{"key": key, "value": str(value or ""), "source": choice.sources[key]} for key, value in shown.items()]


def _page(account: CloudAccount) -> str:
    return reverse("clouds:cloud-detail", args=[account.pk])
