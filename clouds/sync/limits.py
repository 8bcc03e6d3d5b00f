"""Keeping what a cloud says of an account's limits."""

from collections.abc import Iterable

from django.db import transaction

from activity import lifecycle
from cloudmesh import types
from clouds.models import CloudAccount, Limit


@transaction.atomic
def store_limits(account: CloudAccount, limits: Iterable[types.Limit]) -> int:
    """Keep what is used beside what is allowed; answers how many lines changed."""
    known = {row.resource: (row.used, row.limit) for row in Limit.objects.filter(account=account)}
    told = {limit.resource: (limit.used, limit.limit) for limit in limits}
    fresh = [
        Limit(account=account, resource=name, used=used, limit=most)
        for name, (used, most) in told.items()
        if known.get(name) != (used, most)
    ]
    gone = known.keys() - told.keys()
    Limit.objects.bulk_create(
        fresh, update_conflicts=True, unique_fields=["account", "resource"], update_fields=["used", "limit"]
    )
    if gone:
        Limit.objects.filter(account=account, resource__in=gone).delete()
    if fresh or gone:
        lifecycle.note(
            kind="limit",
            verb="synced",
            topic=account.topic,
            object_id=account.pk,
            name=str(account),
            project_id=account.project_id,
        )
    return len(fresh) + len(gone)
