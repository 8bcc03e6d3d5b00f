"""Telling webhooks of events: each event once at least, in the order of its number, none left out.

What a webhook is to be told is written down first, so nothing that dies or does not answer loses an event. One that
fails is tried again, ever less often; those after it wait, and after a day the webhook is switched off where it stands.
"""

import datetime
import hashlib
import hmac
import logging
import random
import uuid
from typing import Any

import kombu.exceptions
import orjson
from celery import current_app, shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import secrets
from accounts import services as accounts
from accounts.models import Delivery, User, Webhook
from activity.models import Event
from cloudmesh.errors import CloudmeshError, Rejected
from cloudmesh.wire import post, public_only
from projects import access
from projects.models import Project

TIMEOUT = 10.0  # seconds for one delivery
LEASE = datetime.timedelta(seconds=60)  # that one attempt may take
SHORTEST, LONGEST = 10.0, 3600.0  # seconds before the second attempt, and the longest pause
FAILURES = 32  # in a row, which is about a day
PORTION = 50  # deliveries before other webhooks have their turn
AHEAD = 500  # events that are written down at once
KEPT = datetime.timedelta(days=7)  # that deliveries are shown

log = logging.getLogger(__name__)


def ring_webhook(pk: uuid.UUID) -> None:
    """Ask a worker to tell it what there is to tell; if nobody hears, the sweep asks."""
    try:
        current_app.send_task("projects.tasks.tell_webhook", args=[str(pk)], expires=60)
    except (kombu.exceptions.OperationalError, OSError) as error:
        log.warning("No doorbell for a webhook, the sweep will ring: %s", error)


@shared_task(name="projects.tasks.sweep_webhooks")
def sweep_webhooks() -> None:
    """Ring for those that have something to be told now."""
    waiting = Delivery.objects.filter(webhook=OuterRef("pk"), done_at=None)
    fresh = Event.objects.filter(topic=OuterRef("topic"), seq__gt=OuterRef("seq"))
    due = Exists(waiting.filter(next_at__lte=timezone.now())) | (Exists(fresh) & ~Exists(waiting))
    for pk in Webhook.objects.filter(due, is_enabled=True).values_list("pk", flat=True):
        ring_webhook(pk)


@shared_task(name="projects.tasks.tell_webhook")
def tell_webhook(webhook_id: str) -> None:
    """Tell one webhook what it was not told yet, until something fails or others wait."""
    for _ in range(PORTION):
        if not _plan(webhook_id):
            return
        delivery = _claim(webhook_id)
        if delivery is None or not _deliver(delivery):
            return
    ring_webhook(uuid.UUID(webhook_id))


@transaction.atomic
def _plan(webhook_id: str) -> bool:
    """Write down what comes next when nothing waits; whether there is anything."""
    webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=webhook_id, is_enabled=True).first()
    if webhook is None:
        return False
    if webhook.deliveries.filter(done_at=None).exists():
        return True
    last = Event.objects.aggregate(last=Max("seq"))["last"] or 0
    fresh = list(_wanted(webhook).filter(seq__gt=webhook.seq, seq__lte=last).values_list("seq", flat=True)[:AHEAD])
    Delivery.objects.bulk_create([Delivery(webhook=webhook, seq=seq) for seq in fresh if seq], ignore_conflicts=True)
    upto = fresh[-1] if len(fresh) == AHEAD else last  # a full portion may not be all
    Webhook.objects.filter(pk=webhook.pk).update(seq=upto)
    webhook.deliveries.filter(done_at__lt=timezone.now() - KEPT).delete()
    return bool(fresh)


def _wanted(webhook: Webhook) -> QuerySet[Event]:
    """The events of its topic and kinds; of tests its own alone."""
    mine = Q(kind="webhook", object_id=webhook.pk)
    kinds = Q(kind__in=webhook.kinds) if webhook.kinds else Q()
    of_others = Q(kind="webhook", verb="tested") & ~mine
    return Event.objects.filter(mine | kinds & ~of_others, topic=webhook.topic).order_by("seq")


@transaction.atomic
def _claim(webhook_id: str) -> Delivery | None:
    """The first one that is not done, if it is due and in nobody's hands."""
    waiting = Delivery.objects.filter(webhook__pk=webhook_id, webhook__is_enabled=True, done_at=None).order_by("seq")
    first = waiting.select_for_update(of=("self",)).select_related("webhook__owner").first()
    if first is None or first.next_at > timezone.now():
        return None
    first.attempts, first.next_at = first.attempts + 1, timezone.now() + LEASE
    first.save(update_fields=["attempts", "next_at"])
    return first


def _deliver(delivery: Delivery) -> bool:
    """Try once; whether the next may follow."""
    webhook = delivery.webhook
    if webhook.topic not in access.hears(webhook.owner):
        accounts.disable_webhook(webhook=webhook, reason="You may not see any more what it told of.")
        return False
    event = access.visible(Event, webhook.owner).filter(topic=webhook.topic, seq=delivery.seq).first()
    if event is None:
        return _done(delivery, status=None, problem="Not told: you may not see this event.")
    try:
        status = send(webhook, delivery.seq, told(event))
    except CloudmeshError as error:
        return _failed(delivery, status=None, problem=error.message)
    if 200 <= status < 300:
        return _done(delivery, status=status)
    return _failed(delivery, status=status, problem=_answered(status))


def send(webhook: Webhook, seq: int, document: dict[str, Any]) -> int:
    """The status that the receiver answers. Raises Rejected, Unreachable, Unreadable."""
    body = orjson.dumps(document)
    secret = secrets.unseal(secrets.ring(), webhook.secret, **accounts.place_of(webhook))["secret"]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Cloudmesh (+{settings.CLOUDMESH_URL})",
        "Cloudmesh-Webhook": str(webhook.pk),
        "Cloudmesh-Delivery": f"{webhook.pk}:{seq}",
        "Cloudmesh-Signature": signature(secret, body, at=int(timezone.now().timestamp())),
    }
    return post(webhook.url, body, headers=headers, guard=_guard(webhook.owner), seconds=TIMEOUT)


def signature(secret: str, body: bytes, *, at: int) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 of the time, a dot and the body."""
    return f"t={at},v1={hmac.new(secret.encode(), b'%d.' % at + body, hashlib.sha256).hexdigest()}"


def told(event: Event) -> dict[str, Any]:
    """An event as the REST API tells it."""
    place = Project.objects.filter(pk=event.project_id) if event.project_id else Project.objects.none()
    same = ("seq", "at", "kind", "object_id", "name", "verb", "from_state", "to_state", "reason", "summary", "data")
    return {name: getattr(event, name) for name in same} | {
        "project": place.values_list("name", flat=True).first(),
        "actor": event.actor_name,
    }


def _guard(owner: User) -> Any:
    return _anywhere if access.is_admin(owner) else _public


def _anywhere(address: str) -> None:
    """Administrators may have programs told that stand beside the portal."""


def _public(address: str) -> None:
    try:
        public_only(address)
    except Rejected as error:
        words = f"{address} is not a public address: only webhooks of administrators go there."
        raise Rejected(words, address=address) from error


@transaction.atomic
def _done(delivery: Delivery, *, status: int | None, problem: str = "") -> bool:
    now = timezone.now()
    Delivery.objects.filter(pk=delivery.pk, done_at=None).update(done_at=now, status=status, problem=problem)
    Webhook.objects.filter(pk=delivery.webhook_id).exclude(failures=0, problem="").update(failures=0, problem="")
    return True


@transaction.atomic
def _failed(delivery: Delivery, *, status: int | None, problem: str) -> bool:
    """Again after a while; switched off when it is gone for good, or failed for a day."""
    pause = min(SHORTEST * 2.0 ** min(delivery.attempts - 1, 10), LONGEST) * random.uniform(0.8, 1.2)  # noqa: S311
    next_at = timezone.now() + datetime.timedelta(seconds=pause)
    Delivery.objects.filter(pk=delivery.pk).update(next_at=next_at, status=status, problem=problem[:400])
    Webhook.objects.filter(pk=delivery.webhook_id).update(failures=F("failures") + 1, problem=problem[:400])
    webhook = Webhook.objects.select_related("owner").get(pk=delivery.webhook_id)
    if webhook.is_enabled and (status == 410 or webhook.failures >= FAILURES):
        reason = f"It failed {webhook.failures} times in a row. The last time: {problem}"
        accounts.disable_webhook(
            webhook=webhook, reason="It says that it is gone (HTTP 410)." if status == 410 else reason
        )
    return False


def _answered(status: int) -> str:
    if 300 <= status < 400:
        return f"It sends on to another address (HTTP {status}), which is not followed: give that address."
    return f"It answered with HTTP {status}."
