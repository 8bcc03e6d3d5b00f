"""The first page of the portal's staff: what waits for somebody, what goes wrong, each with a link to it."""

import dataclasses
import datetime
from typing import Any

from django.db.models import Count, F, Model, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import AccountState as PersonState
from accounts.models import User
from activity.views import needs
from clouds.models import CloudAccount
from operations.models import CredentialState, Health, Operation, OperationState
from projects import access
from projects.models import Application, ApplicationState, Policy, PolicyState
from projects.views import Signed

DAY = datetime.timedelta(days=1)
MOST_CLOUDS = 50  # that are in trouble; more are one trouble
TROUBLES = (  # of clouds that are in use: state and health, the worst first
    ("refused", Q(state=CredentialState.REFUSED)),
    ("down", Q(state=CredentialState.ACTIVE, health=Health.DOWN)),
    ("slow", Q(state=CredentialState.ACTIVE, health=Health.SLOW)),
    ("ok", Q(state=CredentialState.ACTIVE, health=Health.OK)),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Matter:
    """Something that staff look after; its count links to where it is done."""

    label: str
    none: str
    permission: str
    url: str
    records: QuerySet[Any]
    is_bad: bool = False
    count: int = 0


@needs("portal.staff")
@require_safe
def staff(request: Signed) -> HttpResponse:
    access.require_portal(request.user, "portal.staff")
    matters = [matter for matter in _matters() if access.may(request.user, matter.permission)]
    may_see_clouds = access.may(request.user, "portal.health")
    clouds = CloudAccount.objects.filter(is_enabled=True)
    counted = [matter.records for matter in matters]
    counted += [clouds.filter(trouble) for _, trouble in TROUBLES] if may_see_clouds else []
    counts = _counts(request.user, counted)
    context: dict[str, Any] = {
        "matters": [dataclasses.replace(m, count=n) for m, n in zip(matters, counts, strict=False)]
    }
    if may_see_clouds:
        tally = zip([name for name, _ in TROUBLES], counts[len(matters) :], strict=True)
        context |= {"tally": [{"state": name, "count": n} for name, n in tally], "troubled": _troubled(clouds)}
    return render(request, "portal/staff.html", context)


def _matters() -> list[Matter]:
    failed = Operation.objects.filter(state=OperationState.FAILED, finished_at__gte=timezone.now() - DAY, parent=None)
    return [
        Matter(
            label="Accounts that wait",
            none="Everybody who applied has an answer.",
            permission="account.view",
            url=f"{reverse('projects:person-list')}?state={PersonState.CONFIRMED}",
            records=User.objects.filter(state=PersonState.CONFIRMED),
        ),
        Matter(
            label="Applications to decide",
            none="No project waits for the committee.",
            permission="application.review",
            url=reverse("projects:committee-list"),
            records=Application.objects.filter(state=ApplicationState.SUBMITTED),
        ),
        Matter(
            label="Wishes that wait for approval",
            none="Nobody's wish waits.",
            permission="wish.approve",
            url=reverse("portal:approval-list"),
            records=Operation.objects.filter(state=OperationState.WAITING, parent=None),
        ),
        Matter(
            label="Policies proposed",
            none="Every proposal is decided.",
            permission="policy.view",
            url=f"{reverse('projects:policy-list')}?state={PolicyState.PROPOSED}",
            records=Policy.objects.filter(state=PolicyState.PROPOSED),
        ),
        Matter(
            label="Failed in the last day",
            none="Every wish of the last day was fulfilled, or still is.",
            permission="portal.health",
            url=f"{reverse('operations:list')}?state={OperationState.FAILED}",
            records=failed,
            is_bad=True,
        ),
    ]


def _counts(user: User, counted: list[QuerySet[Any]]) -> list[int]:
    """How many there are of each, in one question."""
    numbers = [Coalesce(Subquery(_number_of(records)), 0) for records in counted]
    return list(User.objects.filter(pk=user.pk).values_list(*numbers).get()) if numbers else []


def _number_of(records: QuerySet[Model]) -> QuerySet[Any]:
    together = records.order_by().annotate(all=Value(1)).values("all")
    number: QuerySet[Any] = together.annotate(n=Count("pk")).values("n")
    return number


def _troubled(clouds: QuerySet[CloudAccount]) -> list[CloudAccount]:
    """Those that somebody has to look at, the longest in trouble first."""
    bad = Q(state=CredentialState.REFUSED) | Q(state=CredentialState.ACTIVE, health__in=(Health.DOWN, Health.SLOW))
    found = clouds.filter(bad).select_related("cloud", "project").defer("credential", "pending", "facts")
    worst = found.order_by(F("failures").desc(), "changed_at", "pk")
    return list(worst[:MOST_CLOUDS])
