"""Limits, checked under a lock in the transaction of the wish, so that parallel wishes cannot pass them.

Nothing is counted up and down: what is used is what the records say while the lock is held, so nothing drifts. A
limit is of the whole project or one member's share, in one scope such as a cloud account or, without one, everywhere.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import User
from cloudmesh.errors import QuotaExceeded
from cloudmesh.types import Json, Limit
from projects.models import Project, Quota

UNITS = {"ram": " MiB", "disk": " GiB"}

Amounts = Mapping[str, int]
#: Scope → whose things (None: nobody's any more) → resource → how much of it they take.
Taken = Mapping[str, Mapping[uuid.UUID | None, Amounts]]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the things of one kind take in a project, and what their scopes are called."""

    labels: Mapping[str, str]
    taken: Taken


#: What tells for the pages what is taken in a project; each app that has scopes adds its own.
METERS: list[Callable[[Project], Measured]] = []


def meter(measure: Callable[[Project], Measured]) -> Callable[[Project], Measured]:
    METERS.append(measure)
    return measure


@dataclass(frozen=True, kw_only=True)
class Room:
    """One limit, what is taken of it and what is wanted now."""

    quota: Quota
    where: str  # the scope's name for people; empty for the whole project
    whose: str  # a member's name; empty for the project's
    used: int
    wanted: int = 0

    @property
    def resource(self) -> str:
        return self.quota.resource

    @property
    def limit(self) -> int:
        return self.quota.limit

    @property
    def left(self) -> int:
        """What is free before the wish."""
        return max(0, self.limit - self.used)

    @property
    def fits(self) -> bool:
        return not self.wanted or self.used + self.wanted <= self.limit

    @property
    def name(self) -> str:
        """As a sentence calls it."""
        where = f" on {self.where}" if self.where else ""
        if self.whose:
            return f"The share of {self.resource}{where} that {self.whose} has of {self.quota.project}"
        return f"The quota of {self.resource}{where}" + ("" if where else f" of the project {self.quota.project}")

    def facts(self) -> Json:
        names = ("resource", "used", "limit", "wanted", "left", "where", "whose")
        return {name: getattr(self, name) for name in names}


def hold(project: Project) -> None:
    """Let nobody else reserve anything in `project` until the transaction ends."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def rooms(
    project: Project, *, member: User, scope: str, label: str, wanted: Amounts, taken: Callable[[], Taken]
) -> list[Room]:
    """The limits that a wish of `member` meets in `scope`, the lowest first; `taken` is asked only if there are any.

    `label` names the scope for people.
    """
    mine = Q(user=None) | Q(user=member.pk)
    limits = list(Quota.objects.filter(mine, project=project, scope__in=["", scope]))
    for quota in limits:
        quota.project = project
    used = taken() if limits else {}
    return [
        Room(
            quota=quota,
            where=label if quota.scope else "",
            whose=member.username if quota.user_id else "",
            used=amount(used, quota.resource, scope=quota.scope, owner_id=quota.user_id),
            wanted=wanted.get(quota.resource, 0),
        )
        for quota in sorted(limits, key=lambda quota: quota.limit)
    ]


def check(found: Iterable[Room]) -> None:
    """Raises QuotaExceeded for the first limit that would be passed."""
    for room in found:
        if not room.fits:
            raise QuotaExceeded(passed(room), **room.facts())


def passed(room: Room) -> str:
    """Whose limit would be passed, the numbers, and what to do."""
    unit = UNITS.get(room.resource, "")
    ask = "a lead or manager of the project for a larger share" if room.whose else "for more"
    return (
        f"{room.name} would be passed: {room.used} of {room.limit}{unit} are used, {room.wanted} more are wanted, "
        f"{room.left} are free. Delete something, choose a smaller flavor, or ask {ask}."
    )


def amount(taken: Taken, resource: str, *, scope: str = "", owner_id: uuid.UUID | None = None) -> int:
    """How much is taken of a resource: in one scope or in all, by one member or by all."""
    scopes = [taken.get(scope, {})] if scope else list(taken.values())
    return sum(
        amounts.get(resource, 0)
        for by_owner in scopes
        for owner, amounts in by_owner.items()
        if owner_id is None or owner == owner_id
    )


def amounts(taken: Taken, resources: Iterable[str], *, scope: str = "", owner_id: uuid.UUID | None = None) -> Amounts:
    """How much is taken of each resource."""
    return {name: amount(taken, name, scope=scope, owner_id=owner_id) for name in resources}


def measure(project: Project) -> Measured:
    """What everything in a project takes."""
    parts = [each(project) for each in METERS]
    labels = {scope: label for part in parts for scope, label in part.labels.items()}
    return Measured(labels=labels, taken={scope: amounts for part in parts for scope, amounts in part.taken.items()})


def overview(project: Project, measured: Measured) -> list[Room]:
    """All limits of a project and its members, with what is taken of each."""
    limits = Quota.objects.filter(project=project).select_related("user", "project")
    return [
        Room(
            quota=quota,
            where=measured.labels.get(quota.scope, quota.scope),
            whose=quota.user.username if quota.user else "",
            used=amount(measured.taken, quota.resource, scope=quota.scope, owner_id=quota.user_id),
        )
        for quota in limits.order_by("scope", "resource", "user__username", "source")
    ]


def store_limits(project: Project, *, scope: str, limits: Iterable[Limit]) -> None:
    """Take over the provider's own limits for a scope."""
    known = {limit.resource: limit.limit for limit in limits}
    mine = Quota.objects.filter(project=project, scope=scope, source=Quota.Source.PROVIDER)
    if known == dict(mine.values_list("resource", "limit")):
        return
    mine.exclude(resource__in=[name for name, limit in known.items() if limit is not None]).delete()
    Quota.objects.bulk_create(
        [
            Quota(project=project, scope=scope, resource=name, limit=limit, source=Quota.Source.PROVIDER)
            for name, limit in known.items()
            if limit is not None
        ],
        update_conflicts=True,
        unique_fields=["project", "user", "scope", "resource", "source"],
        update_fields=["limit"],
    )


def scopes(measured: Measured) -> Sequence[tuple[str, str]]:
    """What a limit can be for: everywhere, or one of the project's clouds and the like."""
    return [("", "everywhere"), *sorted(measured.labels.items(), key=lambda pair: pair[1])]
