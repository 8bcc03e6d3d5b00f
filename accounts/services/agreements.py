"""Terms that people accept before they work."""

from django.db import transaction
from django.utils import timezone

from accounts import backends
from accounts.access import require_oneself
from accounts.models import Acceptance, Agreement, User
from activity import lifecycle
from cloudmesh.errors import Conflict


@transaction.atomic
def accept_agreement(*, actor: User, agreement: Agreement) -> Acceptance:
    """Note that `actor` accepts this version; again does nothing. Raises Conflict for one that is not in force."""
    require_oneself(actor)
    if agreement.pk not in {newest.pk for newest in backends.newest_agreements()}:
        raise Conflict(f"{agreement} is not in force; look for the version that is.")
    acceptance, is_new = Acceptance.objects.get_or_create(user=actor, agreement=agreement)
    if is_new:
        lifecycle.note(
            kind="agreement",
            verb="accepted",
            topic=actor.topic,
            name=str(agreement),
            actor=actor,
            data={"name": agreement.name, "version": agreement.version},
        )
    return acceptance


@transaction.atomic
def publish_agreement(*, actor: User, agreement: Agreement) -> None:
    """Put a version in force: everybody accepts it before they work on."""
    if agreement.published_at is not None:
        raise Conflict(f"{agreement} is published already; make a new version to change it.")
    agreement.published_at = timezone.now()
    agreement.save(update_fields=["published_at"])
    lifecycle.note(kind="agreement", verb="published", topic=actor.topic, name=str(agreement), actor=actor)
    transaction.on_commit(backends.forget_published)
