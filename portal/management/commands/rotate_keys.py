"""Wrap whatever is sealed under the current key, so that older ones can be dropped."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

from accounts import secrets
from accounts import services as accounts
from accounts.models import Answered, Authenticator, Webhook
from cloudmesh.errors import CloudmeshError
from clouds.models import CloudAccount
from hpc.models import Login, Scheduler

PLACE = operator.attrgetter("place")
#: Every sealed column, and what its documents are bound to.
SEALED: tuple[tuple[type[Model], str, Callable[[Any], Mapping[str, str]]], ...] = (
    (CloudAccount, "credential", PLACE),
    (CloudAccount, "pending", PLACE),
    (Scheduler, "credential", PLACE),
    (Scheduler, "pending", PLACE),
    (Login, "credential", PLACE),
    (Login, "pending", PLACE),
    (Authenticator, "secret", accounts.place_of_code),
    (Webhook, "secret", accounts.place_of),
    (Answered, "answer", accounts.place_of_answer),
)


class Command(BaseCommand):
    help = "Wrap all sealed secrets under the first key of CLOUDMESH_KEYS; the portal may run meanwhile."

    def handle(self, *args: Any, **options: Any) -> None:
        ring, broken = secrets.ring(), 0
        for model, field, place in SEALED:
            done = 0
            for pk in model._default_manager.exclude(**{field: ""}).values_list("pk", flat=True):
                try:
                    done += _rewrap(ring, model, pk, field, place)
                except CloudmeshError as error:
                    broken += 1
                    self.stderr.write(f"{model._meta.verbose_name} {pk}: {error}")
            self.stdout.write(f"{model._meta.verbose_name} {field}: {done} wrapped anew")
        if broken:
            raise CommandError(f"{broken} secrets do not open; keep all keys until each is entered again.")


@transaction.atomic
def _rewrap(
    ring: secrets.KeyRing, model: type[Model], pk: Any, field: str, place: Callable[[Any], Mapping[str, str]]
) -> bool:
    """Whether this document needed it; whoever writes it at the same time waits or comes first."""
    record: Any = model._default_manager.select_for_update(no_key=True).filter(pk=pk).first()
    sealed = getattr(record, field, "")
    if not sealed or secrets.is_current(ring, sealed):
        return False
    news = secrets.rewrap(ring, sealed, **place(record))
    model._default_manager.filter(pk=pk).update(**{field: news})
    return True
