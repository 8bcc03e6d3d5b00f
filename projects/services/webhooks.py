"""Webhooks as far as projects are asked: whose events somebody may have told to a program."""

import ipaddress
import urllib.parse
from collections.abc import Sequence

from django.db import transaction

from accounts import services as accounts
from accounts.models import User, Webhook
from cloudmesh.errors import Invalid, NotAllowed, Rejected
from cloudmesh.wire import public_only
from projects import access, tasks
from projects.models import Project


@transaction.atomic
def add_webhook(
    *, actor: User, url: str, project: Project | None = None, kinds: Sequence[str] = ()
) -> tuple[Webhook, str]:
    """Have `url` told of the events of `project`, or of one's own; answers the secret, which is shown this once.

    Raises NotAllowed, Invalid, Conflict.
    """
    if actor.only_project:
        raise NotAllowed("This API token works in one project only; webhooks are of a person.")
    if project is not None:
        access.require(actor, "webhook.manage", project)
    _check_address(actor, accounts.checked_url(url))
    topic = project.topic if project else actor.topic
    return accounts.add_webhook(owner=actor, topic=topic, url=url, kinds=kinds)


@transaction.atomic
def enable_webhook(*, actor: User, webhook: Webhook, skip: bool = False) -> None:
    """Go on where it stopped, or from now on with `skip`. Raises NotAllowed when its topic is not to be heard."""
    if webhook.topic not in access.hears(actor):
        raise NotAllowed("You may not see any more what this webhook told of. Remove it.")
    accounts.enable_webhook(actor=actor, webhook=webhook, skip=skip)
    transaction.on_commit(lambda: tasks.ring_webhook(webhook.pk), robust=True)


@transaction.atomic
def test_webhook(*, actor: User, webhook: Webhook) -> None:
    """Have it told of an event about itself, on the way that all others go. Raises Conflict."""
    accounts.test_webhook(actor=actor, webhook=webhook)
    transaction.on_commit(lambda: tasks.ring_webhook(webhook.pk), robust=True)


def _check_address(actor: User, url: str) -> None:
    """Say at once what the guard would say of an address that is no name; it asks again at each delivery."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        address = str(ipaddress.ip_address(host))
        if not access.is_admin(actor):
            public_only(address)
    except ValueError:
        return  # a name: looked up when it is connected to
    except Rejected as error:
        words = f"{host} is not a public address, and only webhooks of administrators go there."
        raise Invalid(words, field="url") from error
