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
    """Note that `actor` accepts this version; again does nothing. Raises Conflict, NotAllowed."""
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


@transaction.atomic
def draft_agreement(*, actor: User, name: str, title: str, text: str) -> Agreement:
    """The next version of the terms of this name, not in force yet. Raises Conflict while another is a draft."""
    versions = Agreement.objects.select_for_update(no_key=True).filter(name=name).order_by("-version")
    newest = versions.first()
    if newest is not None and newest.published_at is None:
        raise Conflict(f"{newest} is a draft already; change that one, or publish it first.")
    version = newest.version + 1 if newest else 1
    agreement = Agreement.objects.create(name=name, version=version, title=title, text=text)
    lifecycle.note(kind="agreement", verb="drafted", topic=actor.topic, name=str(agreement), actor=actor)
    return agreement


@transaction.atomic
def edit_agreement(*, actor: User, agreement: Agreement, title: str, text: str) -> None:
    """Change a draft. Raises Conflict for a version that people may have accepted."""
    draft = Agreement.objects.select_for_update(no_key=True).get(pk=agreement.pk)
    if draft.published_at is not None:
        raise Conflict(f"{draft} is published already; make a new version to change it.")
    Agreement.objects.filter(pk=draft.pk).update(title=title, text=text)
    lifecycle.note(kind="agreement", verb="edited", topic=actor.topic, name=str(draft), actor=actor)
