"""Limits, checked under a lock in the transaction of the wish, so that parallel wishes cannot pass them.

Nothing is counted up and down: what is used is what the records say while the lock is held, so nothing drifts.
"""

from collections.abc import Callable, Iterable, Mapping

from cloudmesh.errors import QuotaExceeded
from cloudmesh.types import Limit
from projects.models import Project, Quota

UNITS = {"ram": " MiB", "disk": " GiB"}


def reserve(
    project: Project, *, scope: str, label: str, wanted: Mapping[str, int], used: Callable[[], Mapping[str, int]]
) -> None:
    """Hold the limits of `project` in `scope` until the transaction ends; raises QuotaExceeded.

    `used` tells what is taken; it is asked only once the lock is held. `label` names the scope for people.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    limits = list(Quota.objects.filter(project=project, scope=scope))
    if not limits:
        return
    taken = used()
    for quota in sorted(limits, key=lambda quota: quota.limit):
        have, want = taken.get(quota.resource, 0), wanted.get(quota.resource, 0)
        if want and have + want > quota.limit:
            raise _exceeded(quota, label=label, have=have, want=want)


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


def _exceeded(quota: Quota, *, label: str, have: int, want: int) -> QuotaExceeded:
    unit = UNITS.get(quota.resource, "")
    free = max(0, quota.limit - have)
    return QuotaExceeded(
        f"The quota of {quota.resource} on {label} would be passed: {have} of {quota.limit}{unit} are used, "
        f"{want} more are wanted, {free} are free. Delete something, choose a smaller flavor, or ask for more.",
        resource=quota.resource,
        used=have,
        limit=quota.limit,
        wanted=want,
    )
