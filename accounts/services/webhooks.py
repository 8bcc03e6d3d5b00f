"""Webhooks: where somebody's programs are told of events. Whose events that may be is asked in `projects`."""

import secrets as random
import urllib.parse
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from accounts import secrets
from accounts.access import require_oneself
from accounts.models import NoticeKind, User, Webhook
from accounts.services.notices import notify
from activity import lifecycle
from activity.models import Event
from cloudmesh.errors import Conflict, Invalid

WEBHOOKS = 20  # the most of one person
LONGEST = 400  # characters of a URL
PREFIX = "whsec_"
NO_URL = (
    "The URL must be like https://hooks.example.org/cloudmesh: http or https, a host, no user name and no password."
)


@transaction.atomic
def add_webhook(*, owner: User, topic: str, url: str, kinds: Sequence[str] = ()) -> tuple[Webhook, str]:
    """A new webhook and its signing secret, which is shown this once. Raises Invalid, Conflict."""
    require_oneself(owner)
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # so that two at once do not pass the limit
    if Webhook.objects.filter(owner=owner).count() >= WEBHOOKS:
        raise Conflict(f"You have {WEBHOOKS} webhooks, which is the most. Remove one that you do not need.")
    webhook = Webhook(owner=owner, topic=topic, url=checked_url(url), kinds=checked_kinds(kinds))
    webhook.seq = _last_seq()
    secret = PREFIX + random.token_urlsafe(32)
    webhook.secret = secrets.seal(secrets.ring(), {"secret": secret}, **place_of(webhook))
    webhook.save(force_insert=True)
    note(webhook, "created", actor=owner)
    return webhook, secret


@transaction.atomic
def change_webhook(*, actor: User, webhook: Webhook, kinds: Sequence[str]) -> None:
    """Tell it of other kinds of events. Raises Invalid."""
    webhook.kinds = checked_kinds(kinds)
    webhook.save(update_fields=["kinds"])
    note(webhook, "changed", actor=actor)


@transaction.atomic
def remove_webhook(*, actor: User, webhook: Webhook) -> None:
    note(webhook, "deleted", actor=actor)
    webhook.delete()


@transaction.atomic
def enable_webhook(*, actor: User, webhook: Webhook, skip: bool = False) -> None:
    """Go on where it stopped; with `skip` from now on, without what happened meanwhile."""
    webhook.is_enabled, webhook.failures, webhook.problem = True, 0, ""
    waiting = webhook.deliveries.filter(done_at=None)
    if skip:
        webhook.seq = _last_seq()
        waiting.delete()
    else:
        waiting.update(next_at=timezone.now(), attempts=0)
    webhook.save(update_fields=["is_enabled", "failures", "problem", "seq"])
    note(webhook, "enabled", actor=actor)


@transaction.atomic
def disable_webhook(*, webhook: Webhook, reason: str, actor: User | None = None) -> None:
    """Tell it nothing more; its owner hears why, unless they asked for it."""
    webhook.is_enabled, webhook.problem = False, reason[:400]
    webhook.save(update_fields=["is_enabled", "problem"])
    note(webhook, "disabled", actor=actor, reason=reason)
    if actor is None:
        title = f"Your webhook to {webhook.host} was switched off"
        text = f"{reason}\nNothing is lost: switch it on again, and it goes on where it stopped."
        notify([webhook.owner], kind=NoticeKind.ACCOUNT, title=title, text=text, url=reverse("portal:webhooks"))


@transaction.atomic
def test_webhook(*, actor: User, webhook: Webhook) -> None:
    """Have it told of an event that is about itself. Raises Conflict when it is switched off."""
    if not webhook.is_enabled:
        raise Conflict("This webhook is switched off. Switch it on first.")
    note(webhook, "tested", actor=actor)


def checked_url(url: str) -> str:
    """The URL without its fragment; raises Invalid unless it is one that can be told of something."""
    url = url.strip().partition("#")[0]
    try:
        parts = urllib.parse.urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid(NO_URL, field="url")
    if len(url) > LONGEST:
        raise Invalid(f"The URL may have {LONGEST} characters, not {len(url)}.", field="url")
    return url


def checked_kinds(kinds: Sequence[str]) -> list[str]:
    """Kinds of events as they are stored. Raises Invalid."""
    named = sorted({kind.strip() for kind in kinds if kind.strip()})
    if any(len(kind) > 32 or not kind.replace("_", "").isalpha() for kind in named) or len(named) > 40:
        raise Invalid(
            "Kinds are words such as server, operation or membership, as the events page names them.", field="kinds"
        )
    return named


def place_of(webhook: Webhook) -> dict[str, str]:
    """What the sealed secret is bound to."""
    return {"tenant": str(webhook.owner_id), "record": f"webhook:{webhook.pk}", "field": "secret"}


def note(webhook: Webhook, verb: str, *, actor: User | None, reason: str = "") -> None:
    lifecycle.note(
        kind="webhook",
        verb=verb,
        topic=webhook.topic,
        object_id=webhook.pk,
        project_id=webhook.project_id,
        name=webhook.host,
        actor=actor,
        reason=reason,
    )


def _last_seq() -> int:
    return Event.objects.aggregate(last=Max("seq"))["last"] or 0
