"""What one did, and what happened to one's account: one's own log."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from activity.models import Event
from activity.views import SIGNED, needs
from projects.views.lists import Filter, Listing

KINDS = ("user", "token", "key", "membership", "server", "operation", "cloud", "project", "agreement")


@needs(SIGNED)
class OwnLog(Listing):
    model = Event
    template_name = "accounts/own_log.html"
    name = "events"
    words = ("name", "verb", "reason", "actor_name")

    def filters(self) -> Iterable[Filter]:
        yield Filter(
            name="kind", label="Kind", choices=[(kind, kind) for kind in KINDS], where=lambda kind: Q(kind=kind)
        )
        who = [("me", "Me"), ("others", "Others")]
        yield Filter(name="by", label="Actor", choices=who, where=self._by)

    def records(self) -> QuerySet[Any]:
        """By oneself, wherever, and about oneself, by whomever; also after one left the project."""
        me = self.request.user
        mine = Event.objects.filter(Q(actor_id=me.pk) | Q(topic=me.topic))
        return mine.exclude(kind__in=["notice", "credential"]).exclude(kind="operation", verb="progress")

    def context(self) -> dict[str, Any]:
        return {"tab": "activity"}

    def _by(self, who: str) -> Q:
        mine = Q(actor_id=self.request.user.pk)
        return mine if who == "me" else ~mine | Q(actor_id=None)
